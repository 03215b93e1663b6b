/** Adds up, slice by slice, what one cursor should have been given. */
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

  /** The slice of the log after `from` up to `upTo`, or what of it the cursor has passed. */
  async add(log: EventLog, from: number, upTo: number): Promise<void> {
    const after = Math.max(from, this.#audit.after);
    const to = Math.min(upTo, this.cursor.position);
    if (after >= to) return;
    const { events, idSum } = await log.tally({ after, to }, this.#audit.filter);
    this.#events += events;
    this.#idSum += idSum;
  }
}
