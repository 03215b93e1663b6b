/** Work in slices, so that timers, signals and connections get their turn. */
import { setImmediate } from 'node:timers/promises';

/** What a connection gets ready in the meantime is no more than its buffers hold. */
const sliceMs = 1;
/** Looking at the clock takes longer than a light handler: then it is looked at once in so many times. */
const asksPerLook = 4;
const lightMs = 0.5;

export class Slices {
  #looked = performance.now();
  #end = this.#looked + sliceMs;
  #asksToLook = 1;

  get isOver(): boolean {
    this.#asksToLook -= 1;
    if (this.#asksToLook > 0) return false;
    const now = performance.now();
    this.#asksToLook = now - this.#looked < lightMs ? asksPerLook : 1;
    this.#looked = now;
    return now >= this.#end;
  }

  async next(): Promise<void> {
    await setImmediate();
    this.#looked = performance.now();
    this.#end = this.#looked + sliceMs;
    this.#asksToLook = 1;
  }
}
