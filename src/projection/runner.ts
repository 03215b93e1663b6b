/**
 * One projection's runner: gets the lease, catches up, follows, and gives the lease back. Without the lease it stands by.
 * Its safety does not rest on the lease but on each batch, which is written only under the lease's latest token.
 */
import { type EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { Checkpoint, Lease } from '../store/store.js';
import { BackOff, pause } from './back-off.js';
import { CatchUp, type Step } from './catch-up.js';
import { assertSameHistory } from './diverged.js';
import { failedPosition } from './handler-error.js';
import { Heartbeat, leaseTtlMs } from './heartbeat.js';
import type { PreparedProjection } from './prepare.js';
import { Rate } from './rate.js';
import { assertVersion, compareCode } from './registration.js';
import type { RunOptions } from './run.js';

/** What a runner has to tell, each change of state once. */
export type RunNews = { readonly projection: string } & (
  | { readonly kind: 'leading'; readonly position: number }
  /** Somebody else has the lease. */
  | { readonly kind: 'standby'; readonly owner: string }
  /** Somebody else took the lease, or moved the checkpoint: nothing of the batch was written. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'progress'; readonly position: number; readonly events: number; readonly perSecond: number }
  /** The code changed under the same version. */
  | { readonly kind: 'stale code' }
  | { readonly kind: 'disconnected'; readonly error: EvstoreError }
  | { readonly kind: 'reconnected' }
  | { readonly kind: 'failed'; readonly error: EvstoreError }
);

/** How long `--once` goes on trying to reach a database that is gone. */
const onceReconnectMs = 30_000;
/** How long a standby waits before it asks for the lease again: readers wait as long after a swap. */
const standbyMs = 500;
/** How long a follower sleeps in the store before it looks around. */
const followMs = 5_000;

export class Runner {
  readonly #options: RunOptions;
  readonly #projection: PreparedProjection;
  readonly #end: number;
  readonly #ttlMs: number;
  readonly #rate = new Rate();
  #lease: Lease | undefined;
  #standbyFor: string | undefined;
  #saidStale = false;
  #position = 0;
  #events = 0;

  /** @param end position at which the work is done */
  constructor(options: RunOptions, projection: PreparedProjection, end: number) {
    this.#options = options;
    this.#projection = projection;
    this.#end = end;
    this.#ttlMs = options.ttlMs ?? leaseTtlMs;
  }

  get position(): number {
    return this.#position;
  }

  /** Events applied by this runner. */
  get events(): number {
    return this.#events;
  }

  /** Returns when the end is reached or the signal aborts. */
  async run(): Promise<void> {
    const { signal, once } = this.#options;
    const backOff = new BackOff(100, 5_000);
    let lostAt: number | undefined;
    while (!signal.aborted) {
      try {
        const isDone = await this.#runConnected(() => {
          if (lostAt !== undefined) this.#options.report({ kind: 'reconnected', projection: this.#projection.name });
          lostAt = undefined;
          backOff.reset();
        });
        if (isDone) return;
      } catch (error) {
        if (!isConnectionTrouble(error)) throw error;
        if (once && lostAt !== undefined && performance.now() - lostAt > onceReconnectMs) throw error;
        if (lostAt === undefined) {
          this.#options.report({ kind: 'disconnected', projection: this.#projection.name, error });
        }
        lostAt ??= performance.now();
        await backOff.wait(signal);
      }
    }
  }

  /** One spell with the lease, or one look at who has it. True when the end is reached. */
  async #runConnected(onContact: () => void): Promise<boolean> {
    const { store, signal } = this.#options;
    const { name, version, codeHash, model } = this.#projection;
    const record = await store.projections.register({ name, version, codeHash, model });
    onContact();
    assertVersion(record, this.#projection);
    if (compareCode(record, this.#projection) === 'stale code' && !this.#saidStale) {
      this.#saidStale = true;
      this.#options.report({ kind: 'stale code', projection: name });
    }
    const lease = await this.#obtainLease();
    if (lease === undefined) {
      const { position } = await this.#checkpoint();
      this.#position = position;
      if (position >= this.#end) return true;
      await pause(standbyMs, signal);
      return false;
    }
    return this.#lead(lease);
  }

  /** Undefined while somebody else has it. A lease that outlived a lost connection is taken up again. */
  async #obtainLease(): Promise<Lease | undefined> {
    const { store, owner, report } = this.#options;
    const projection = this.#projection.name;
    if (this.#lease !== undefined && (await store.projections.renewLease(this.#lease, this.#ttlMs))) return this.#lease;
    this.#lease = undefined;
    const target = { kind: 'checkpoint', subscriptionId: projection } as const;
    const answer = await store.projections.acquireLease(target, { owner, ttlMs: this.#ttlMs });
    if (answer.held) {
      if (this.#standbyFor !== answer.owner) report({ kind: 'standby', projection, owner: answer.owner });
      this.#standbyFor = answer.owner;
      return undefined;
    }
    this.#standbyFor = undefined;
    this.#lease = answer.lease;
    report({ kind: 'leading', projection, position: answer.lease.position });
    return answer.lease;
  }

  async #lead(lease: Lease): Promise<boolean> {
    const { store, signal } = this.#options;
    const heartbeat = new Heartbeat(store.projections, lease, this.#ttlMs, () => ({
      rate: Math.round(this.#rate.perSecond()),
    }));
    try {
      const isDone = await this.#follow(lease, AbortSignal.any([signal, heartbeat.lost]));
      if (heartbeat.lost.aborted && !isDone) await this.#stepBack(lease);
      else await this.#release(lease);
      return isDone;
    } catch (error) {
      if (isConnectionTrouble(error)) throw error;
      if (isEvstoreError(error) && error.code === 'E_SUPERSEDED') {
        await this.#stepBack(lease);
        return false;
      }
      // What cannot be recorded or given back now must not hide why it stopped: the lease ends by itself.
      await this.#recordFailure(error).catch(() => {});
      await this.#release(lease).catch(() => {});
      throw error;
    } finally {
      heartbeat.stop();
    }
  }

  /** True when the end is reached; false when the signal aborted. */
  async #follow(lease: Lease, signal: AbortSignal): Promise<boolean> {
    const { store, batchSize, report } = this.#options;
    const projection = this.#projection.name;
    const checkpoint = await this.#checkpoint();
    await assertSameHistory(store.log, checkpoint);
    this.#position = checkpoint.position;
    let hasError = checkpoint.lastError !== null;
    const { position } = checkpoint;
    const catchUp = new CatchUp(store, this.#projection, { lease, physical: String, position, batchSize, signal });
    while (!signal.aborted) {
      for await (const step of this.#watch(catchUp)) {
        if (hasError) await store.projections.recordError(projection, null);
        hasError = false;
        report({ kind: 'progress', projection, ...step, perSecond: this.#rate.perSecond() });
      }
      if (this.#position >= this.#end) return true;
      if (!signal.aborted) await store.log.waitForAppend(this.#position, { timeoutMs: followMs, signal });
    }
    return false;
  }

  /** Keeps count, also of what was applied before a step failed. */
  async *#watch(catchUp: CatchUp): AsyncGenerator<Step> {
    const before = this.#events - catchUp.events;
    try {
      for await (const step of catchUp.steps(this.#end)) {
        this.#rate.record(step.events);
        this.#keepCount(catchUp, before);
        yield step;
      }
    } finally {
      this.#keepCount(catchUp, before);
    }
  }

  #keepCount({ position, events }: CatchUp, before: number): void {
    this.#position = position;
    this.#events = before + events;
  }

  /** Superseded: gives the lease back if it is still ours, and lets the other one go first. */
  async #stepBack(lease: Lease): Promise<void> {
    this.#options.report({ kind: 'superseded', projection: this.#projection.name });
    await this.#release(lease);
    await pause(this.#ttlMs / 10, this.#options.signal);
  }

  async #release(lease: Lease): Promise<void> {
    this.#lease = undefined;
    await this.#options.store.projections.releaseLease(lease);
  }

  async #recordFailure(error: unknown): Promise<void> {
    if (failedPosition(error) === undefined || !(error instanceof Error)) return;
    const why = isEvstoreError(error) && error.why !== undefined ? `: ${error.why}` : '';
    await this.#options.store.projections.recordError(this.#projection.name, `${error.message}${why}`);
  }

  async #checkpoint(): Promise<Checkpoint> {
    const { name } = this.#projection;
    const checkpoints = await this.#options.store.projections.checkpoints();
    const found = checkpoints.find(({ subscriptionId }) => subscriptionId === name);
    const none = { subscriptionId: name, position: 0, updatedAt: '', generation: 0, lastEventId: null };
    return found ?? { ...none, owner: null, rate: null, lastError: null, code: null };
  }
}

/** Gone for now, and worth trying again. */
function isConnectionTrouble(error: unknown): error is EvstoreError {
  return isEvstoreError(error) && ['E_CONNECT', 'E_TIMEOUT', 'E_OUTCOME_UNKNOWN'].includes(error.code);
}
