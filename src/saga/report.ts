/** What a run of sagas takes, and what it reports. */
import type { EvstoreError } from '../domain/errors.js';
import type { Store } from '../store/store.js';
import type { Saga } from './definition.js';

export interface SagaRun {
  readonly store: Store;
  readonly sagas: readonly Saga[];
  /** Stop when every trigger up to the safe head seen at the start is handled, instead of following the log. */
  readonly once: boolean;
  /** Once aborted, no act begins; acts that run are finished and recorded. */
  readonly signal: AbortSignal;
  /** Recorded as the owner of the leases, e.g. `host:pid`. */
  readonly owner: string;
  readonly report?: (news: SagaNews) => void;
}

/** What a run reports while it works. */
export type SagaNews =
  | {
      readonly kind: 'ended';
      readonly saga: string;
      readonly instance: string;
      readonly phase: EndPhase;
      /** Of the compensation that keeps failing, or why it was compensated; null when it completed. */
      readonly error: string | null;
    }
  /** An instance this code cannot drive: another version started it. */
  | { readonly kind: 'left'; readonly saga: string; readonly instance: string; readonly why: string }
  /** Another process runs the saga; this one waits for it. */
  | { readonly kind: 'waiting'; readonly saga: string; readonly owner: string }
  /** The connection or the lease was lost; the run starts again at its checkpoint. */
  | { readonly kind: 'interrupted'; readonly saga: string; readonly error: EvstoreError }
  | { readonly kind: 'failed'; readonly saga: string; readonly error: EvstoreError };

export type EndPhase = 'completed' | 'compensated' | 'failed' | 'compensation-failed';

/** What a run did for one saga. */
export interface SagaReport {
  readonly saga: string;
  /** Every instance whose trigger is at or below this position has ended. */
  readonly position: number;
  /** Instances this run drove to their end. */
  readonly ended: Readonly<Record<EndPhase, number>>;
  /** Instances that this code cannot drive. */
  readonly left: number;
  /** What stopped it; null when it was told to stop or reached its end. */
  readonly error: EvstoreError | null;
}

export const noEnds: Readonly<Record<EndPhase, number>> = {
  completed: 0,
  compensated: 0,
  failed: 0,
  'compensation-failed': 0,
};
