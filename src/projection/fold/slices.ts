/** Splits long work into slices, so that timers, signals and connections are served in between. */
import { setImmediate } from 'node:timers/promises';

/** Short, because the buffers of a connection hold little more than it receives in this time. */
const sliceMs = 1;
/** Reading the clock takes longer than a light handler, so for light work it is read only every few times. */
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
