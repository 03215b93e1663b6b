/** Importing events of many streams: each takes the next version of its stream, those already there are told apart. */
import { type EventContent, importConflict, isSameEvent } from '../../domain/import-conflict.js';
import type { SqlFolder } from '../sql.js';
import type { ImportedEvent, ImportResult } from '../store.js';
import { eventColumns } from './append.js';
import type { Database, Session } from './database.js';
import { isConflict } from './errors.js';
import { withoutRowGuards } from './guards.js';
import { toInteger, toRecordedEvent } from './rows.js';

type Conflict = 'skip' | 'fail';

export async function importEvents(
  database: Database,
  sql: SqlFolder,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<ImportResult> {
  database.assertWritable();
  return database.transaction((session) =>
    withoutRowGuards(session, sql, () => attempt(session, sql, events, conflict)),
  );
}

interface Progress {
  /** Version of the last event of each stream met so far. */
  readonly versions: Map<string, number>;
  readonly counts: { imported: number; known: number; skipped: number; newStreams: number };
}

/** @throws E_ID_CONFLICT */
function attempt(session: Session, sql: SqlFolder, events: readonly ImportedEvent[], conflict: Conflict): ImportResult {
  const progress: Progress = { versions: new Map(), counts: { imported: 0, known: 0, skipped: 0, newStreams: 0 } };
  const { counts } = progress;
  /** Where one is known, its neighbours are: it is cheaper to ask than to be refused. */
  let asks = false;
  for (const event of events) {
    if (!asks && insertFresh(session, sql, event, progress)) continue;
    asks = true;
    const other = findEvent(session, sql, event.id);
    if (other === undefined) insert(session, sql, event, progress);
    else if (isSameEvent(event, other)) counts.known += 1;
    else if (conflict === 'skip') counts.skipped += 1;
    else throw importConflict(event, other);
  }
  return counts;
}

/** False, and nothing is written, when the id is known: the statement is undone, and with it the position it took. */
function insertFresh(session: Session, sql: SqlFolder, event: ImportedEvent, progress: Progress): boolean {
  try {
    insert(session, sql, event, progress);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

function insert(session: Session, sql: SqlFolder, event: ImportedEvent, { versions, counts }: Progress): void {
  const { streamId } = event;
  const version = versions.get(streamId) ?? readVersion(session, sql, streamId);
  session.run(sql('append'), eventColumns(streamId, event, version + 1));
  versions.set(streamId, version + 1);
  counts.imported += 1;
  if (version === 0) counts.newStreams += 1;
}

function readVersion(session: Session, sql: SqlFolder, streamId: string): number {
  return toInteger(session.query(sql('stream-version'), [streamId])[0]?.[0]);
}

function findEvent(session: Session, sql: SqlFolder, id: string): EventContent | undefined {
  const [row] = session.query(sql('find'), [id]);
  return row === undefined ? undefined : toRecordedEvent(row);
}
