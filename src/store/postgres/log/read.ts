/** Reads streams and the log in batches. */
import type { EventBatch, RecordedEvent } from '../../../domain/event.js';
import { BatchSize } from '../../shared/batch-size.js';
import { inOrder } from '../../shared/filter.js';
import type { ReadAllOptions, ReadStreamOptions } from '../../store.js';
import type { Database } from '../connection/database.js';
import { addFilter, type FilteredStatement } from '../connection/filter.js';
import { addCopiedEvents } from './copied-events.js';
import { readSafeHead } from './head.js';
import { findTimeSpan, type TimeSpan } from './time-span.js';

const defaultBatchSize = 2000;
/** The most characters in the texts of one batch. */
const mostCharacters = 33_554_432;

export async function* readStream(
  database: Database,
  streamId: string,
  options: ReadStreamOptions,
): AsyncGenerator<EventBatch> {
  const { backwards = false, batchSize = defaultBatchSize } = options;
  const text = inOrder(database.sql('read-stream'), backwards);
  const batches = new BatchSize(batchSize);
  let from = options.fromVersion ?? 1;
  let to = options.toVersion ?? Number.MAX_SAFE_INTEGER;
  let remaining = options.limit ?? Number.POSITIVE_INFINITY;
  while (remaining > 0 && from <= to) {
    const wanted = Math.min(batches.size, remaining);
    const statement = addFilter({ text, parameters: [streamId, from, to, wanted] }, options);
    const { events, isCut } = await readEvents(database, statement, batches);
    const last = events.at(-1);
    if (last === undefined) return;
    yield { events, upTo: last.globalPosition };
    if (events.length < wanted && !isCut) return;
    remaining -= events.length;
    if (backwards) to = last.version - 1;
    else from = last.version + 1;
  }
}

export function readAll(database: Database, options: ReadAllOptions): AsyncIterable<EventBatch> {
  return options.backwards === true ? readBackwards(database, options) : readForwards(database, options);
}

/** A safe head stays valid, so a new one is read only when the reader has reached the last one. */
async function* readForwards(database: Database, options: ReadAllOptions): AsyncGenerator<EventBatch> {
  const { batchSize = defaultBatchSize, safeHead = Number.MAX_SAFE_INTEGER } = options;
  const text = database.sql('read-all');
  const to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, safeHead);
  const batches = new BatchSize(batchSize);
  let after = options.after ?? 0;
  let remaining = options.limit ?? Number.POSITIVE_INFINITY;
  const span = await findSpan(database, options, options.safeHead ?? (() => readSafeHead(database, after)));
  if (span !== undefined && span.after > after) {
    after = span.after;
    yield { events: [], upTo: after };
  }
  let cap = options.safeHead === undefined ? after : to;
  while (remaining > 0 && after < to) {
    const isCapFresh = after >= cap;
    if (isCapFresh) cap = Math.min(to, await readSafeHead(database, after));
    if (cap <= after) return;
    const wanted = Math.min(batches.size, remaining);
    const end = span !== undefined && after < span.to ? Math.min(cap, span.to) : cap;
    const statement = addFilter({ text, parameters: [after, end, wanted] }, options);
    const { events, isCut } = await readEvents(database, statement, batches);
    const last = events.at(-1);
    after = (events.length < wanted && !isCut) || last === undefined ? end : last.globalPosition;
    // From there to what was the end of the log is nothing.
    if (span !== undefined && after >= span.to) after = Math.max(after, Math.min(cap, span.head));
    yield { events, upTo: after };
    remaining -= events.length;
    if (isCapFresh && after >= cap) return;
  }
}

async function* readBackwards(database: Database, options: ReadAllOptions): AsyncGenerator<EventBatch> {
  const { batchSize = defaultBatchSize } = options;
  const text = inOrder(database.sql('read-all'), true);
  const batches = new BatchSize(batchSize);
  const safeHead = await readSafeHead(database);
  const span = await findSpan(database, options, safeHead);
  const after = span?.after ?? options.after ?? 0;
  let to = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, span?.to ?? safeHead);
  let remaining = options.limit ?? Number.POSITIVE_INFINITY;
  while (remaining > 0 && to > after) {
    const wanted = Math.min(batches.size, remaining);
    const statement = addFilter({ text, parameters: [after, to, wanted] }, options);
    const { events, isCut } = await readEvents(database, statement, batches);
    const last = events.at(-1);
    const upTo = (events.length < wanted && !isCut) || last === undefined ? after + 1 : last.globalPosition;
    yield { events, upTo };
    remaining -= events.length;
    to = upTo - 1;
  }
}

/** An index leads to the events of a stream. @param safeHead read only when it is needed */
async function findSpan(
  database: Database,
  options: ReadAllOptions,
  safeHead: number | (() => Promise<number>),
): Promise<TimeSpan | undefined> {
  const { since, until, streamId, after = 0, to = Number.MAX_SAFE_INTEGER } = options;
  if ((since ?? until) === undefined || streamId !== undefined) return undefined;
  const head = Math.min(to, typeof safeHead === 'number' ? safeHead : await safeHead());
  return findTimeSpan(database, options, after, head);
}

/** Events much larger than those before could fill the memory: the excess is skipped and read again later. */
async function readEvents(
  database: Database,
  { text, parameters }: FilteredStatement,
  batches: BatchSize,
): Promise<{ readonly events: readonly RecordedEvent[]; readonly isCut: boolean }> {
  const events: RecordedEvent[] = [];
  let characters = 0;
  let isCut = false;
  await database.copyOut(text, parameters, (lines) => {
    isCut = characters > mostCharacters;
    if (isCut) return;
    characters += lines.length;
    addCopiedEvents(lines, events);
  });
  batches.record(events.length, characters);
  return { events, isCut };
}
