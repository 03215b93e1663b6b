/** Imports events of many streams: writes them as if all were new, and looks for known ones only when some are. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EventContent, importConflict, isSameEvent } from '../../../domain/import-conflict.js';
import { categoryOf } from '../../../domain/names.js';
import { toInteger, toRecordedEvent, toText } from '../../shared/rows.js';
import type { ImportedEvent, ImportResult } from '../../store.js';
import { copyLine } from '../connection/copy-text.js';
import type { Database } from '../connection/database.js';
import { isConflict } from '../connection/errors.js';
import type { RawRow } from '../connection/values.js';

const retryForMs = 30_000;
const firstWaitMs = 10;
const longestWaitMs = 1000;
/** More would fill the lock table; above it the unique key guards the order of versions. */
const maxLockedStreams = 256;

type Conflict = 'skip' | 'fail';

interface Sorted {
  readonly fresh: readonly ImportedEvent[];
  readonly known: number;
  readonly skipped: number;
}

/** Ids make an import repeatable, so after a transient fault it reads which events are stored, and continues. */
export async function importEvents(
  database: Database,
  events: readonly ImportedEvent[],
  conflict: Conflict,
): Promise<ImportResult> {
  database.assertWritable();
  const deadline = Date.now() + retryForMs;
  let sorted: Sorted | undefined = { fresh: events, known: 0, skipped: 0 };
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      sorted ??= await sortOut(database, events, conflict);
      const written = await write(database, sorted);
      if (written !== 'known') return written;
    } catch (error) {
      // After a conflict, too, the known events are sorted out next.
      if (!(isConflict(error) || database.mayRetry(error)) || Date.now() + waitMs > deadline) throw error;
      await sleep(waitMs * (0.5 + Math.random()));
    }
    sorted = undefined;
  }
}

/** Returns `known`, having written nothing, when an event is stored already. */
async function write(database: Database, { fresh, known, skipped }: Sorted): Promise<ImportResult | 'known'> {
  const [first] = fresh;
  const last = fresh.at(-1);
  if (first === undefined || last === undefined) return { imported: 0, known, skipped, newStreams: 0 };
  const streams = [...new Set(fresh.map(({ streamId }) => streamId))].sort();
  const rows = await database.transaction(
    async (session) => {
      if (streams.length <= maxLockedStreams) await session.ask('lock-streams', [streams]);
      // In a newer snapshot than that of the locks. When a file is imported again, its first or its last event is known.
      const ends = await session.ask('import-ends', [streams, [first.id, last.id]]);
      if (ends[0]?.[1] === 't') return undefined;
      await session.copyIn(session.sql('import'), toLines(fresh, streams, ends));
      return ends;
    },
    // Rows are always looked up by key, whatever the statistics of a formerly empty table suggest.
    { prelude: 'set local enable_seqscan = off' },
  );
  if (rows === undefined) return 'known';
  const newStreams = rows.filter(([version]) => version === '0').length;
  return { imported: fresh.length, known, skipped, newStreams };
}

/** Gives each event the next version of its stream. */
function* toLines(
  events: readonly ImportedEvent[],
  streams: readonly string[],
  ends: readonly RawRow[],
): Generator<string> {
  const versions = new Map(streams.map((stream, place) => [stream, toInteger(ends[place]?.[0])]));
  const now = toText(ends[0]?.[2]);
  for (const event of events) {
    const { id, streamId, type, schemaVersion, data, metadata } = event;
    const { streamType = categoryOf(streamId), createdAt = now } = event;
    const version = (versions.get(streamId) ?? 0) + 1;
    versions.set(streamId, version);
    yield copyLine([id, streamId, streamType, type, schemaVersion, data, metadata, version, createdAt]);
  }
}

/**
 * Separates new events from known ones.
 * @throws E_ID_CONFLICT
 */
async function sortOut(database: Database, events: readonly ImportedEvent[], conflict: Conflict): Promise<Sorted> {
  const rows = await database.ask('find-many', [events.map((event) => event.id)]);
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
