/** Waits for appends once for all followers in a process. */
import type { EventLog } from '../../store/store.js';

interface Waiter {
  readonly after: number;
}

interface Poll {
  /** The lowest position that a follower waited for when it began. */
  readonly after: number;
  readonly safeHead: Promise<number>;
  readonly stop: AbortController;
}

export class HeadWatch {
  readonly #log: EventLog;
  readonly #waiters = new Set<Waiter>();
  #poll: Poll | undefined;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Returns when the safe head is beyond `after`, after `timeoutMs` or a little more, or when the signal aborts. */
  async wait(after: number, { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal }): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const waiter = { after };
    this.#waiters.add(waiter);
    let abort = () => {};
    const aborted = new Promise<number>((resolve) => {
      abort = () => resolve(0);
    });
    signal.addEventListener('abort', abort, { once: true });
    try {
      while (!signal.aborted && performance.now() < deadline) {
        if ((await Promise.race([this.#look(timeoutMs), aborted])) > after) return;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      this.#waiters.delete(waiter);
      if (this.#waiters.size === 0) this.#poll?.stop.abort();
    }
  }

  /** Resolves to the safe head once it is beyond the waiter that is furthest behind. */
  #look(timeoutMs: number): Promise<number> {
    const after = Math.min(...[...this.#waiters].map((waiter) => waiter.after));
    if (this.#poll !== undefined && !this.#poll.stop.signal.aborted) {
      if (this.#poll.after <= after) return this.#poll.safeHead;
      // Its waiters return here and join the next poll.
      this.#poll.stop.abort();
    }
    const stop = new AbortController();
    const safeHead = this.#log.waitForAppend(after, { timeoutMs, signal: stop.signal });
    const poll: Poll = { after, safeHead, stop };
    const end = () => {
      if (this.#poll === poll) this.#poll = undefined;
    };
    // All waiters may have left by the time it fails.
    safeHead.then(end, end);
    this.#poll = poll;
    return safeHead;
  }
}
