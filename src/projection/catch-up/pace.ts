/**
 * How many events a batch takes: as many as fit into a quarter of a second, so that a stop is never waited for long, and
 * into a few megabytes, because a batch is held in memory and the next one beside it.
 */
import type { RecordedEvent } from '../../domain/event.js';

const smallest = 50;
/** More gains nothing: the batch outlives the young generation of the heap, and collecting it takes the time. */
const largest = 2_000;
const start = 1_000;
const tooShortMs = 100;
const tooLongMs = 400;
/** Characters of data and metadata in a batch. */
const tooLarge = 4 * 1024 * 1024;

export class Pace {
  readonly #isFixed: boolean;
  readonly #most: number;
  #size: number;

  /**
   * @param fixed a size that is kept whatever it takes
   * @param readers a batch lives until the last of them has folded it
   */
  constructor(fixed?: number, readers = 1) {
    this.#isFixed = fixed !== undefined;
    this.#most = Math.max(smallest, Math.floor(largest / readers));
    this.#size = fixed ?? Math.min(start, this.#most);
  }

  get size(): number {
    return this.#size;
  }

  /** How long a batch took. */
  record(events: readonly Pick<RecordedEvent, 'data' | 'metadata'>[], elapsedMs: number): void {
    if (this.#isFixed || events.length === 0) return;
    const characters = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
    const roomFor = Math.max(1, Math.floor((tooLarge * events.length) / characters));
    if (elapsedMs > tooLongMs) this.#size = Math.min(roomFor, Math.max(smallest, Math.floor(this.#size / 2)));
    else if (events.length >= this.#size && (elapsedMs < tooShortMs || roomFor < this.#size)) {
      this.#size = Math.min(this.#most, roomFor, this.#size * 2);
    }
  }
}
