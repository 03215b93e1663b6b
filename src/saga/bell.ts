/** Wakes a loop that waits for a time. */
export class Bell {
  #wake: (() => void) | undefined;
  #isRung = false;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Returns when the bell was rung since the last wait, after the time, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, ms);
        const onAbort = () => wake();
        function wake() {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          resolve();
        }
        this.#wake = wake;
        signal.addEventListener('abort', onAbort, { once: true });
      });
    }
    this.#wake = undefined;
    this.#isRung = false;
  }
}
