/** Keeps a lease while its holder works, and tells the holder when it is somebody else's. */
import { EvstoreError } from '../domain/errors.js';
import type { Lease, ProjectionStore, Vitals } from '../store/store.js';

/** How long a lease lasts without a heartbeat, in milliseconds. */
export const leaseTtlMs = 10_000;

export class Heartbeat {
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(store: ProjectionStore, lease: Lease, ttlMs = leaseTtlMs, vitals: () => Vitals = () => ({})) {
    this.#timer = setInterval(() => {
      // A connection lost here is met by the holder's own next statement.
      store.renewLease(lease, ttlMs, vitals()).then(
        (isOurs) => isOurs || this.#lost.abort(superseded(lease)),
        () => {},
      );
    }, ttlMs / 3);
    this.#timer.unref();
  }

  /** Aborted when the lease is somebody else's; the reason is E_SUPERSEDED. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

export function superseded({ target }: Lease): EvstoreError {
  const what = target.kind === 'rebuild' ? `rebuild ${target.id}` : target.subscriptionId;
  return new EvstoreError('E_SUPERSEDED', `${what} was taken over by another process`, {
    why: 'Its lease had run out, because this process was held up or could not reach the database.',
    next: target.kind === 'rebuild' ? 'evstore projections' : 'evstore lag',
  });
}
