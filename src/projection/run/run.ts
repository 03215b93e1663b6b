/** Runs projections side by side in one process; one that fails or waits does not stop the others. */
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { PreparedProjection } from '../define/prepare.js';
import { HeadWatch } from './head-watch.js';
import type { RunOptions, RunResult } from './run-options.js';
import { Runner } from './runner.js';

/** Returns a result for each of `projections`, in their order. The failure of one is its `error`; it is not thrown. */
export async function runProjections(options: RunOptions): Promise<readonly RunResult[]> {
  await options.store.schema.assertGuards();
  const end = options.once ? (await options.store.log.head()).safeHead : Number.MAX_SAFE_INTEGER;
  const watch = new HeadWatch(options.store.log);
  return Promise.all(options.projections.map((each) => runProjection(each, new Runner(options, each, watch, end))));

  async function runProjection({ version }: PreparedProjection, runner: Runner): Promise<RunResult> {
    const { name } = runner;
    let error: EvstoreError | null = null;
    try {
      await runner.run();
    } catch (thrown) {
      error = isEvstoreError(thrown)
        ? thrown
        : new EvstoreError('E_BUG', `projection ${name} stopped: ${String(thrown)}`, { cause: thrown });
      options.report({ kind: 'failed', projection: name, error });
    }
    const { position, events, aside, stopped } = runner;
    return { name, version, position, events, aside, error, stopped };
  }
}
