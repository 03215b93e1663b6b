/** Events put aside, beside the cursor that has moved past them. */
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease, ParkedChanges, ParkedCount, ParkedEvent, ParkedFilter, ParkedState } from '../../store.js';
import type { RawRow, RawValue, Session } from '../connection/database.js';
import { toInteger, toOptional, toText, toTimestamp } from '../connection/rows.js';

const states: readonly ParkedState[] = ['parked', 'skipped', 'discarded'];

/** @param lease on the cursor of the tables that miss them */
export function applyParked(session: Session, sql: SqlFolder, { target }: Lease, changes: ParkedChanges): void {
  const { projection, added, removed } = changes;
  const key = [projection, target.kind === 'rebuild' ? target.id : 0];
  for (const position of removed) session.run(sql('take-back'), [...key, position]);
  for (const { globalPosition, id, streamId, type, state, error, attempts } of added) {
    session.run(sql('put-aside'), [...key, globalPosition, id, streamId, type, state, error, attempts]);
  }
}

/** The tables change places: what each set misses goes with it. */
export function exchangeParked(session: Session, sql: SqlFolder, projection: string, rebuild: number): void {
  session.run(sql('mark-parked'), [projection, rebuild]);
  session.run(sql('place-parked'), [projection]);
}

/** @param rebuild whose tables beside the live ones it is about; 0: the live ones @param after exclusive; 0 for all */
export function forgetParked(session: Session, sql: SqlFolder, projection: string, rebuild: number, after = 0): void {
  session.run(sql('forget-parked'), [projection, rebuild, after]);
}

export function listParked(session: Session, sql: SqlFolder, filter: ParkedFilter): readonly ParkedEvent[] {
  const { projection, rebuild, state, streamId, limit } = filter;
  const parameters = [projection ?? null, rebuild ?? null, state ?? null, streamId ?? null, limit ?? null];
  return session.query(sql('parked'), parameters).map(toParkedEvent);
}

export function listParkedStreams(
  session: Session,
  sql: SqlFolder,
  projection: string,
  rebuild: number,
): readonly string[] {
  return session.query(sql('parked-streams'), [projection, rebuild]).map(([streamId]) => toText(streamId));
}

export function countParked(session: Session, sql: SqlFolder): readonly ParkedCount[] {
  const rows = session.query(sql('count-parked'));
  return rows.map((row) => ({ projection: toText(row[0]), events: toInteger(row[1]) }));
}

function toParkedEvent(row: RawRow): ParkedEvent {
  return {
    projection: toText(row[0]),
    rebuild: toInteger(row[1]),
    globalPosition: toInteger(row[2]),
    id: toText(row[3]),
    streamId: toText(row[4]),
    type: toText(row[5]),
    state: toState(row[6]),
    error: toOptional(row[7], toText),
    attempts: toInteger(row[8]),
    parkedAt: toTimestamp(row[9]),
  };
}

function toState(text: RawValue | undefined): ParkedState {
  const state = states.find((known) => known === text);
  if (state !== undefined) return state;
  throw new EvstoreError('E_CORRUPT', `an event is put aside in the unknown state ${text}`);
}
