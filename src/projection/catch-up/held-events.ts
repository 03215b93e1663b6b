/**
 * What has been folded and waits to be written with what comes after it, so that a row that changes often is written once.
 */
import { addTallies, type Tally, tallyIds } from '../../domain/audit.js';
import type { SetAside } from '../../store/store.js';

/** Events as the handlers left them. */
export interface Handled {
  readonly upTo: number;
  /** Of everything that was delivered, what was put aside included. */
  readonly tally: Tally;
  /** Null when nothing was delivered. */
  readonly lastEventId: string | null;
  readonly aside: readonly SetAside[];
}

/** A stop, or a kill, costs at most so much work. */
const longestMs = 1_000;
/** The last 32 bits of their ids are added up in 2^53. */
const mostEvents = 1_000_000;
const mostAside = 10_000;

export class HeldEvents implements Handled {
  readonly #since = performance.now();
  readonly #aside: SetAside[] = [];
  #upTo: number;
  #tally = tallyIds([]);
  #lastEventId: string | null = null;

  constructor(position: number) {
    this.#upTo = position;
  }

  get upTo(): number {
    return this.#upTo;
  }

  get tally(): Tally {
    return this.#tally;
  }

  get lastEventId(): string | null {
    return this.#lastEventId;
  }

  get aside(): readonly SetAside[] {
    return this.#aside;
  }

  /** They have waited long enough, or there are too many. */
  get isDue(): boolean {
    if (this.#aside.length >= mostAside || this.#tally.events >= mostEvents) return true;
    return performance.now() - this.#since >= longestMs;
  }

  add({ upTo, tally, lastEventId, aside }: Handled): void {
    this.#upTo = upTo;
    this.#tally = addTallies(this.#tally, tally);
    this.#lastEventId = lastEventId ?? this.#lastEventId;
    this.#aside.push(...aside);
  }
}
