/** Keeps the events for which the condition of a filter holds: the database only narrows them down. */
import type { EventBatch, EventQuery } from '../../domain/event.js';
import { eventHolds } from '../../domain/where/event.js';

interface Limited extends Pick<EventQuery, 'where'> {
  readonly limit?: number;
  readonly batchSize?: number;
}

/** A batch ends when it is full of candidates: for a few events, a large one would look far beyond the last of them. */
const smallBatch = 500;

/** @param read reads the candidates; its limit would count them instead of the matches */
export function keepMatching<Options extends Limited>(
  options: Options,
  read: (options: Options) => AsyncIterable<EventBatch>,
): AsyncIterable<EventBatch> {
  return options.where === undefined ? read(options) : keep(options, options.where, read);
}

async function* keep<Options extends Limited>(
  { limit = Number.POSITIVE_INFINITY, ...options }: Options,
  where: NonNullable<EventQuery['where']>,
  read: (options: Options) => AsyncIterable<EventBatch>,
): AsyncGenerator<EventBatch> {
  let remaining = limit;
  if (remaining <= 0) return;
  const batchSize = options.batchSize ?? (remaining < smallBatch ? smallBatch : undefined);
  const sized = { ...options, ...(batchSize !== undefined && { batchSize }) };
  for await (const { events, upTo } of read(sized as unknown as Options)) {
    const found = events.filter((event) => eventHolds(where, event));
    const last = found[remaining - 1];
    if (last !== undefined) {
      yield { events: found.slice(0, remaining), upTo: last.globalPosition };
      return;
    }
    remaining -= found.length;
    yield { events: found, upTo };
  }
}
