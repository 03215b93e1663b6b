/** Imports events of many streams: each takes the next version of its stream; known ones are sorted out. */
import { type EventContent, importConflict, isSameEvent } from '../../../domain/import-conflict.js';
import { toInteger, toRecordedEvent } from '../../shared/rows.js';
import type { ImportedEvent, ImportResult } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { isConflict } from '../connection/errors.js';
import { liftInsertGuards } from '../schema/insert-guards.js';
import { eventColumns } from './append.js';

/** For fewer events, dropping and restoring the guards costs more than it saves: every other connection reads the schema again. */
const fewEvents = 100;

export type Conflict = 'skip' | 'fail';

export async function importEvents(
  database: Database,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<ImportResult> {
  database.assertWritable();
  return database.transaction((session) => {
    const importer = new Importer(session, conflict);
    const result = importer.insert(events);
    importer.finish();
    return result;
  });
}

/** Imports events within one transaction. */
export class Importer {
  readonly #session: Session;
  readonly #conflict: Conflict;
  /** The last version of each stream met so far. */
  readonly #versions = new Map<string, number>();
  #restoreGuards: (() => void) | undefined;
  /** The next event is mostly new or known like the last one; looking it up first is only cheaper for known ones. */
  #isKnown = true;

  /** @param session a transaction with the write lock */
  constructor(session: Session, conflict: Conflict) {
    this.#session = session;
    this.#conflict = conflict;
  }

  /** @throws E_ID_CONFLICT */
  insert(events: readonly ImportedEvent[]): ImportResult {
    const counts = { imported: 0, known: 0, skipped: 0, newStreams: 0 };
    for (const event of events) {
      let other: EventContent | undefined = this.#isKnown ? this.#find(event.id) : undefined;
      if (other === undefined) {
        if (events.length > fewEvents) this.#restoreGuards ??= liftInsertGuards(this.#session);
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

  /** Call it before the commit. */
  finish(): void {
    this.#restoreGuards?.();
  }

  /** Returns the event that has the id already; then it writes nothing and uses no position. */
  #insert(event: ImportedEvent, version: number): EventContent | undefined {
    try {
      this.#session.run(this.#session.sql('append'), eventColumns(event.streamId, event, version));
      return undefined;
    } catch (error) {
      const other = isConflict(error) ? this.#find(event.id) : undefined;
      if (other === undefined) throw error;
      return other;
    }
  }

  #readVersion(streamId: string): number {
    return toInteger(this.#session.ask('stream-version', [streamId])[0]?.[0]);
  }

  #find(id: string): EventContent | undefined {
    const [row] = this.#session.ask('find', [id]);
    return row === undefined ? undefined : toRecordedEvent(row);
  }
}
