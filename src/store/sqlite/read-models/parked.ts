/** Parked events: those that the tables behind a cursor miss. */
import { rebuildOf } from '../../shared/leases.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease, ParkedChanges } from '../../store.js';
import type { Session } from '../connection/database.js';

/** @param lease on the cursor of the tables that miss them */
export function applyParked(
  session: Session,
  sql: SqlFolder,
  lease: Lease,
  { projection, added, removed }: ParkedChanges,
): void {
  const key = [projection, rebuildOf(lease)];
  for (const position of removed) session.run(sql('unpark-events'), [...key, position]);
  for (const { globalPosition, id, streamId, type, state, error, attempts } of added) {
    session.run(sql('park-events'), [...key, globalPosition, id, streamId, type, state, error, attempts]);
  }
}

/** A swap or a rollback: what each set of tables misses goes with it. */
export function exchangeParked(session: Session, sql: SqlFolder, projection: string, rebuild: number): void {
  session.run(sql('mark-parked'), [projection, rebuild]);
  session.run(sql('place-parked'), [projection]);
}
