/** Work in slices, so that timers and signals get their turn. */
import { setImmediate } from 'node:timers/promises';

const sliceMs = 30;

export class Slices {
  #end = performance.now() + sliceMs;

  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  async next(): Promise<void> {
    await setImmediate();
    this.#end = performance.now() + sliceMs;
  }
}
