/**
 * The runner of one projection, or of a part of it: gets the lease, catches up, follows, and gives the lease back. Without
 * the lease it stands by, and so it does while the tables are still of an older version than its code. Its safety does not
 * rest on the lease but on each batch, which is written only under the lease's latest token.
 */
import { type EvstoreError, isEvstoreError } from '../../domain/errors.js';
import { type Part, subscriptionIdOf, wholeWork } from '../../domain/parts.js';
import { BackOff, pause } from '../../lease/back-off.js';
import { Heartbeat, leaseTtlMs } from '../../lease/heartbeat.js';
import { assertSamePlace, assertVersion, compareCode, findRecord } from '../../lease/registration.js';
import { assertSameHistory } from '../../lease/same-history.js';
import type { Checkpoint, Lease, ProjectionRecord } from '../../store/store.js';
import { CatchUp, type Step } from '../catch-up/catch-up.js';
import type { PreparedProjection } from '../define/prepare.js';
import { assertCanDivide, assertNotInline } from '../fold/partition.js';
import { divideWork } from './divide.js';
import type { HeadWatch } from './head-watch.js';
import { Rate } from './rate.js';
import type { RunOptions, RunResult } from './run.js';

/** How long `--once` goes on trying to reach a database that is gone. */
const onceReconnectMs = 30_000;
/** How long a standby waits before it asks for the lease again: readers wait as long after a swap. */
const standbyMs = 500;
/** How long a follower sleeps in the store before it looks around. */
const followMs = 5_000;

export class Runner {
  readonly #options: RunOptions;
  readonly #projection: PreparedProjection;
  /** Whose checkpoint it moves. */
  readonly #id: string;
  readonly #part: Part;
  readonly #watch: HeadWatch;
  readonly #end: number;
  readonly #ttlMs: number;
  readonly #rate = new Rate();
  #lease: Lease | undefined;
  #standbyFor: string | undefined;
  /** Of this spell, or of the last. */
  #catchUp: CatchUp | undefined;
  #saidStale = false;
  /** The tables were of this code's version when it last looked. */
  #wasCurrent = false;
  #waitedFor: number | undefined;
  #stopped: RunResult['stopped'] = null;
  /** Other code has made the rows: see `FoldTarget`. */
  #isForeign = false;
  /** Live outside the store's database. */
  #target: string | null = null;
  #position = 0;
  #events = 0;
  #aside = 0;

  /** @param end position at which the work is done */
  constructor(options: RunOptions, projection: PreparedProjection, watch: HeadWatch, end: number) {
    this.#options = options;
    this.#projection = projection;
    this.#part = options.part ?? wholeWork;
    this.#id = subscriptionIdOf(projection.name, this.#part);
    this.#watch = watch;
    this.#end = end;
    this.#ttlMs = options.ttlMs ?? leaseTtlMs;
  }

  get name(): string {
    return this.#id;
  }

  get position(): number {
    return this.#position;
  }

  /** Why it is done before its end; null when it is not. */
  get stopped(): RunResult['stopped'] {
    return this.#stopped;
  }

  /** Events applied by this runner. */
  get events(): number {
    return this.#events;
  }

  /** Events put aside by this runner. */
  get aside(): number {
    return this.#aside;
  }

