/** How many events a batch takes: as many as fit into a quarter of a second, so that a stop is never waited for long. */

const smallest = 50;
/** More gains nothing: the batch outlives the young generation of the heap, and collecting it takes the time. */
const largest = 2_000;
const start = 1_000;
const tooShortMs = 100;
const tooLongMs = 400;

export class Pace {
  readonly #isFixed: boolean;
  #size: number;

  /** @param fixed a size that is kept whatever it takes */
  constructor(fixed?: number) {
    this.#isFixed = fixed !== undefined;
    this.#size = fixed ?? start;
  }

  get size(): number {
    return this.#size;
  }

  /** What a batch of so many events took. */
  record(events: number, elapsedMs: number): void {
    if (this.#isFixed) return;
    if (elapsedMs > tooLongMs) this.#size = Math.max(smallest, Math.floor(this.#size / 2));
    else if (elapsedMs < tooShortMs && events >= this.#size) this.#size = Math.min(largest, this.#size * 2);
  }
}
