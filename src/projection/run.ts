/** Runs projections side by side in one process; one that fails or waits does not hold the others up. */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { Store } from '../store/store.js';
import type { PreparedProjection } from './prepare.js';
import { type RunNews, Runner } from './runner.js';

export interface RunOptions {
  readonly store: Store;
  readonly projections: readonly PreparedProjection[];
  /** Shown to others who want the lease, e.g. `host:1234`. */
  readonly owner: string;
  /** Stop at the safe head as it is at the start. */
  readonly once: boolean;
  /** Events a batch; adaptive unless said. */
  readonly batchSize?: number | undefined;
  /** How long a lease lasts without a heartbeat, in milliseconds. Default 10,000. */
  readonly ttlMs?: number;
  /** Aborted: the batch under way ends or is dropped, the lease is released. */
  readonly signal: AbortSignal;
  readonly report: (news: RunNews) => void;
}

/** How one projection's run ended. */
export interface RunResult {
  readonly name: string;
  readonly version: number;
  /** Everything up to here is in the read model. */
  readonly position: number;
  /** Events this process applied. */
  readonly events: number;
  /** What stopped it; null when it was told to stop or reached its end. */
  readonly error: EvstoreError | null;
}

/** In the order of `projections`. Never throws for one projection's sake: see `error`. */
export async function runProjections(options: RunOptions): Promise<readonly RunResult[]> {
  await options.store.schema.assertGuards();
  const end = options.once ? (await options.store.log.head()).safeHead : Number.MAX_SAFE_INTEGER;
  return Promise.all(options.projections.map((projection) => runProjection(options, projection, end)));
}

async function runProjection(options: RunOptions, projection: PreparedProjection, end: number): Promise<RunResult> {
  const { name, version } = projection;
  const runner = new Runner(options, projection, end);
  let error: EvstoreError | null = null;
  try {
    await runner.run();
  } catch (thrown) {
    error = isEvstoreError(thrown)
      ? thrown
      : new EvstoreError('E_BUG', `projection ${name} stopped: ${String(thrown)}`, { cause: thrown });
    options.report({ kind: 'failed', projection: name, error });
  }
  return { name, version, position: runner.position, events: runner.events, error };
}
