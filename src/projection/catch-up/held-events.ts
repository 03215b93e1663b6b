import { addTallies, type Tally, tallyIds } from '../../domain/audit.js';
import type { RecordedEvent } from '../../domain/event.js';
import type { SetAside } from '../../store/store.js';

/** Events that were folded, parked or skipped, up to a position. */
export interface Handled {
  readonly upTo: number;
  /** Of all events that were delivered. */
  readonly tally: Tally;
  /** Null when no event was delivered. */
  readonly lastEventId: string | null;
  /** Those that were parked or skipped. */
  readonly aside: readonly SetAside[];
}

export function toHandled(
  events: readonly Pick<RecordedEvent, 'id'>[],
  upTo: number,
  aside: readonly SetAside[],
): Handled {
  return { upTo, tally: tallyIds(events.map(({ id }) => id)), lastEventId: events.at(-1)?.id ?? null, aside };
}

/** A stop or a kill loses at most this much work. */
const longestMs = 1_000;
/** The tally adds up the last 32 bits of their ids, which must stay below 2^53. */
const mostEvents = 1_000_000;
const mostAside = 10_000;

/** Batches that wait to be written together, so that a row that changes often is written once. */
export class HeldEvents implements Handled {
  readonly #since = performance.now();
  readonly #aside: SetAside[] = [];
  upTo: number;
  tally = tallyIds([]);
  lastEventId: string | null = null;

  constructor(position: number) {
    this.upTo = position;
  }

  get aside(): readonly SetAside[] {
    return this.#aside;
  }

  /** True when they have waited long enough, or are too many. */
  get isDue(): boolean {
    if (this.#aside.length >= mostAside || this.tally.events >= mostEvents) return true;
    return performance.now() - this.#since >= longestMs;
  }

  add({ upTo, tally, lastEventId, aside }: Handled): void {
    this.upTo = upTo;
    this.tally = addTallies(this.tally, tally);
    this.lastEventId = lastEventId ?? this.lastEventId;
    this.#aside.push(...aside);
  }
}
