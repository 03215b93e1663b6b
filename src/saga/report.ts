/** What a run of sagas takes, and what it reports. */
import type { EvstoreError } from '../domain/errors.js';
import type { EndPhase } from '../domain/saga-phase.js';
import type { ErrorHandling } from '../projection/define/set-aside.js';
import type { Store } from '../store/store.js';
import type { SagaDefinition } from './definition.js';

export interface SagaRun extends ErrorHandling {
  readonly store: Store;
  /** Several versions of one saga may be among them. */
  readonly sagas: readonly SagaDefinition[];
  /**
   * Stop when the log is read up to the safe head seen at the start, and no instance can move for now, instead of following
   * the log.
   */
  readonly once: boolean;
  /** Once aborted, no act begins, and acts that run are told to end. */
  readonly signal: AbortSignal;
  /** How long acts may take to end when the run is stopped. Default 5,000. */
  readonly graceMs?: number | undefined;
  /** Recorded as the owner of the leases, e.g. `host:pid`. */
  readonly owner: string;
  readonly report?: (news: SagaNews) => void;
}

/** How long acts may take to end, in milliseconds. */
export const defaultGraceMs = 5_000;

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
  /** Instances that this code cannot drive: another version started them, or their stream cannot be read. */
  | { readonly kind: 'left'; readonly saga: string; readonly instance: string; readonly why: string }
  | { readonly kind: 'missing code'; readonly saga: string; readonly version: number; readonly instances: number }
  /** Another process reads the log for the saga; this one drives instances all the same. */
  | { readonly kind: 'waiting'; readonly saga: string; readonly owner: string }
  /** The connection or the lease was lost; the run starts again at its checkpoint. */
  | { readonly kind: 'interrupted'; readonly saga: string; readonly error: EvstoreError }
  | { readonly kind: 'failed'; readonly saga: string; readonly error: EvstoreError };

/** What a run did for one saga. */
export interface SagaReport {
  readonly saga: string;
  /** Every event up to here started its instance, or was delivered to those that waited for it. */
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
