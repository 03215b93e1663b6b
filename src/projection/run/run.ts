/** Runs projections side by side in one process; one that fails or waits does not stop the others. */
import { HeadWatch } from './head-watch.js';
import type { RunOptions, RunResult } from './run-options.js';
import { Runner } from './runner.js';

/** Returns a result for each of `projections`, in their order. The failure of one is its `error`; it is not thrown. */
export async function runProjections(options: RunOptions): Promise<readonly RunResult[]> {
  await options.store.schema.assertGuards();
  const end = options.once ? (await options.store.log.head()).safeHead : Number.MAX_SAFE_INTEGER;
  const watch = new HeadWatch(options.store.log);
  return Promise.all(options.projections.map((each) => new Runner(options, each, watch, end).run()));
}
