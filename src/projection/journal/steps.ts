/** The steps of a rebuild: how far it is, and how long each took. */

export type RebuildStep = 'create' | 'fill' | 'catch-up' | 'index' | 'verify' | 'swap';

/** A step that was taken by this process, whether or not it went well. */
export interface StepTaken {
  readonly step: RebuildStep;
  readonly ms: number;
  /** Events folded in it. */
  readonly events: number;
}

/** How far a rebuild is. Positions are global positions. */
export interface RebuildProgress {
  /** Several while they share a pass. */
  readonly projections: readonly string[];
  /** `outrun`: events are written as fast as they are read, so a round of catching up gained nothing. */
  readonly phase: RebuildStep | 'outrun';
  readonly position: number;
  readonly target: number;
  /** Events folded so far by this process. */
  readonly events: number;
}

/** Measures the steps of one rebuild. Times of a step that is repeated, such as a round of catching up, add up. */
export class StepClock {
  readonly #taken = new Map<RebuildStep, StepTaken>();
  readonly #events: () => number;

  /** @param events returns the number folded so far */
  constructor(events: () => number) {
    this.#events = events;
  }

  /** Returns a function that ends the step. */
  start(step: RebuildStep): () => void {
    const startedAt = performance.now();
    const before = this.#events();
    return () => {
      const { ms = 0, events = 0 } = this.#taken.get(step) ?? {};
      const elapsed = performance.now() - startedAt;
      this.#taken.set(step, { step, ms: ms + elapsed, events: events + this.#events() - before });
    };
  }

  async time<T>(step: RebuildStep, work: () => Promise<T>): Promise<T> {
    const end = this.start(step);
    try {
      return await work();
    } finally {
      end();
    }
  }

  /** In the order they ended; whole milliseconds. */
  get taken(): readonly StepTaken[] {
    return [...this.#taken.values()].map((each) => ({ ...each, ms: Math.round(each.ms) }));
  }
}
