/** The steps of a rebuild: how far one is, and what each took. */

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
  /** Whom it is about: several while they share a pass. */
  readonly projections: readonly string[];
  /** `outrun`: writers are as fast as the rebuild, and a round of catching up has gained nothing. */
  readonly phase: RebuildStep | 'outrun';
  readonly position: number;
  readonly target: number;
  /** Events folded so far by this process. */
  readonly events: number;
}

/** Measures the steps of one rebuild; a step that is taken again, as each round of catching up, is added up. */
export class StepClock {
  readonly #taken = new Map<RebuildStep, StepTaken>();
  readonly #events: () => number;

  /** @param events folded so far: asked when a step begins and when it ends */
  constructor(events: () => number) {
    this.#events = events;
  }

  /** @returns what ends the step */
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
