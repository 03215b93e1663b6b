/**
 * Reads the log in batches of a size the work keeps up with: about a quarter of a second of work, so that a stop does not
 * wait long, and a few megabytes, because a batch is in memory together with the next one.
 */
import type { EventBatch, EventFilter, RecordedEvent } from '../../domain/event.js';
import { readAhead } from '../../store/shared/read-ahead.js';
import type { EventLog } from '../../store/store.js';

const smallest = 50;
/** Larger ones are not faster: they outlive the young generation of the heap, and collecting them takes the time. */
const largest = 2_000;
const start = 1_000;
const tooShortMs = 100;
const tooLongMs = 400;
const usualMs = 250;
const firstPortion = 20;
/** Times the portion before: one that happened to be light says little. */
const fastestGrowth = 10;
/** Characters of data and metadata in a batch. */
const tooLarge = 4 * 1024 * 1024;

export class Pace {
  readonly #isFixed: boolean;
  readonly #most: number;
  #size: number;

  /**
   * @param fixed a size to keep, however long a batch takes
   * @param readers how many folds share a batch: it stays in memory until the last one has folded it
   */
  constructor(fixed?: number, readers = 1) {
    this.#isFixed = fixed !== undefined;
    this.#most = Math.max(smallest, Math.floor(largest / readers));
    this.#size = fixed ?? Math.min(start, this.#most);
  }

  get size(): number {
    return this.#size;
  }

  /** Adjusts the size to how long a batch took. */
  record(events: readonly Pick<RecordedEvent, 'data' | 'metadata'>[], elapsedMs: number): void {
    if (this.#isFixed || events.length === 0) return;
    const characters = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
    const roomFor = Math.max(1, Math.floor((tooLarge * events.length) / characters));
    if (elapsedMs > tooLongMs) {
      const inTime = Math.floor((events.length * usualMs) / elapsedMs);
      this.#size = Math.min(roomFor, Math.max(smallest, Math.min(inTime, Math.floor(this.#size / 2))));
    } else if (events.length >= this.#size && (elapsedMs < tooShortMs || roomFor < this.#size)) {
      this.#size = Math.min(this.#most, roomFor, this.#size * 2);
    }
  }
}

/**
 * Splits batches into portions of about a quarter of a second of work. How long the work takes is not known before it is
 * done, so the first portion is small.
 */
export class Portions {
  #size = firstPortion;

  *split({ events, upTo }: EventBatch): Generator<EventBatch> {
    let start = 0;
    for (let end = this.#size; end < events.length; end = start + this.#size) {
      const portion = events.slice(start, end);
      yield { events: portion, upTo: portion.at(-1)?.globalPosition ?? upTo };
      start = end;
    }
    yield { events: start === 0 ? events : events.slice(start), upTo };
  }

  /** Adjusts the size of the next portions to how long one took. */
  record(events: number, elapsedMs: number): void {
    if (events === 0) return;
    const inTime = Math.floor((events * usualMs) / elapsedMs);
    this.#size = Math.max(1, Math.min(inTime, this.#size * fastestGrowth));
  }
}

/**
 * Reads each matching event from `after` (exclusive) to `to`, or to the safe head if that is lower. When the size changes,
 * batches that were read ahead with the old one are delivered first.
 */
export async function* readPaced(
  log: EventLog,
  filter: EventFilter,
  after: number,
  to: number,
  pace: Pace,
): AsyncGenerator<EventBatch> {
  let reached = after;
  while (reached < to) {
    const batchSize = pace.size;
    let isCut = false;
    const isEnough = () => {
      isCut ||= pace.size !== batchSize;
      return isCut;
    };
    for await (const batch of readAhead(log.readAll({ ...filter, after: reached, to, batchSize }), isEnough)) {
      reached = batch.upTo;
      yield batch;
    }
    if (!isCut) return;
  }
}
