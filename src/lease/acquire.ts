/**
 * Acquires leases. The lease of a process of this host that has ended is taken at once. Any other lease that its owner does
 * not renew is waited for, and only an owner that lives refuses.
 */
import { EvstoreError } from '../domain/errors.js';
import { stateOf, thisProcess } from '../store/process.js';
import type { HeldAnswer, Lease, LeaseAnswer, LeaseRequest, LeaseTarget, ProjectionStore } from '../store/store.js';
import { pause } from './back-off.js';
import { leaseTtlMs, nameOf } from './heartbeat.js';

/** How to wait for a lease that may not be renewed any more. */
export interface Patience {
  /** In milliseconds. */
  readonly maxWaitMs: number;
  /** Called once for each owner that is waited for. */
  readonly tellWaiting: (wait: LeaseWait) => void;
}

export interface LeaseWait {
  /** The name of what the lease is on. */
  readonly name: string;
  readonly owner: string;
  readonly expiresInMs: number;
}

export interface AcquireOptions extends Omit<LeaseRequest, 'ttlMs' | 'process'> {
  /** In milliseconds; 10 s unless set. */
  readonly ttlMs?: number | undefined;
  /** Without it, a lease whose owner may be alive is refused at once. */
  readonly patience?: Patience | undefined;
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** How often a waiting process asks, at least. */
const askMs = 1_000;
/** A lease that ends later than it did by more than this was renewed; less may be the time of an answer. */
const slackMs = askMs / 2;

/**
 * @throws E_LOCK_HELD naming the owner, which lives, or may live when there is no patience
 * @throws E_TIMEOUT when the patience is over before it is known whether the owner lives
 */
export async function acquireLease(
  projections: ProjectionStore,
  target: LeaseTarget,
  { patience, signal, ...request }: AcquireOptions,
): Promise<Lease> {
  const deadline = performance.now() + (patience?.maxWaitMs ?? 0);
  const watch = new OwnerWatch();
  let told: number | undefined;
  for (;;) {
    const answer = await askForLease(projections, target, request);
    if (!answer.held) return answer.lease;
    if (watch.lives(answer) || patience === undefined) throw heldBy(target, answer);
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) throw timedOut(target, answer, patience.maxWaitMs);
    const { owner, expiresInMs } = answer;
    if (told !== answer.token) patience.tellWaiting({ name: nameOf(target), owner, expiresInMs });
    told = answer.token;
    await pause(Math.max(1, Math.min(askMs, expiresInMs + 10, leftMs)), signal);
    signal?.throwIfAborted();
  }
}

/** Asks once for the lease. Ends the lease of a process of this host that has ended, and asks again. */
export async function askForLease(
  projections: ProjectionStore,
  target: LeaseTarget,
  { ttlMs = leaseTtlMs, ...request }: Omit<AcquireOptions, 'patience' | 'signal'>,
): Promise<LeaseAnswer> {
  let ended: number | undefined;
  for (;;) {
    const answer = await projections.acquireLease(target, { ...request, process: thisProcess(), ttlMs });
    if (!answer.held || answer.token === ended || stateOf(answer.process) !== 'ended') return answer;
    // Releases it only while it is still that lease: another process may have seen the same.
    const { owner, token } = answer;
    await projections.releaseLease({ target, owner, token, generation: 0, position: 0 });
    ended = token;
  }
}

/** Finds out whether the owner of a lease lives: it runs on this host, or renews its lease. */
export class OwnerWatch {
  #token: number | undefined;
  #endsAt = 0;

  lives({ token, expiresInMs, process }: HeldAnswer): boolean {
    const endsAt = performance.now() + expiresInMs;
    const isRenewed = token === this.#token && endsAt > this.#endsAt + slackMs;
    if (token !== this.#token) this.#endsAt = endsAt;
    this.#token = token;
    return isRenewed || stateOf(process) === 'running';
  }
}

function heldBy(target: LeaseTarget, { owner, expiresInMs }: HeldAnswer): EvstoreError {
  return new EvstoreError('E_LOCK_HELD', `${owner} is working on ${nameOf(target)}`, {
    why: `Its lease ends ${Math.ceil(expiresInMs / 1000)} s after it stops.`,
    next: showCommand(target),
    details: { ...(target.kind === 'rebuild' && { rebuild: target.id }), owner, expiresInMs },
  });
}

function timedOut(target: LeaseTarget, { owner, expiresInMs }: HeldAnswer, maxWaitMs: number): EvstoreError {
  const seconds = Math.ceil(expiresInMs / 1000);
  return new EvstoreError('E_TIMEOUT', `${nameOf(target)} was not free within ${maxWaitMs} ms`, {
    why: `${owner} holds its lease and did not renew it. It ends in ${seconds} s: wait longer with --max-wait.`,
    next: showCommand(target),
    details: { ...(target.kind === 'rebuild' && { rebuild: target.id }), owner, expiresInMs },
  });
}

function showCommand({ kind }: LeaseTarget): string {
  return kind === 'rebuild' ? 'evstore projections' : 'evstore lag';
}
