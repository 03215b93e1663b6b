/** Chooses how many events to read at once: as many as wanted, but only a few megabytes, judging by the last ones. */

const firstSize = 1_000;
const charactersAtOnce = 4_194_304;
const growth = 8;

export class BatchSize {
  readonly #most: number;
  #size: number;

  constructor(most: number) {
    this.#most = most;
    this.#size = Math.min(most, firstSize);
  }

  get size(): number {
    return this.#size;
  }

  /** @param characters in all the events of the last batch */
  record(events: number, characters: number): void {
    if (events === 0) return;
    const fitting = Math.max(1, Math.floor((charactersAtOnce * events) / Math.max(1, characters)));
    this.#size = Math.min(this.#most, fitting, this.#size * growth);
  }
}
