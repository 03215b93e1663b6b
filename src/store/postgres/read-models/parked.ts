/** Events put aside, beside the cursor that has moved past them. */
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease, ParkedChanges, ParkedCount, ParkedEvent, ParkedFilter, ParkedState } from '../../store.js';
import type { RawRow, Session } from '../connection/database.js';
import { toInteger, toOptional, toText, toTimestamp } from '../connection/rows.js';

const states: readonly ParkedState[] = ['parked', 'skipped', 'discarded'];

/** @param lease on the cursor of the tables that miss them */
export async function applyParked(
  session: Session,
  sql: SqlFolder,
  { target }: Lease,
  changes: ParkedChanges,
): Promise<void> {
  const { projection, added, removed } = changes;
  const key = [projection, target.kind === 'rebuild' ? target.id : 0];
  if (removed.length > 0) await session.query(sql('take-back'), [...key, removed]);
  if (added.length === 0) return;
  await session.query(sql('put-aside'), [
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

/** The tables change places: what each set misses goes with it. */
export async function exchangeParked(
  session: Session,
  sql: SqlFolder,
  projection: string,
  rebuild: number,
): Promise<void> {
  await session.query(sql('mark-parked'), [projection, rebuild]);
  await session.query(sql('place-parked'), [projection]);
}

/** @param rebuild whose tables beside the live ones it is about; 0: the live ones @param after exclusive; 0 for all */
export async function forgetParked(
  session: Session,
  sql: SqlFolder,
  projection: string,
  rebuild: number,
  after = 0,
): Promise<void> {
  await session.query(sql('forget-parked'), [projection, rebuild, after]);
}

export async function listParked(
  session: Session,
  sql: SqlFolder,
  filter: ParkedFilter,
): Promise<readonly ParkedEvent[]> {
  const { projection, rebuild, state, streamId, limit } = filter;
  const parameters = [projection ?? null, rebuild ?? null, state ?? null, streamId ?? null, limit ?? null];
  return (await session.query(sql('parked'), parameters)).map(toParkedEvent);
}

export async function listParkedStreams(
  session: Session,
  sql: SqlFolder,
  projection: string,
  rebuild: number,
): Promise<readonly string[]> {
  const rows = await session.query(sql('parked-streams'), [projection, rebuild]);
  return rows.map(([streamId]) => toText(streamId));
}

export async function countParked(session: Session, sql: SqlFolder): Promise<readonly ParkedCount[]> {
  const rows = await session.query(sql('count-parked'));
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

function toState(text: string | null | undefined): ParkedState {
  const state = states.find((known) => known === text);
  if (state !== undefined) return state;
  throw new EvstoreError('E_CORRUPT', `an event is put aside in the unknown state ${text}`);
}
