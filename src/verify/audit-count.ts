/** Adds up, slice by slice, the events one cursor should have seen. */
import type { Audit, Tally } from '../domain/audit.js';
import type { Cursor, EventLog } from '../store/store.js';

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
