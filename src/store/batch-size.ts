/** How many events to read at once: what is asked for, but no more than fit a few megabytes if they are as large as the last ones. */
import type { RecordedEvent } from '../domain/event.js';

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

  /** The events that were read at that size. */
  record(events: readonly RecordedEvent[]): void {
    if (events.length === 0) return;
    let characters = 1;
    for (const { data, metadata } of events) characters += data.length + metadata.length;
    const fitting = Math.max(1, Math.floor((charactersAtOnce * events.length) / characters));
    this.#size = Math.min(this.#most, fitting, this.#size * growth);
  }
}
