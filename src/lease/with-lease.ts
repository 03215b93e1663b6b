/** Holds a lease for as long as some work takes: acquire, heartbeat, abort when it is lost, release. */
import { EvstoreError } from '../domain/errors.js';
import type { Lease, LeaseRequest, LeaseTarget, ProjectionStore } from '../store/store.js';
import { Heartbeat, type HeartbeatOptions, leaseTtlMs, nameOf } from './heartbeat.js';

export interface LeaseOptions extends KeepOptions, Omit<LeaseRequest, 'ttlMs'> {}

export interface KeepOptions extends HeartbeatOptions {
  readonly signal: AbortSignal;
  /** Returns true for an error after which the lease is not released, because its holder will renew it. */
  readonly holdAfter?: ((error: unknown) => boolean) | undefined;
}

/**
 * Acquires the lease, does the work, and releases the lease.
 * @param work gets the lease, and a signal that aborts when the caller's does or the lease is lost
 * @throws E_LOCK_HELD naming the owner, when another process holds it and `steal` is not set
 */
export async function withLease<T>(
  projections: ProjectionStore,
  target: LeaseTarget,
  options: LeaseOptions,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lease = await acquireLease(projections, target, options);
  return keepLease(projections, lease, options, (signal) => work(lease, signal));
}

/** Acquires a lease. @throws E_LOCK_HELD naming the owner */
export async function acquireLease(
  projections: ProjectionStore,
  target: LeaseTarget,
  { ttlMs = leaseTtlMs, ...request }: Omit<LeaseOptions, 'signal'>,
): Promise<Lease> {
  const answer = await projections.acquireLease(target, { ...request, ttlMs });
  if (!answer.held) return answer.lease;
  throw new EvstoreError('E_LOCK_HELD', `${answer.owner} is working on ${nameOf(target)}`, {
    why: `Its lease ends ${Math.ceil(answer.expiresInMs / 1000)} s after it stops.`,
    next: target.kind === 'rebuild' ? 'evstore projections' : 'evstore lag',
    details: { owner: answer.owner, expiresInMs: answer.expiresInMs },
  });
}

/** Keeps a lease that is held already while the work lasts, then releases it. */
export async function keepLease<T>(
  projections: ProjectionStore,
  lease: Lease,
  { signal, holdAfter, ...options }: KeepOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const heartbeat = new Heartbeat(projections, lease, options);
  let isHeld = false;
  try {
    return await work(AbortSignal.any([signal, heartbeat.lost]));
  } catch (error) {
    isHeld = holdAfter?.(error) ?? false;
    throw error;
  } finally {
    heartbeat.stop();
    // The lease expires by itself: an error here must not hide why the work ended.
    if (!isHeld) await projections.releaseLease(lease).catch(() => {});
  }
}
