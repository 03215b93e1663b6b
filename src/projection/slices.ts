/** Work in slices, so that timers and signals get their turn. */
import { setImmediate } from 'node:timers/promises';

const sliceMs = 3;
/** The clock is looked at once in so many times: looking takes longer than a light handler. */
const asksPerLook = 4;

export class Slices {
  #end = performance.now() + sliceMs;
  #asked = 0;

  get isOver(): boolean {
    this.#asked += 1;
    return this.#asked % asksPerLook === 0 && performance.now() >= this.#end;
  }

  async next(): Promise<void> {
    await setImmediate();
    this.#end = performance.now() + sliceMs;
  }
}
