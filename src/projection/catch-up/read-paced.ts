/** Reads the log ahead of the work, in batches as large as the work keeps up with. */
import type { EventBatch, EventFilter } from '../../domain/event.js';
import { readAhead } from '../../store/shared/read-ahead.js';
import type { EventLog } from '../../store/store.js';
import type { Pace } from './pace.js';

/**
 * Every event that matches from `after` (exclusive) to `to`, or to the safe head where that is lower, and none twice:
 * when the pace changes, what was read ahead at the old one is delivered first.
 */
export async function* readPaced(
  log: EventLog,
  filter: EventFilter,
  after: number,
  to: number,
  pace: Pace,
): AsyncGenerator<EventBatch> {
  let reached = after;
  while (reached < to) {
    const batchSize = pace.size;
    let isCut = false;
    const isEnough = () => {
      isCut ||= pace.size !== batchSize;
      return isCut;
    };
    for await (const batch of readAhead(log.readAll({ ...filter, after: reached, to, batchSize }), isEnough)) {
      reached = batch.upTo;
      yield batch;
    }
    if (!isCut) return;
  }
}
