/** Runs sagas: what `evstore run` calls. */
import { EvstoreError } from '../domain/errors.js';
import type { Store } from '../store/store.js';
import { checkSaga } from './check.js';
import type { Saga } from './definition.js';
import { runSaga } from './run-saga.js';

export interface SagaRun {
  readonly store: Store;
  readonly sagas: readonly Saga[];
  /** Stop when every trigger up to the safe head seen at the start is handled, instead of following the log. */
  readonly once: boolean;
  /** Once aborted no act is begun; those that run are finished and recorded. */
  readonly signal: AbortSignal;
  /** Who holds the leases, printed to others; `host:pid` for example. */
  readonly owner: string;
  readonly report?: (news: SagaNews) => void;
}

/** What a run has to tell about one instance. */
export type SagaNews =
  | { readonly kind: 'ended'; readonly saga: string; readonly instance: string; readonly phase: EndPhase }
  /** An instance this code cannot drive: another version started it. */
  | { readonly kind: 'left'; readonly saga: string; readonly instance: string; readonly why: string }
  /** Another process runs the saga; this one waits for it. */
  | { readonly kind: 'waiting'; readonly saga: string; readonly owner: string };

export type EndPhase = 'completed' | 'compensated' | 'failed' | 'compensation-failed';

/** What one saga did in a run. */
export interface SagaReport {
  readonly saga: string;
  /** Every instance with a trigger at or below has ended. */
  readonly position: number;
  /** Instances this run drove to their end. */
  readonly ended: Readonly<Record<EndPhase, number>>;
  /** Instances that this code cannot drive. */
  readonly left: number;
}

/**
 * All of them at the same time; the first that fails stops the others.
 * @throws E_LOCK_HELD with `once` when another process runs one of them, E_HANDLER when an `id` function throws
 */
export async function runSagas(run: SagaRun): Promise<readonly SagaReport[]> {
  const names = run.sagas.map((saga) => checkSaga(saga).name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new EvstoreError('E_CONFIG', `two sagas are called ${twice}`);
  const failure = new AbortController();
  const signal = AbortSignal.any([run.signal, failure.signal]);
  const runs = run.sagas.map((saga) =>
    runSaga(saga, { ...run, signal }).catch((error: unknown) => {
      failure.abort();
      throw error;
    }),
  );
  const settled = await Promise.allSettled(runs);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
