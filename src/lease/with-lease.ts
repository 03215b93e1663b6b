/** Holds a lease while some work lasts: acquire, renew, abort when it is lost, release. */
import type { Lease, LeaseTarget, ProjectionStore } from '../store/store.js';
import { type AcquireOptions, acquireLease } from './acquire.js';
import { Heartbeat, type HeartbeatOptions } from './heartbeat.js';

export interface KeepOptions extends HeartbeatOptions {
  readonly signal: AbortSignal;
  /** Returns true for an error after which the lease is not released, because its holder will renew it. */
  readonly holdAfter?: ((error: unknown) => boolean) | undefined;
}

export interface LeaseOptions extends KeepOptions, Omit<AcquireOptions, 'ttlMs' | 'signal'> {}

/** A lease that is renewed until it is released. */
export interface HeldLease {
  readonly lease: Lease;
  /** Aborts when the caller's signal does, and with E_SUPERSEDED when another process takes the lease. */
  readonly signal: AbortSignal;
  /** Ends renewing it. */
  stop(): void;
  /** Stops, and releases it; never throws. */
  release(): Promise<void>;
}

/**
 * Acquires the lease, does the work, and releases the lease.
 * @param work gets the lease, and a signal that aborts when the caller's does or the lease is lost
 * @throws E_LOCK_HELD, E_TIMEOUT as `acquireLease`, unless `steal` is set
 */
export async function withLease<T>(
  projections: ProjectionStore,
  target: LeaseTarget,
  options: LeaseOptions,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { vitals: _vitals, holdAfter: _holdAfter, ...request } = options;
  const lease = await acquireLease(projections, target, request);
  return keepLease(projections, lease, options, (signal) => work(lease, signal));
}

/** Takes the lease of a projection from its runner, which steps back and continues once the work is done. */
export function takeOver<T>(
  projections: ProjectionStore,
  projection: string,
  options: KeepOptions & { readonly owner: string },
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { owner, signal, ttlMs } = options;
  const target = { kind: 'checkpoint', subscriptionId: projection } as const;
  return withLease(projections, target, { owner, signal, ttlMs, steal: true }, work);
}

/** Keeps a lease that is held already while the work lasts, then releases it. */
export async function keepLease<T>(
  projections: ProjectionStore,
  lease: Lease,
  options: KeepOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const held = holdLease(projections, lease, options);
  let isKept = false;
  try {
    return await work(held.signal);
  } catch (error) {
    isKept = options.holdAfter?.(error) ?? false;
    throw error;
  } finally {
    held.stop();
    if (!isKept) await held.release();
  }
}

/** Keeps a lease that is held already until it is released. */
export function holdLease(projections: ProjectionStore, lease: Lease, { signal, ...options }: KeepOptions): HeldLease {
  const heartbeat = new Heartbeat(projections, lease, options);
  return {
    lease,
    signal: AbortSignal.any([signal, heartbeat.lost]),
    stop: () => heartbeat.stop(),
    release: async () => {
      heartbeat.stop();
      // The lease expires by itself: an error here must not hide why the work ended.
      await projections.releaseLease(lease).catch(() => {});
    },
  };
}
