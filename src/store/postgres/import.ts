/** Importing events of many streams: those already there are told apart first, the others written set-wise. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EventContent, importConflict, isSameEvent } from '../../domain/import-conflict.js';
import type { SqlFolder } from '../sql.js';
import type { ImportedEvent, ImportResult } from '../store.js';
import { eventColumns } from './append.js';
import type { Database } from './database.js';
import { isConflict, isConnectionRefused, isTransient } from './errors.js';
import { toInteger, toRecordedEvent } from './rows.js';

const retryForMs = 30_000;
const firstWaitMs = 10;
const longestWaitMs = 1000;

type Conflict = 'skip' | 'fail';

interface Sorted {
  readonly fresh: readonly ImportedEvent[];
  readonly known: number;
  readonly skipped: number;
}

/** Ids make it repeatable, so any fault that may pass is met by looking again at what is there. */
export async function importEvents(
  database: Database,
  sql: SqlFolder,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<ImportResult> {
  database.assertWritable();
  const deadline = Date.now() + retryForMs;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await attempt(database, sql, events, conflict);
    } catch (error) {
      const isWrongPlace = isConnectionRefused(error) && !database.hasConnected;
      const mayPass = isConflict(error) || (isTransient(error) && !isWrongPlace);
      if (!mayPass || Date.now() + waitMs > deadline) throw error;
      await sleep(waitMs * (0.5 + Math.random()));
    }
  }
}

async function attempt(
  database: Database,
  sql: SqlFolder,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<ImportResult> {
  const { fresh, known, skipped } = await sortOut(database, sql, events, conflict);
  if (fresh.length === 0) return { imported: 0, known, skipped, newStreams: 0 };
  const [row] = await database.query(sql('import'), [
    fresh.map((event) => event.streamId),
    fresh.map((event) => event.id),
    ...eventColumns(fresh, (event) => event.streamId),
  ]);
  return { imported: toInteger(row?.[0]), known, skipped, newStreams: toInteger(row?.[1]) };
}

/** @throws E_ID_CONFLICT */
async function sortOut(
  database: Database,
  sql: SqlFolder,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<Sorted> {
  const rows = await database.query(sql('find-many'), [events.map((event) => event.id)]);
  const seen = new Map<string, EventContent>(rows.map(toRecordedEvent).map((event) => [event.id, event]));
  const fresh: ImportedEvent[] = [];
  let known = 0;
  let skipped = 0;
  for (const event of events) {
    const id = event.id.toLowerCase();
    const other = seen.get(id);
    if (other === undefined) {
      fresh.push(event);
      seen.set(id, event);
    } else if (isSameEvent(event, other)) {
      known += 1;
    } else if (conflict === 'skip') {
      skipped += 1;
    } else {
      throw importConflict(event, other);
    }
  }
  return { fresh, known, skipped };
}
