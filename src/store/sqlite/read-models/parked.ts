/** Parked events: those that the tables behind a cursor miss. */
import { rebuildOf } from '../../shared/leases.js';
import type { Lease, ParkedChanges } from '../../store.js';
import type { Session } from '../connection/database.js';

/** @param lease on the cursor of the tables that miss them */
export function applyParked(session: Session, lease: Lease, { projection, added, removed }: ParkedChanges): void {
  const key = [projection, rebuildOf(lease)];
  for (const position of removed) session.ask('unpark-events', [...key, position]);
  for (const { globalPosition, id, streamId, type, state, error, attempts } of added) {
    session.ask('park-events', [...key, globalPosition, id, streamId, type, state, error, attempts]);
  }
}

/** A swap or a rollback: what each set of tables misses goes with it. */
export function exchangeParked(session: Session, projection: string, rebuild: number): void {
  session.ask('mark-parked', [projection, rebuild]);
  session.ask('place-parked', [projection]);
}
