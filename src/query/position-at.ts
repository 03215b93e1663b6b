/** Finds where in the log a time is. */
import type { EventLog, Store } from '../store/store.js';
import { choosePlaces } from './census.js';

/**
 * Returns a position after which everything is that was recorded at or after the time. Times rise with positions, so it
 * takes a bisection; where imported events show that they do not, the result is 0, the beginning.
 * @param time RFC 3339 in UTC
 */
export async function positionAt(
  { log, statistics }: Pick<Store, 'log' | 'statistics'>,
  time: string,
): Promise<number> {
  const { safeHead } = await log.head();
  let [low, high] = [0, safeHead];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await firstAfter(log, middle);
    if (found === undefined || found.createdAt >= time) high = middle;
    else low = found.globalPosition;
  }
  const before = await statistics.sample(choosePlaces(0, low));
  return before.some(({ createdAt }) => createdAt >= time) ? 0 : low;
}

async function firstAfter(log: EventLog, position: number) {
  for await (const { events } of log.readAll({ after: position, limit: 1, batchSize: 1 })) return events[0];
  return undefined;
}
