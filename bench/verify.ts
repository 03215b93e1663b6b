/** Whether a log is the one it should be. */
import type { Raw } from '../test/support/raw.js';
import { eventsPerOrder } from './data/orders.js';
import { expectEqual } from './measure.js';

/**
 * All events, every stream whole, in the order of the file: their times rise there.
 * @throws Wrong
 */
export async function verifyLog(raw: Raw, events: number, table = 'events'): Promise<void> {
  const [row] = await raw.query(`select count(*) as events, sum(version) as versions from ${table}`);
  expectEqual(`events in ${table}`, row?.events, events);
  expectEqual(`the sum of versions in ${table}`, row?.versions, sumOfVersions(events));
  const [back] = await raw.query(
    `select count(*) as events from
       (select created_at < lag(created_at) over (order by global_position) as is_back from ${table}) as ordered
      where is_back`,
  );
  expectEqual(`events out of order in ${table}`, back?.events, 0);
}

/** Of a log of whole orders. */
export function sumOfVersions(events: number): number {
  return (events / eventsPerOrder) * ((eventsPerOrder * (eventsPerOrder + 1)) / 2);
}
