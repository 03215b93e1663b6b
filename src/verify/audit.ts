/** Audits what a cursor has seen against the log. */
import type { Audit, Tally } from '../domain/audit.js';
import type { RecordedEvent } from '../domain/event.js';
import type { Cursor, EventLog } from '../store/store.js';

/** Adds up, slice by slice, the events one cursor should have seen. */
export class AuditCount {
  readonly cursor: Cursor;
  readonly #audit: Audit;
  #events = 0;
  #idSum = 0n;

  constructor(cursor: Cursor, audit: Audit) {
    this.cursor = cursor;
    this.#audit = audit;
  }

  get tally(): Tally {
    return { events: this.#events, idSum: this.#idSum };
  }

  /** Adds the slice of the log after `from` up to `upTo`, as far as the cursor has passed it. */
  async add(log: EventLog, from: number, upTo: number): Promise<void> {
    const after = Math.max(from, this.#audit.after);
    const to = Math.min(upTo, this.cursor.position);
    if (after >= to) return;
    const { events, idSum } = await log.tally({ after, to }, this.#audit.filter);
    this.#events += events;
    this.#idSum += idSum;
  }
}

/**
 * Finds the event a cursor skipped: if it is only one, the difference of the sums is the end of its id. Undefined when
 * there are more.
 */
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
