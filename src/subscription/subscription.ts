/** What reads the log under one name, and what it gets. */
import type { EventQuery, RecordedEvent } from '../domain/event.js';
import type { SetAside, Store } from '../store/store.js';

export interface Subscription {
  readonly store: Store;
  /** Its row of `subscription_checkpoints`. */
  readonly id: string;
  /** Of the code, from 1. */
  readonly version: number;
  /** Which events it gets. */
  readonly filter: EventQuery;
  /** Stop at the safe head seen at the start, instead of following the log. */
  readonly once: boolean;
  /** Where it begins when it has never run: a position, or the safe head of that moment. Default 0. */
  readonly begin?: number | 'end' | undefined;
  /** The most events in a batch. */
  readonly batchSize?: number | undefined;
  /** Recorded as the owner of the lease, e.g. `host:pid`. */
  readonly owner: string;
  /** Once aborted, no batch follows. */
  readonly signal: AbortSignal;
  /** Called for each process that has the lease and is waited for. */
  readonly tellWaiting?: ((owner: string) => void) | undefined;
  /** Called when the lease is held. */
  readonly tellRunning?: (() => void) | undefined;
}

/** Events in the order of the log. The next batch is read when this one is acknowledged. */
export interface Batch {
  readonly events: readonly RecordedEvent[];
  readonly upTo: number;
  /** These are the last events of the log for now. */
  readonly caughtUp: boolean;
  /** Aborts when the subscription ends, and with E_SUPERSEDED when another process takes its lease. */
  readonly signal: AbortSignal;
  /**
   * Moves the checkpoint past the batch, and records parked events with it. Does nothing when it is there already.
   * @throws E_SUPERSEDED when another process has the lease, or the checkpoint was moved by hand
   */
  acknowledge(aside?: readonly SetAside[]): Promise<void>;
  /** Moves the checkpoint past the first events only: up to this position. */
  acknowledgeUpTo(position: number, aside?: readonly SetAside[]): Promise<void>;
}
