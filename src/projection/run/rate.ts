/** Measures events per second over the last few seconds. */
export class Rate {
  readonly #windowMs: number;
  #samples: { readonly at: number; readonly events: number }[] = [];

  constructor(windowMs = 10_000) {
    this.#windowMs = windowMs;
  }

  record(events: number, now = performance.now()): void {
    this.#samples.push({ at: now, events });
    if (this.#samples.length > 1_000) this.#trim(now);
  }

  /** Returns 0 when there were no events lately. */
  perSecond(now = performance.now()): number {
    this.#trim(now);
    const first = this.#samples[0];
    if (first === undefined) return 0;
    const events = this.#samples.reduce((sum, sample) => sum + sample.events, 0);
    return (events / Math.max(now - first.at, 1_000)) * 1_000;
  }

  #trim(now: number): void {
    this.#samples = this.#samples.filter(({ at }) => now - at <= this.#windowMs);
  }
}
