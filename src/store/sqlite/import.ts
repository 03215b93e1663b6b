/** Importing events of many streams: each takes the next version of its stream, those already there are told apart. */
import { type EventContent, importConflict, isSameEvent } from '../../domain/import-conflict.js';
import type { SqlFolder } from '../sql.js';
import type { ImportedEvent, ImportResult } from '../store.js';
import { eventColumns } from './append.js';
import type { Database, Session } from './database.js';
import { isConflict } from './errors.js';
import { toInteger, toRecordedEvent } from './rows.js';

/** With triggers on the table SQLite prepares for undoing each statement: dear for one row, nothing for many. */
const rowsPerStatement = 50;

type Conflict = 'skip' | 'fail';

export async function importEvents(
  database: Database,
  sql: SqlFolder,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<ImportResult> {
  database.assertWritable();
  return database.transaction((session) => attempt(session, sql, events, conflict));
}

interface Progress {
  /** Version of the last event of each stream met so far. */
  readonly versions: Map<string, number>;
  readonly counts: { imported: number; known: number; skipped: number; newStreams: number };
}

/** @throws E_ID_CONFLICT */
function attempt(session: Session, sql: SqlFolder, events: readonly ImportedEvent[], conflict: Conflict): ImportResult {
  const progress: Progress = { versions: new Map(), counts: { imported: 0, known: 0, skipped: 0, newStreams: 0 } };
  for (let start = 0; start < events.length; start += rowsPerStatement) {
    const slice = events.slice(start, start + rowsPerStatement);
    if (insertSlice(session, sql, slice, progress)) continue;
    for (const event of slice) importOne(session, sql, event, conflict, progress);
  }
  return progress.counts;
}

/** False, and nothing is written, when an id of the slice is known. */
function insertSlice(session: Session, sql: SqlFolder, slice: readonly ImportedEvent[], progress: Progress): boolean {
  if (slice.length < rowsPerStatement) return false;
  const versions = new Map<string, number>();
  let newStreams = 0;
  const parameters = slice.flatMap((event) => {
    const { streamId } = event;
    const version = versions.get(streamId) ?? versionOf(session, sql, streamId, progress);
    if (version === 0) newStreams += 1;
    versions.set(streamId, version + 1);
    return eventColumns(streamId, event, version + 1);
  });
  try {
    session.run(manyRows(sql('append')), parameters);
  } catch (error) {
    // SQLite has undone the whole statement.
    if (isConflict(error)) return false;
    throw error;
  }
  for (const [streamId, version] of versions) progress.versions.set(streamId, version);
  progress.counts.imported += slice.length;
  progress.counts.newStreams += newStreams;
  return true;
}

/** @throws E_ID_CONFLICT */
function importOne(
  session: Session,
  sql: SqlFolder,
  event: ImportedEvent,
  conflict: Conflict,
  progress: Progress,
): void {
  const { versions, counts } = progress;
  // Asked first: an insert that is refused, even quietly, uses up a position.
  const other = findEvent(session, sql, event.id);
  if (other === undefined) {
    const version = versionOf(session, sql, event.streamId, progress);
    session.run(sql('append'), eventColumns(event.streamId, event, version + 1));
    versions.set(event.streamId, version + 1);
    counts.imported += 1;
    if (version === 0) counts.newStreams += 1;
  } else if (isSameEvent(event, other)) counts.known += 1;
  else if (conflict === 'skip') counts.skipped += 1;
  else throw importConflict(event, other);
}

/** The statement of one row, for as many as one statement takes. */
function manyRows(statement: string): string {
  const row = statement.slice(statement.indexOf('values') + 'values'.length);
  return `${statement}${`,${row}`.repeat(rowsPerStatement - 1)}`;
}

function versionOf(session: Session, sql: SqlFolder, streamId: string, { versions }: Progress): number {
  return versions.get(streamId) ?? readVersion(session, sql, streamId);
}

function readVersion(session: Session, sql: SqlFolder, streamId: string): number {
  return toInteger(session.query(sql('stream-version'), [streamId])[0]?.[0]);
}

function findEvent(session: Session, sql: SqlFolder, id: string): EventContent | undefined {
  const [row] = session.query(sql('find'), [id]);
  return row === undefined ? undefined : toRecordedEvent(row);
}
