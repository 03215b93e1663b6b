/** What happens to a runner, for whoever watches it. */
import type { EvstoreError } from '../../domain/errors.js';

/** What a runner has to tell, each change of state once. */
export type RunNews = {
  /** With its part, when the work is divided: `NAME#2/3`. */
  readonly projection: string;
} & (
  | { readonly kind: 'leading'; readonly position: number }
  /** Somebody else has the lease. */
  | { readonly kind: 'standby'; readonly owner: string }
  /** Somebody else took the lease, or moved the checkpoint: nothing of the batch was written. */
  | { readonly kind: 'superseded' }
  /** The tables are of an older version than the code: it takes over when they have been rebuilt. */
  | { readonly kind: 'waiting'; readonly registered: number; readonly code: number }
  /** The tables it worked on were exchanged for those of another version: it is done. */
  | { readonly kind: 'outdated'; readonly registered: number; readonly code: number }
  /** The work is shared among so many parts from now on; 1 is the whole. */
  | { readonly kind: 'divided'; readonly parts: number }
  | { readonly kind: 'progress'; readonly position: number; readonly events: number; readonly perSecond: number }
  /** The code changed under the same version. */
  | { readonly kind: 'stale code' }
  | { readonly kind: 'disconnected'; readonly error: EvstoreError }
  | { readonly kind: 'reconnected' }
  | { readonly kind: 'failed'; readonly error: EvstoreError }
);
