/** Leases: which process may move a cursor. */

export interface CodeVersion {
  readonly version: number;
  readonly codeHash: string;
}

/** What a lease guards: the checkpoint of a projection or saga, or a rebuild. */
export type LeaseTarget =
  | { readonly kind: 'checkpoint'; readonly subscriptionId: string }
  | { readonly kind: 'rebuild'; readonly id: number };

export interface LeaseRequest {
  /** Shown to others, e.g. `host:1234`. */
  readonly owner: string;
  /** Tells others on the same host whether the owner still runs (see process.ts); null or unset where unknown. */
  readonly process?: string | null;
  readonly ttlMs: number;
  /** Take it even when another owner has it. */
  readonly steal?: boolean;
  /** The code that will run, stored with the checkpoint. */
  readonly code?: CodeVersion;
}

export interface Lease {
  readonly target: LeaseTarget;
  readonly owner: string;
  /** Fencing token: only the latest one writes. */
  readonly token: number;
  /** The generation of the checkpoint when the lease was taken; 0 for a rebuild. */
  readonly generation: number;
  /** The position when the lease was taken. */
  readonly position: number;
}

export type LeaseAnswer = { readonly held: false; readonly lease: Lease } | HeldAnswer;

/** Another process has the lease. */
export interface HeldAnswer {
  readonly held: true;
  readonly owner: string;
  readonly expiresInMs: number;
  readonly token: number;
  /** As in the owner's request. */
  readonly process: string | null;
}

export interface Vitals {
  /** Events a second. */
  readonly rate?: number;
}
