/** Parked events: those that the tables behind a cursor miss. */
import { rebuildOf } from '../../shared/leases.js';
import type { Lease, ParkedChanges } from '../../store.js';
import type { Session } from '../connection/database.js';

/** @param lease on the cursor of the tables that miss them */
export async function applyParked(
  session: Session,
  lease: Lease,
  { projection, added, removed }: ParkedChanges,
): Promise<void> {
  const key = [projection, rebuildOf(lease)];
  if (removed.length > 0) await session.ask('unpark-events', [...key, removed]);
  if (added.length === 0) return;
  await session.ask('park-events', [
    ...key,
    added.map(({ globalPosition }) => globalPosition),
    added.map(({ id }) => id),
    added.map(({ streamId }) => streamId),
    added.map(({ type }) => type),
    added.map(({ state }) => state),
    added.map(({ error }) => error),
    added.map(({ attempts }) => attempts),
  ]);
}

/** A swap or a rollback: what each set of tables misses goes with it. */
export async function exchangeParked(session: Session, projection: string, rebuild: number): Promise<void> {
  await session.ask('mark-parked', [projection, rebuild]);
  await session.ask('place-parked', [projection]);
}
