/** Looks at the events of a log: at each of them where that is cheap or asked for, otherwise at a few in many places. */
import type { PositionRange, SampledEvent, Store } from '../store/store.js';

export interface CensusOptions {
  /** Look at every event, whatever it takes. */
  readonly exact: boolean;
  /** Position to begin after. Default 0. */
  readonly after?: number;
  /** Told after every part of the log that was read. */
  readonly progress: (position: number, head: number) => void;
  /** @throws its reason when it aborts */
  readonly signal: AbortSignal;
}

export interface Census {
  /** The last position that was looked at, or estimated for. */
  readonly head: number;
  /** How many events each one that was seen stands for: 1 when all were seen. */
  readonly weight: number;
  readonly isEstimated: boolean;
  /** The number of events that were seen. */
  readonly seen: number;
}

/** A log of fewer positions is read to its end: it takes less than a tenth of a second. */
const fewPositions = 50_000;
const sliceLength = 20_000;
/** Many places rather than many events at one place, because neighbours resemble each other. */
const places = 500;
const placeLength = 20;

/** @param see gets the events by position, and keeps what it needs of them */
export async function takeCensus(
  { log, statistics }: Pick<Store, 'log' | 'statistics'>,
  see: (events: readonly SampledEvent[]) => void,
  { exact, after = 0, progress, signal }: CensusOptions,
): Promise<Census> {
  const { safeHead: head } = await log.head();
  let seen = 0;
  const look = async (ranges: readonly PositionRange[]) => {
    signal.throwIfAborted();
    const events = await statistics.sample(ranges);
    seen += events.length;
    see(events);
  };
  if (exact || head - after <= fewPositions) {
    for (let from = after; from < head; from += sliceLength) {
      await look([{ after: from, to: Math.min(from + sliceLength, head) }]);
      progress(Math.min(from + sliceLength, head), head);
    }
    return { head, weight: 1, isEstimated: false, seen };
  }
  await look(choosePlaces(after, head));
  return { head, weight: (head - after) / (places * placeLength), isEstimated: true, seen };
}

/**
 * Returns one place in each of as many equal parts of the log. Where in its part varies, so that a log which repeats itself
 * shows all of its period, and is the same each time, so that two estimates of one log are the same.
 */
export function choosePlaces(after: number, head: number): readonly PositionRange[] {
  const step = (head - after) / places;
  if (step <= placeLength) return [{ after, to: head }];
  return Array.from({ length: places }, (_, index) => {
    const from = Math.floor(after + index * step + fraction(index) * (step - placeLength));
    return { after: from, to: from + placeLength };
  });
}

/** From 0 to 1, evenly spread: multiples of the golden ratio. */
function fraction(index: number): number {
  return (index * 0.618_033_988_749_895) % 1;
}
