/** Finds the event a cursor skipped: when it is only one, the difference of the sums is the end of its id. */
import type { Tally } from '../domain/audit.js';
import type { RecordedEvent } from '../domain/event.js';
import type { Cursor, EventLog } from '../store/store.js';

/** Returns undefined when more than one was skipped: their sum identifies none of them. */
export async function findSkipped(
  log: EventLog,
  { audit, position: to }: Cursor,
  there: Tally,
): Promise<RecordedEvent | undefined> {
  if (audit === null) return undefined;
  const { filter, after, events, idSum } = audit;
  if (there.events !== events + 1 || there.idSum < idSum) return undefined;
  const end = (there.idSum - idSum).toString(16).padStart(8, '0');
  for await (const batch of log.readAll({ ...filter, after, to })) {
    const found = batch.events.find(({ id }) => id.endsWith(end));
    if (found !== undefined) return found;
  }
  return undefined;
}
