/**
 * Runs one projection, or a part of it: acquires the lease, catches up, follows the log, and releases the lease. It stands
 * by while another process has the lease, and while the tables are of an older version than its code. The lease alone
 * does not make this safe: each batch is written only if its fencing token is still the latest.
 */
import { type CodeState, compareCode, mayWrite, whyUnverified } from '../../domain/code-identity.js';
import { EvstoreError, isEvstoreError, isTransient } from '../../domain/errors.js';
import { type Part, subscriptionIdOf, wholeWork } from '../../domain/parts.js';
import { acquireLease, type LeaseWait } from '../../lease/acquire.js';
import { BackOff, pause } from '../../lease/back-off.js';
import { recordFailure } from '../../lease/checkpoints.js';
import { leaseTtlMs } from '../../lease/heartbeat.js';
import { assertSamePlace, assertVersion, findRecord } from '../../lease/registration.js';
import { assertSameHistory } from '../../lease/same-history.js';
import { keepLease } from '../../lease/with-lease.js';
import type { Checkpoint, Lease, ProjectionRecord } from '../../store/store.js';
import { CatchUp, type Step } from '../catch-up/catch-up.js';
import type { PreparedProjection } from '../define/prepare.js';
import { assertCanDivide, assertNotInline } from '../fold/partition.js';
import { divideWork } from './divide.js';
import type { HeadWatch } from './head-watch.js';
import { Rate } from './rate.js';
import type { RunOptions, RunResult } from './run-options.js';

/** How long `--once` tries to reconnect to a database. */
const onceReconnectMs = 30_000;
/** How long a standby waits before it tries to acquire the lease again. After a swap, read models stand still as long. */
const standbyMs = 500;
/** How long a follower waits for an append before it checks its signal. */
const followMs = 5_000;

export class Runner {
  readonly #options: RunOptions;
  readonly #projection: PreparedProjection;
  /** The subscription whose checkpoint it moves. */
  readonly #id: string;
  readonly #part: Part;
  readonly #watch: HeadWatch;
  readonly #end: number;
  readonly #ttlMs: number;
  readonly #rate = new Rate();
  /** Held over a lost connection. */
  #lease: Lease | undefined;
  #standbyFor: string | undefined;
  /** Of this lease, or of the last one. */
  #catchUp: CatchUp | undefined;
  #toldCode: CodeState | undefined;
  /** The tables were of this code's version when it last checked. */
  #wasCurrent = false;
  #waitedFor: number | undefined;
  #stopped: RunResult['stopped'] = null;
  /** Other code made the rows: see `FoldTarget`. */
  #isForeign = false;
  /** What is live outside the store's database; null for tables. */
  #target: string | null = null;
  #position = 0;
  /** Of all leases. */
  #counts = { events: 0, aside: 0 };

  /** @param end the position at which it stops */
  constructor(options: RunOptions, projection: PreparedProjection, watch: HeadWatch, end: number) {
    this.#options = options;
    this.#projection = projection;
    this.#part = options.part ?? wholeWork;
    this.#id = subscriptionIdOf(projection.name, this.#part);
    this.#watch = watch;
    this.#end = end;
    this.#ttlMs = options.ttlMs ?? leaseTtlMs;
  }

