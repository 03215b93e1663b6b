/** What a run of reactions takes, and what it reports. */
import type { EvstoreError } from '../domain/errors.js';
import type { ErrorHandling } from '../projection/define/set-aside.js';
import type { Store } from '../store/store.js';
import type { Reaction } from './definition.js';

export interface ReactionRun extends ErrorHandling {
  readonly store: Store;
  readonly reactions: readonly Reaction[];
  /** Stop when every event up to the safe head seen at the start is handled, instead of following the log. */
  readonly once: boolean;
  /** Once aborted, no event is handled; `react` is told to stop, and its event is handled by the next run. */
  readonly signal: AbortSignal;
  /** The most events in a batch. */
  readonly batchSize?: number | undefined;
  /** Recorded as the owner of the leases, e.g. `host:pid`. */
  readonly owner: string;
  readonly report?: (news: ReactionNews) => void;
}

/** What a run reports while it works. */
export type ReactionNews =
  /** Another process runs the reaction; this one waits for it. */
  | { readonly kind: 'waiting'; readonly reaction: string; readonly owner: string }
  /** The connection or the lease was lost; the run starts again at its checkpoint. */
  | { readonly kind: 'interrupted'; readonly reaction: string; readonly error: EvstoreError }
  | { readonly kind: 'failed'; readonly reaction: string; readonly error: EvstoreError };

/** What a run did for one reaction. */
export interface ReactionReport {
  readonly reaction: string;
  readonly position: number;
  /** Events that it was called for. */
  readonly events: number;
  /** Events that it appended. */
  readonly appended: number;
  /** Events that were parked or skipped. */
  readonly aside: number;
  /** What stopped it; null when it was told to stop or reached its end. */
  readonly error: EvstoreError | null;
}
