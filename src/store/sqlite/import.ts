/** Importing events of many streams: each takes the next version of its stream, those already there are told apart. */
import { type EventContent, importConflict, isSameEvent } from '../../domain/import-conflict.js';
import type { SqlFolder } from '../sql.js';
import type { ImportedEvent, ImportResult } from '../store.js';
import { eventColumns } from './append.js';
import type { Database, Session } from './database.js';
import { isConflict } from './errors.js';
import { liftInsertGuards } from './guards.js';
import { toInteger, toRecordedEvent } from './rows.js';

/** Fewer are inserted sooner than the guards are taken off, put back, and read again by every other connection. */
const fewEvents = 100;

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

/** @throws E_ID_CONFLICT */
function attempt(session: Session, sql: SqlFolder, events: readonly ImportedEvent[], conflict: Conflict): ImportResult {
  const counts = { imported: 0, known: 0, skipped: 0, newStreams: 0 };
  /** Version of the last event of each stream met so far. */
  const versions = new Map<string, number>();
  let restoreGuards: (() => void) | undefined;
  /** What comes next is mostly as what came before, new or known: only then is it cheaper to ask first. */
  let isKnown = true;
  for (const event of events) {
    let other: EventContent | undefined = isKnown ? findEvent(session, sql, event.id) : undefined;
    if (other === undefined) {
      if (events.length > fewEvents) restoreGuards ??= liftInsertGuards(session, sql);
      const version = versions.get(event.streamId) ?? readVersion(session, sql, event.streamId);
      other = insertEvent(session, sql, event, version + 1);
      if (other === undefined) {
        versions.set(event.streamId, version + 1);
        counts.imported += 1;
        if (version === 0) counts.newStreams += 1;
      }
    }
    isKnown = other !== undefined;
    if (other === undefined) continue;
    if (isSameEvent(event, other)) counts.known += 1;
    else if (conflict === 'skip') counts.skipped += 1;
    else throw importConflict(event, other);
  }
  restoreGuards?.();
  return counts;
}

/** The event that has the id already, if there is one: then nothing is written, and no position used up. */
function insertEvent(
  session: Session,
  sql: SqlFolder,
  event: ImportedEvent,
  version: number,
): EventContent | undefined {
  try {
    session.run(sql('append'), eventColumns(event.streamId, event, version));
    return undefined;
  } catch (error) {
    const other = isConflict(error) ? findEvent(session, sql, event.id) : undefined;
    if (other === undefined) throw error;
    return other;
  }
}

function readVersion(session: Session, sql: SqlFolder, streamId: string): number {
  return toInteger(session.query(sql('stream-version'), [streamId])[0]?.[0]);
}

function findEvent(session: Session, sql: SqlFolder, id: string): EventContent | undefined {
  const [row] = session.query(sql('find'), [id]);
  return row === undefined ? undefined : toRecordedEvent(row);
}