  /** Returns when the end is reached or the signal aborts. */
  async run(): Promise<void> {
    const { signal, once } = this.#options;
    if (this.#part.of > 1) assertCanDivide(this.#projection);
    const backOff = new BackOff(100, 5_000);
    let lostAt: number | undefined;
    while (!signal.aborted) {
      try {
        const isDone = await this.#runConnected(() => {
          if (lostAt !== undefined) this.#options.report({ kind: 'reconnected', projection: this.#id });
          lostAt = undefined;
          backOff.reset();
        });
        if (isDone) return;
      } catch (error) {
        if (!isConnectionTrouble(error)) throw error;
        if (once && lostAt !== undefined && performance.now() - lostAt > onceReconnectMs) throw error;
        if (lostAt === undefined) {
          this.#options.report({ kind: 'disconnected', projection: this.#id, error });
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
    const record =
      (await findRecord(store, name)) ?? (await store.projections.register({ name, version, codeHash, model }));
    onContact();
    assertSamePlace(record, this.#projection);
    if (record.version !== version) return this.#awaitTables(record);
    this.#wasCurrent = true;
    const isStale = compareCode(record, this.#projection) === 'stale code';
    if (isStale && !this.#saidStale) this.#options.report({ kind: 'stale code', projection: this.#id });
    this.#saidStale = isStale;
    if (record.parts !== this.#part.of && !(await this.#divide(record))) return false;
    const lease = await this.#obtainLease();
    if (lease === undefined) {
      const { position } = await this.#checkpoint();
      this.#position = position;
      if (position >= this.#end) return true;
      await pause(standbyMs, signal);
      return false;
    }
    // A swap steals the lease, so from here on the tables stay what they are, or nothing is written.
    const current = await findRecord(store, name);
    if (current?.version === version && current.parts === this.#part.of) {
      this.#isForeign = current.codeHash !== codeHash;
      this.#target = current.target;
      return this.#lead(lease);
    }
    await this.#release(lease);
    return false;
  }

  /** The tables are of another version. True when there is nothing to wait for. */
  async #awaitTables(record: ProjectionRecord): Promise<boolean> {
    const { store, signal, once, report } = this.#options;
    const { name, version, codeHash } = this.#projection;
    const versions = { registered: record.version, code: version };
    if (this.#wasCurrent) {
      this.#stopped = 'superseded';
      report({ kind: 'outdated', projection: this.#id, ...versions });
      return true;
    }
    if (once || record.version > version) assertVersion(record, this.#projection);
    if (this.#waitedFor !== record.version) report({ kind: 'waiting', projection: this.#id, ...versions });
    this.#waitedFor = record.version;
    await store.projections.recordCode(name, { version, codeHash });
    await pause(standbyMs, signal);
    return false;
  }

  /** False while it has to wait for those who run the projection as it is divided now. */
  async #divide(record: ProjectionRecord): Promise<boolean> {
    const { store, signal, owner, once, report } = this.#options;
    if (this.#part.of > 1) assertNotInline(record);
    try {
      const { policy, tellAside } = this.#options;
      const options = { store, projection: this.#projection, owner, ttlMs: this.#ttlMs, policy, tellAside, signal };
      await divideWork(options, this.#part.of);
      if (signal.aborted) return false;
      report({ kind: 'divided', projection: this.#projection.name, parts: this.#part.of });
      return true;
    } catch (error) {
      const isPassing = isEvstoreError(error) && ['E_LOCK_HELD', 'E_CHECK_FAILED', 'E_SUPERSEDED'].includes(error.code);
      if (once || !isPassing) throw error;
      if (error.code === 'E_LOCK_HELD') this.#standBy(String(error.details.owner));
      await pause(standbyMs, signal);
      return false;
    }
  }

  /** Undefined while somebody else has it. A lease that outlived a lost connection is taken up again. */
  async #obtainLease(): Promise<Lease | undefined> {
    const { store, owner, report } = this.#options;
    const { version, codeHash } = this.#projection;
    if (this.#lease !== undefined && (await store.projections.renewLease(this.#lease, this.#ttlMs))) return this.#lease;
    this.#lease = undefined;
    const target = { kind: 'checkpoint', subscriptionId: this.#id } as const;
    const code = { version, codeHash };
    const answer = await store.projections
      .acquireLease(target, { owner, ttlMs: this.#ttlMs, code })
      .catch(unlessDivided);
    if (answer === undefined) return undefined;
    if (answer.held) {
      this.#standBy(answer.owner);
      return undefined;
    }
    this.#standbyFor = undefined;
    this.#lease = answer.lease;
    report({ kind: 'leading', projection: this.#id, position: answer.lease.position });
    return answer.lease;
  }

  #standBy(owner: string): void {
    if (this.#standbyFor !== owner) this.#options.report({ kind: 'standby', projection: this.#id, owner });
    this.#standbyFor = owner;
  }

  async #lead(lease: Lease): Promise<boolean> {
    const { store, signal } = this.#options;
    const heartbeat = new Heartbeat(store.projections, lease, {
      ttlMs: this.#ttlMs,
      vitals: () => ({ rate: Math.round(this.#rate.perSecond()) }),
    });
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
      await this.#catchUp?.close();
    }
  }

  /** True when the end is reached; false when the signal aborted. */
  async #follow(lease: Lease, signal: AbortSignal): Promise<boolean> {
    const { store, batchSize, report } = this.#options;
    const projection = this.#id;
    const checkpoint = await this.#checkpoint();
    await assertSameHistory(store.log, checkpoint);
    this.#position = checkpoint.position;
    let hasError = checkpoint.lastError !== null;
    const { position } = checkpoint;
    const part = this.#part;
    const target = this.#target;
    const catchUp = new CatchUp(store, this.#projection, {
      lease,
      physical: target === null ? String : () => target,
      isEmpty: target !== null && position === 0 && checkpoint.generation === 0,
      part,
      isForeign: this.#isForeign,
      position,
      batchSize,
      policy: this.#options.policy,
      tellAside: this.#options.tellAside,
      signal,
    });
    this.#catchUp = catchUp;
    // Also where readers were sent there before: a swap that died half-way has sent them elsewhere.
    await catchUp.promote(null);
    while (!signal.aborted) {
      for await (const step of this.#steps(catchUp)) {
        if (hasError) await store.projections.recordError(projection, null);
        hasError = false;
        report({ kind: 'progress', projection, ...step, perSecond: this.#rate.perSecond() });
      }
      if (this.#position >= this.#end) return true;
      if (!signal.aborted) await this.#watch.wait(this.#position, { timeoutMs: followMs, signal });
    }
    return false;
  }

  /** Keeps count, also of what was applied before a step failed. */
  async *#steps(catchUp: CatchUp): AsyncGenerator<Step> {
    const before = { events: this.#events - catchUp.events, aside: this.#aside - catchUp.aside };
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

  #keepCount({ position, events, aside }: CatchUp, before: Pick<CatchUp, 'events' | 'aside'>): void {
    this.#position = position;
    this.#events = before.events + events;
    this.#aside = before.aside + aside;
  }

  /** Superseded: gives the lease back if it is still ours, and lets the other one go first. */
  async #stepBack(lease: Lease): Promise<void> {
    this.#options.report({ kind: 'superseded', projection: this.#id });
    await this.#release(lease);
    await pause(this.#ttlMs / 10, this.#options.signal);
  }

  async #release(lease: Lease): Promise<void> {
    this.#lease = undefined;
    await this.#options.store.projections.releaseLease(lease);
  }

  async #recordFailure(error: unknown): Promise<void> {
    if (!isEvstoreError(error) || error.code !== 'E_HANDLER') return;
    const why = error.why === undefined ? '' : `: ${error.why}`;
    await this.#options.store.projections.recordError(this.#id, `${error.message}${why}`);
  }

  async #checkpoint(): Promise<Checkpoint> {
    const checkpoints = await this.#options.store.projections.checkpoints();
    const found = checkpoints.find(({ subscriptionId }) => subscriptionId === this.#id);
    const none = { subscriptionId: this.#id, position: 0, updatedAt: '', generation: 0, lastEventId: null };
    return found ?? { ...none, owner: null, rate: null, lastError: null, code: null };
  }
}

/** Divided otherwise since it was looked up: the next look shows it. */
function unlessDivided(error: unknown): undefined {
  if (!isEvstoreError(error) || error.code !== 'E_SUPERSEDED') throw error;
}

/** Gone for now, and worth trying again. */
function isConnectionTrouble(error: unknown): error is EvstoreError {
  return isEvstoreError(error) && ['E_CONNECT', 'E_TIMEOUT', 'E_OUTCOME_UNKNOWN'].includes(error.code);
}
