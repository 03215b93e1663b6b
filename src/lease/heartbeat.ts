/** Renews a lease while its holder works, and tells the holder when another process takes it. */
import { EvstoreError } from '../domain/errors.js';
import type { Lease, LeaseTarget, ProjectionStore, Vitals } from '../store/store.js';

/** How long a lease lasts without a heartbeat, in milliseconds. */
export const leaseTtlMs = 10_000;

export interface HeartbeatOptions {
  /** In milliseconds; 10 s unless set. */
  readonly ttlMs?: number | undefined;
  /** What is recorded with each beat. */
  readonly vitals?: (() => Vitals) | undefined;
}

export class Heartbeat {
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(store: ProjectionStore, lease: Lease, { ttlMs = leaseTtlMs, vitals }: HeartbeatOptions = {}) {
    this.#timer = setInterval(() => {
      // The holder's own next statement meets a connection lost here.
      store.renewLease(lease, ttlMs, vitals?.() ?? {}).then(
        (isOurs) => isOurs || this.#lost.abort(superseded(lease)),
        () => {},
      );
    }, ttlMs / 3);
    this.#timer.unref();
  }

  /** Aborted when another process holds the lease; the reason is E_SUPERSEDED. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

export function superseded({ target }: Lease): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `another process took over ${nameOf(target)}`, {
    why: 'The lease of this process expired: it was suspended, or could not reach the database.',
    next: target.kind === 'rebuild' ? 'evstore projections' : 'evstore lag',
  });
}

/** Returns the name of what a lease is on. */
export function nameOf(target: LeaseTarget): string {
  return target.kind === 'rebuild' ? `rebuild ${target.id}` : target.subscriptionId;
}
