/** Runs projections side by side in one process; one that fails or waits does not hold the others up. */
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { Part } from '../../domain/parts.js';
import type { Store } from '../../store/store.js';
import type { ErrorHandling } from '../catch-up/error-policy.js';
import type { PreparedProjection } from '../define/prepare.js';
import { HeadWatch } from './head-watch.js';
import type { RunNews } from './news.js';
import { Runner } from './runner.js';

export interface RunOptions extends ErrorHandling {
  readonly store: Store;
  readonly projections: readonly PreparedProjection[];
  /** Shown to others who want the lease, e.g. `host:1234`. */
  readonly owner: string;
  /** Stop at the safe head as it is at the start. */
  readonly once: boolean;
  /** Which part of each projection's work this process does; all of it unless said. */
  readonly part?: Part | undefined;
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
  /** With its part, when the work is divided: `NAME#2/3`. */
  readonly name: string;
  readonly version: number;
  /** Everything up to here is in the read model. */
  readonly position: number;
  /** Events this process applied. */
  readonly events: number;
  /** Events this process put aside. */
  readonly aside: number;
  /** What stopped it; null when it was told to stop or reached its end. */
  readonly error: EvstoreError | null;
  /** `superseded`: the tables were exchanged for those of another version while it ran. */
  readonly stopped: 'superseded' | null;
}

/** In the order of `projections`. Never throws for one projection's sake: see `error`. */
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
