/** Runs sagas: what `evstore run` calls. */
import type { EvstoreError } from '../domain/errors.js';
import type { Store } from '../store/store.js';
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
  | { readonly kind: 'waiting'; readonly saga: string; readonly owner: string }
  /** The connection or the lease was lost; it is tried again. */
  | { readonly kind: 'interrupted'; readonly saga: string; readonly error: EvstoreError }
  | { readonly kind: 'failed'; readonly saga: string; readonly error: EvstoreError };

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
  /** What stopped it; null when it was told to stop or reached its end. */
  readonly error: EvstoreError | null;
}

/**
 * All of them side by side. Never throws for one saga's sake: see `error`, which is E_LOCK_HELD with `once` when another
 * process runs the saga, E_HANDLER when its `id` function throws, E_SUPERSEDED when its lease was lost.
 */
export async function runSagas(run: SagaRun): Promise<readonly SagaReport[]> {
  await run.store.schema.assertGuards();
  return Promise.all(run.sagas.map((saga) => runSaga(saga, run)));
}
