/** Importing events of many streams: each takes the next version of its stream, those already there are told apart. */
import { type EventContent, importConflict, isSameEvent } from '../../../domain/import-conflict.js';
import { toInteger, toRecordedEvent } from '../../shared/rows.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { ImportedEvent, ImportResult } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { isConflict } from '../connection/errors.js';
import { liftInsertGuards } from '../schema/guards.js';
import { eventColumns } from './append.js';

/** Fewer are inserted sooner than the guards are taken off, put back, and read again by every other connection. */
const fewEvents = 100;

export type Conflict = 'skip' | 'fail';

export async function importEvents(
  database: Database,
  sql: SqlFolder,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<ImportResult> {
  database.assertWritable();
  return database.transaction((session) => {
    const importer = new Importer(session, sql, conflict);
    const result = importer.insert(events);
    importer.finish();
    return result;
  });
}

/** What one transaction imports. */
export class Importer {
  readonly #session: Session;
  readonly #sql: SqlFolder;
  readonly #conflict: Conflict;
  /** Version of the last event of each stream met so far. */
  readonly #versions = new Map<string, number>();
  #restoreGuards: (() => void) | undefined;
  /** What comes next is mostly as what came before, new or known: only then is it cheaper to ask first. */
  #isKnown = true;

  /** @param session has the write lock */
  constructor(session: Session, sql: SqlFolder, conflict: Conflict) {
    this.#session = session;
    this.#sql = sql;
    this.#conflict = conflict;
  }

  /** @throws E_ID_CONFLICT */
  insert(events: readonly ImportedEvent[]): ImportResult {
    const counts = { imported: 0, known: 0, skipped: 0, newStreams: 0 };
    for (const event of events) {
      let other: EventContent | undefined = this.#isKnown ? this.#find(event.id) : undefined;
      if (other === undefined) {
        if (events.length > fewEvents) this.#restoreGuards ??= liftInsertGuards(this.#session, this.#sql);
        const version = this.#versions.get(event.streamId) ?? this.#readVersion(event.streamId);
        other = this.#insert(event, version + 1);
        if (other === undefined) {
          this.#versions.set(event.streamId, version + 1);
          counts.imported += 1;
          if (version === 0) counts.newStreams += 1;
        }
      }
      this.#isKnown = other !== undefined;
      if (other === undefined) continue;
      if (isSameEvent(event, other)) counts.known += 1;
      else if (this.#conflict === 'skip') counts.skipped += 1;
      else throw importConflict(event, other);
    }
    return counts;
  }

  /** To be called before the transaction is committed. */
  finish(): void {
    this.#restoreGuards?.();
  }

  /** The event that has the id already, if there is one: then nothing is written, and no position used up. */
  #insert(event: ImportedEvent, version: number): EventContent | undefined {
    try {
      this.#session.run(this.#sql('append'), eventColumns(event.streamId, event, version));
      return undefined;
    } catch (error) {
      const other = isConflict(error) ? this.#find(event.id) : undefined;
      if (other === undefined) throw error;
      return other;
    }
  }

  #readVersion(streamId: string): number {
    return toInteger(this.#session.query(this.#sql('stream-version'), [streamId])[0]?.[0]);
  }

  #find(id: string): EventContent | undefined {
    const [row] = this.#session.query(this.#sql('find'), [id]);
    return row === undefined ? undefined : toRecordedEvent(row);
  }
}
