/** Pauses between attempts that grow, and differ between processes. */
import { setTimeout } from 'node:timers/promises';

export class BackOff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  #attempts = 0;

  constructor(firstMs: number, longestMs: number) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** Waits half to all of a time that doubles with each attempt; ends early when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const fullMs = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    await pause(fullMs * (0.5 + Math.random() / 2), signal);
  }

  reset(): void {
    this.#attempts = 0;
  }
}

/** Ends early when the signal aborts; never throws. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, signal && { signal }).catch(() => undefined);
}