  /** Returns when the end is reached, the signal aborts, or an error stops it, which is then part of the result. */
  async run(): Promise<RunResult> {
    let error: EvstoreError | null = null;
    try {
      await this.#runToEnd();
    } catch (thrown) {
      error = isEvstoreError(thrown)
        ? thrown
        : new EvstoreError('E_BUG', `projection ${this.#id} stopped: ${String(thrown)}`, { cause: thrown });
      this.#options.report({ kind: 'failed', projection: this.#id, error });
    }
    const { version } = this.#projection;
    return { name: this.#id, version, position: this.#position, ...this.#counts, error, stopped: this.#stopped };
  }

  async #runToEnd(): Promise<void> {
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
        if (!isTransient(error)) throw error;
        if (once && lostAt !== undefined && performance.now() - lostAt > onceReconnectMs) throw error;
        if (lostAt === undefined) {
          this.#options.report({ kind: 'disconnected', projection: this.#id, error });
        }
        lostAt ??= performance.now();
        await backOff.wait(signal);
      }
    }
  }

  /** Leads while it has the lease, or stands by for a moment. True when the end is reached. */
  async #runConnected(onContact: () => void): Promise<boolean> {
    const { store, signal } = this.#options;
    const { name, version, codeHash, model } = this.#projection;
    const record =
      (await findRecord(store, name)) ?? (await store.projections.register({ name, version, codeHash, model }));
    onContact();
    assertSamePlace(record, this.#projection);
    if (record.version !== version) return this.#awaitTables(record);
    this.#wasCurrent = true;
    this.#tellCode(record);
    if (record.parts !== this.#part.of && !(await this.#divide(record))) return false;
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

  /** Reports once that the functions changed under the same version, or that they may have. */
  #tellCode(record: ProjectionRecord): void {
    const state = compareCode(record, this.#projection);
    const projection = this.#id;
    if (state !== this.#toldCode) {
      if (state === 'stale code') this.#options.report({ kind: 'stale code', projection });
      if (state === 'unverified') {
        this.#options.report({ kind: 'unverified', projection, why: whyUnverified(record, this.#projection) });
      }
    }
    this.#toldCode = state;
  }

  /** Waits for tables of this version. True when it has to stop instead. */
  async #awaitTables(record: ProjectionRecord): Promise<boolean> {
    const { store, signal, once, report } = this.#options;
    const { name, version, codeHash } = this.#projection;
    const versions = { registered: record.version, code: version };
    if (this.#wasCurrent) {
      this.#stopped = 'superseded';
      report({ kind: 'outdated', projection: this.#id, ...versions });
      return true;
    }
    if (version > record.version) await store.projections.recordCode(name, { version, codeHash });
    if (once || record.version > version) assertVersion(record, this.#projection);
    if (this.#waitedFor !== record.version) report({ kind: 'waiting', projection: this.#id, ...versions });
    this.#waitedFor = record.version;
    await pause(standbyMs, signal);
    return false;
  }

  /** Divides the work into this runner's number of parts. False while other processes run the present parts. */
  async #divide(record: ProjectionRecord): Promise<boolean> {
    const { store, signal, owner, once, report } = this.#options;
    if (this.#part.of > 1) assertNotInline(record);
    try {
      const { policy, tellAside } = this.#options;
      // Without `once` it stands by, and tries again.
      const patience = once
        ? { maxWaitMs: 2 * leaseTtlMs, tellWaiting: (wait: LeaseWait) => this.#standBy(wait.owner) }
        : undefined;
      const common = { store, projection: this.#projection, owner, ttlMs: this.#ttlMs, policy, tellAside, signal };
      await divideWork({ ...common, patience }, this.#part.of);
      if (signal.aborted) return false;
      report({ kind: 'divided', projection: this.#projection.name, parts: this.#part.of });
      return true;
    } catch (error) {
      // Not the transient errors of a lost connection, but those that end when other processes move on.
      const isPassing = isEvstoreError(error) && ['E_LOCK_HELD', 'E_CHECK_FAILED', 'E_SUPERSEDED'].includes(error.code);
      if (once || !isPassing) throw error;
      if (error.code === 'E_LOCK_HELD') this.#standBy(String(error.details.owner));
      await pause(standbyMs, signal);
      return false;
    }
  }

  /** Renews the lease held over a lost connection, or acquires it; undefined while another process has it. */
  async #obtainLease(): Promise<Lease | undefined> {
    const { store, owner, report } = this.#options;
    const { version, codeHash } = this.#projection;
    if (this.#lease !== undefined && (await store.projections.renewLease(this.#lease, this.#ttlMs))) return this.#lease;
    this.#lease = undefined;
    const target = { kind: 'checkpoint', subscriptionId: this.#id } as const;
    const request = { owner, ttlMs: this.#ttlMs, code: { version, codeHash } };
    try {
      const lease = await acquireLease(store.projections, target, request);
      this.#standbyFor = undefined;
      report({ kind: 'leading', projection: this.#id, position: lease.position });
      return lease;
    } catch (error) {
      // E_SUPERSEDED: the number of parts has changed since the projection was looked up.
      if (!isEvstoreError(error) || (error.code !== 'E_LOCK_HELD' && error.code !== 'E_SUPERSEDED')) throw error;
      if (error.code === 'E_LOCK_HELD') this.#standBy(String(error.details.owner));
      return undefined;
    }
  }

  #standBy(owner: string): void {
    if (this.#standbyFor !== owner) this.#options.report({ kind: 'standby', projection: this.#id, owner });
    this.#standbyFor = owner;
  }

  /** Works under the lease. True when the end is reached. */
  async #lead(lease: Lease): Promise<boolean> {
    const { store, signal, report } = this.#options;
    const vitals = () => ({ rate: Math.round(this.#rate.perSecond()) });
    // After a lost connection the lease is renewed, so that no standby takes over in between.
    const options = { ttlMs: this.#ttlMs, vitals, signal, holdAfter: isTransient };
    this.#lease = undefined;
    try {
      return await keepLease(store.projections, lease, options, async (held) => {
        const isDone = await this.#leadHeld(lease, held);
        if (!isDone && held.aborted && !signal.aborted) throw held.reason;
        return isDone;
      });
    } catch (error) {
      if (isTransient(error)) this.#lease = lease;
      if (!isEvstoreError(error) || error.code !== 'E_SUPERSEDED') throw error;
      report({ kind: 'superseded', projection: this.#id });
      // Lets the other process go first.
      await pause(this.#ttlMs / 10, signal);
      return false;
    } finally {
      await this.#catchUp?.close();
    }
  }

  async #leadHeld(lease: Lease, signal: AbortSignal): Promise<boolean> {
    const { name, version } = this.#projection;
    // A swap takes over the lease, so from here on the tables stay the same, or nothing is written.
    const current = await findRecord(this.#options.store, name);
    if (current?.version !== version || current.parts !== this.#part.of) return false;
    this.#isForeign = !mayWrite(current, this.#projection);
    this.#target = current.target;
    try {
      return await this.#follow(lease, signal);
    } catch (error) {
      // If this cannot be recorded now, the reason it stopped is still thrown.
      await recordFailure(this.#options.store, this.#id, error).catch(() => {});
      throw error;
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
    // A swap that died half-way may have sent readers to another target.
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

  /** Keeps count, also of events applied before a step failed. */
  async *#steps(catchUp: CatchUp): AsyncGenerator<Step> {
    const before = { events: this.#counts.events - catchUp.events, aside: this.#counts.aside - catchUp.aside };
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
    this.#counts = { events: before.events + events, aside: before.aside + aside };
  }

  async #checkpoint(): Promise<Checkpoint> {
    const checkpoints = await this.#options.store.projections.checkpoints();
    const found = checkpoints.find(({ subscriptionId }) => subscriptionId === this.#id);
    const none = { subscriptionId: this.#id, position: 0, updatedAt: '', generation: 0, lastEventId: null };
    return found ?? { ...none, owner: null, rate: null, lastError: null, code: null };
  }
}
