/** What a run of projections is told, what it reports meanwhile, and what it returns. */
import type { EvstoreError } from '../../domain/errors.js';
import type { Part } from '../../domain/parts.js';
import type { Store } from '../../store/store.js';
import type { PreparedProjection } from '../define/prepare.js';
import type { ErrorHandling } from '../define/set-aside.js';

export interface RunOptions extends ErrorHandling {
  readonly store: Store;
  readonly projections: readonly PreparedProjection[];
  /** Shown to other processes that want the lease, e.g. `host:1234`. */
  readonly owner: string;
  /** Stops at the safe head of the moment it starts. */
  readonly once: boolean;
  /** The part of each projection's work that this process does; all of it unless set. */
  readonly part?: Part | undefined;
  /** Events in a batch; adapts to the work unless set. */
  readonly batchSize?: number | undefined;
  /** How long a lease lasts without a heartbeat, in milliseconds. Default 10,000. */
  readonly ttlMs?: number;
  /** Aborted: the current batch is finished or dropped, and the lease is released. */
  readonly signal: AbortSignal;
  readonly report: (news: RunNews) => void;
}

/** How the run of one projection ended. */
export interface RunResult {
  /** With its part when the work is divided: `NAME#2/3`. */
  readonly name: string;
  readonly version: number;
  /** Every event up to here is in the read model. */
  readonly position: number;
  /** Events this process applied. */
  readonly events: number;
  /** Events this process parked or skipped. */
  readonly aside: number;
  /** What stopped it; null when it was told to stop or reached its end. */
  readonly error: EvstoreError | null;
  /** `superseded`: tables of another version were swapped in while it ran. */
  readonly stopped: 'superseded' | null;
}

/** What a runner reports, once for each change of its state. */
export type RunNews = {
  /** With its part when the work is divided: `NAME#2/3`. */
  readonly projection: string;
} & (
  | { readonly kind: 'leading'; readonly position: number }
  /** Another process has the lease. */
  | { readonly kind: 'standby'; readonly owner: string }
  /** Another process took the lease or moved the checkpoint; nothing of the current batch was written. */
  | { readonly kind: 'superseded' }
  /** The tables were made by an older version of the code; it starts once they are rebuilt. */
  | { readonly kind: 'waiting'; readonly registered: number; readonly code: number }
  /** Tables of another version were swapped in, so it stops. */
  | { readonly kind: 'outdated'; readonly registered: number; readonly code: number }
  /** From now on the work is divided into this many parts; 1 when it is not divided. */
  | { readonly kind: 'divided'; readonly parts: number }
  | { readonly kind: 'progress'; readonly position: number; readonly events: number; readonly perSecond: number }
  /** The code changed under the same version. */
  | { readonly kind: 'stale code' }
  /** Same version and definition; whether the functions changed is unknown. */
  | { readonly kind: 'unverified'; readonly why: string }
  | { readonly kind: 'disconnected'; readonly error: EvstoreError }
  | { readonly kind: 'reconnected' }
  | { readonly kind: 'failed'; readonly error: EvstoreError }
);
