/** Importing events of many streams: each takes the next version of its stream, those already there are told apart. */
import { EvstoreError } from '../../domain/errors.js';
import { jsonEquals } from '../../domain/json.js';
import { shellWord } from '../../domain/shell-word.js';
import type { SqlFolder } from '../sql.js';
import type { ImportedEvent, ImportResult } from '../store.js';
import { eventColumns } from './append.js';
import type { Database, Session } from './database.js';
import { toInteger, toRecordedEvent } from './rows.js';

type Conflict = 'skip' | 'fail';
type Content = Pick<ImportedEvent, 'id' | 'streamId' | 'type' | 'data' | 'metadata'>;

export async function importEvents(
  database: Database,
  sql: SqlFolder,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<ImportResult> {
  database.assertWritable();
  return database.transaction((session) => attempt(session, sql, events, conflict));
}

/** @throws E_ID_CONFLICT */
function attempt(session: Session, sql: SqlFolder, events: readonly ImportedEvent[], conflict: Conflict): ImportResult {
  const statement = sql('import');
  const versions = new Map<string, number>();
  const counts = { imported: 0, known: 0, skipped: 0, newStreams: 0 };
  for (const event of events) {
    const version = versions.get(event.streamId) ?? readVersion(session, sql, event.streamId);
    const isWritten = session.run(statement, eventColumns(event.streamId, event, version + 1)).changes > 0;
    versions.set(event.streamId, isWritten ? version + 1 : version);
    if (isWritten) {
      counts.imported += 1;
      if (version === 0) counts.newStreams += 1;
      continue;
    }
    const other = readEvent(session, sql, event.id);
    if (isSameEvent(event, other)) counts.known += 1;
    else if (conflict === 'skip') counts.skipped += 1;
    else throw idConflict(event, other);
  }
  return counts;
}

function readVersion(session: Session, sql: SqlFolder, streamId: string): number {
  return toInteger(session.query(sql('stream-version'), [streamId])[0]?.[0]);
}

function readEvent(session: Session, sql: SqlFolder, id: string): Content {
  const [row] = session.query(sql('find'), [id]);
  if (row === undefined) throw new EvstoreError('E_BUG', `an event ${id} was refused as known and is not there`);
  return toRecordedEvent(row);
}

function isSameEvent(event: Content, other: Content): boolean {
  return (
    event.streamId === other.streamId &&
    event.type === other.type &&
    jsonEquals(event.data, other.data) &&
    jsonEquals(event.metadata, other.metadata)
  );
}

function idConflict(event: Content, other: Content): EvstoreError {
  return new EvstoreError('E_ID_CONFLICT', `an event with the id ${event.id} exists with other content`, {
    why: `It is in stream ${other.streamId}. An id names one event for ever: a new event takes a new id.`,
    next: `evstore show ${shellWord(event.id)}`,
    details: { id: event.id, streamId: other.streamId },
  });
}
