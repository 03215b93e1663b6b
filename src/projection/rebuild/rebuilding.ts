/** One rebuild while this process works on it: its lease, its tables, and how it ends. */
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { EventBatch } from '../../domain/event.js';
import { acquireLease } from '../../lease/acquire.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { leaseTtlMs } from '../../lease/heartbeat.js';
import { type HeldLease, holdLease } from '../../lease/with-lease.js';
import { thisProcess } from '../../store/process.js';
import type { Lease, Rebuild } from '../../store/store.js';
import type { CatchUp } from '../catch-up/catch-up.js';
import { assertComparable, compareRebuilt } from '../compare/compare.js';
import { type Counts, countRows } from '../compare/count.js';
import { findFaults } from '../compare/validate.js';
import {
  assertAllowed,
  assertCounts,
  assertNoFaults,
  isAllowed,
  type JudgedDiff,
  type VerifyOptions,
} from '../compare/verdict.js';
import type { PreparedProjection } from '../define/prepare.js';
import { whyAlone } from '../fold/threads/threaded-fold.js';
import { abortRebuild, endUnmade } from '../journal/drop.js';
import { type RebuildProgress, StepClock, type StepTaken } from '../journal/steps.js';
import { catchUpTables } from '../journal/tables.js';
import { type SwapOptions, swapHeld } from '../swap/swap.js';
import type { RebuildFacts, RebuildPlanned } from './plan.js';

export interface RebuildSettings extends SwapOptions, VerifyOptions {
  /** False stops when the table is ready. */
  readonly swap: boolean;
  /** Threads that run the handlers of each projection that allows it; one unless set. */
  readonly parallel?: number | undefined;
}

export interface RebuildReport {
  readonly projection: string;
  /** Null when it was not begun. */
  readonly rebuild: number | null;
  /** `interrupted`: told to stop; it can be resumed. */
  readonly outcome: 'swapped' | 'ready' | 'interrupted' | 'failed';
  readonly fromVersion: number | null;
  readonly toVersion: number;
  /** Where an earlier process stopped; null for a new one. */
  readonly resumedFrom: number | null;
  /** Everything up to here is in the new table. */
  readonly position: number;
  /** Events folded by this process. */
  readonly events: number;
  /** Events parked or skipped by this process. */
  readonly aside: number;
  /** Null when they were not counted. */
  readonly rows: Counts | null;
  /** What a swap would change; null unless every row was compared. */
  readonly diff: JudgedDiff | null;
  readonly keepOldUntil: string | null;
  /** Position of the old tables; null when there are none, or from different positions: no rollback is possible. */
  readonly oldPosition: number | null;
  /** What this process did, in order. */
  readonly steps: readonly StepTaken[];
  /** Null unless it failed. */
  readonly error: EvstoreError | null;
  /** From beginning to end, including time spent on other rebuilds. */
  readonly elapsedMs: number;
}

/** With at most this many events to go, the rest is applied while the live runner waits. */
const fewEvents = 1_000;
/** Differing rows kept of each kind and table. */
const samples = 10;

/** What a rebuild holds from its beginning to its end. */
interface Held extends HeldLease {
  readonly catchUp: CatchUp;
}

/** Keeps every failure for the report instead of throwing it: other rebuilds continue. */
export class Rebuilding {
  readonly projection: PreparedProjection;
  readonly #settings: RebuildSettings;
  readonly #facts: RebuildFacts;
  readonly #plan: RebuildPlanned;
  readonly #clock = new StepClock(() => this.events);
  readonly #startedAt = performance.now();
  #rebuild: Rebuild | undefined;
  #held: Held | undefined;
  #rows: Counts | null = null;
  #diff: JudgedDiff | null = null;
  #outcome: RebuildReport['outcome'] | undefined;
  #error: EvstoreError | null = null;
  #endFill = (): void => {};
  #elapsedMs = 0;

  constructor(settings: RebuildSettings, facts: RebuildFacts, plan: RebuildPlanned, projection: PreparedProjection) {
    this.#settings = settings;
    this.#facts = facts;
    this.#plan = plan;
    this.projection = projection;
  }

  /** True once begun, until it is done, failed or told to stop. */
  get isUnderWay(): boolean {
    return this.#held !== undefined && this.#outcome === undefined;
  }

  /** Everything up to here is in the new table. */
  get position(): number {
    return this.#held?.catchUp.position ?? this.#rebuild?.position ?? 0;
  }

  /** Folded by this process. */
  get events(): number {
    return this.#held?.catchUp.events ?? 0;
  }

  /** Where the shared pass ends for it. */
  get target(): number {
    return this.#plan.target;
  }

  /** The shared pass must not fill it beyond this position, because it has to meet the live table. */
  get limit(): number {
    const { swap, verify } = this.#settings;
    return swap && verify !== 'full' ? Number.POSITIVE_INFINITY : this.target;
  }

  /** Takes the journal row and its lease, then makes the tables. @param cacheBytes what its rows may take in memory */
  begin(cacheBytes?: number): Promise<void> {
    return this.#attempt(async () => {
      const { store, signal, verify, parallel } = this.#settings;
      signal.throwIfAborted();
      if (verify === 'full') assertComparable(this.projection);
      const { rebuild, lease } = await this.#takeOrStart();
      this.#rebuild = rebuild;
      const held = holdLease(store.projections, lease, { signal });
      const catchUp = catchUpTables(this.#settings, this.projection, rebuild, held, {
        // Tables that are ready may have been live: at position 0 inline appends may have written to them.
        isEmpty: lease.position === 0 && rebuild.state !== 'ready',
        cacheBytes,
        threads: whyAlone(this.projection) === undefined ? parallel : 1,
      });
      this.#held = { ...held, catchUp };
      await catchUp.start();
      if (rebuild.state !== 'planned') return;
      this.#rebuild = await this.#step('create', this.#plan.target, async () => {
        await catchUp.open();
        return store.projections.createRebuildTables(rebuild, lease, this.projection.model).catch(async (error) => {
          const isNew = this.#plan.action !== 'resume';
          if (isNew && (await endUnmade(store, rebuild, lease, error))) this.#rebuild = undefined;
          throw error;
        });
      });
    });
  }

  /** Joins the shared pass. */
  join(): void {
    this.#endFill();
    this.#endFill = this.#clock.start('fill');
  }

  /** Takes a batch of the shared pass. @returns how long folding it took, in milliseconds */
  async take(batch: EventBatch, isLast: boolean): Promise<number> {
    let tookMs = 0;
    await this.#attempt(async () => {
      tookMs = await this.#holding.catchUp.takeBatch(batch, isLast);
    });
    return tookMs;
  }

  /** Writes everything it has taken. */
  settle(): Promise<void> {
    return this.#attempt(() => this.#holding.catchUp.settle());
  }

  /** Leaves the shared pass. */
  leave(): void {
    this.#endFill();
    this.#endFill = () => {};
  }

  /** What each rebuild does alone: compare with the live rows, catch up, index, verify, swap. */
  finish(): Promise<void> {
    return this.#attempt(async () => {
      const { store, swap, verify } = this.#settings;
      const { lease, catchUp, signal } = this.#holding;
      signal.throwIfAborted();
      // Before it moves on: this may be the only moment at which both tables are at one position.
      if (verify === 'full') this.#diff = await this.#step('verify', this.position, () => this.#compare());
      if (this.#diff === null || isAllowed(this.#diff)) await this.#clock.time('catch-up', () => this.#catchUp());
      signal.throwIfAborted();
      if (this.#current.state === 'filling') {
        this.#rebuild = await this.#step('index', this.position, () =>
          store.projections.finishFill(this.#current, lease, this.projection.model),
        );
      }
      if (this.#diff !== null) assertAllowed(this.#current, this.#diff);
      if (verify !== 'none') await this.#step('verify', this.position, () => this.#verify());
      signal.throwIfAborted();
      if (swap) {
        const tables = { rebuild: this.#current, lease, catchUp };
        this.#rebuild = await this.#step('swap', this.position, () =>
          swapHeld({ ...this.#settings, signal }, this.projection, tables),
        );
      }
      await this.#end(swap ? 'swapped' : 'ready');
    });
  }

  /** Never throws. */
  async release(): Promise<void> {
    await this.#held?.catchUp.close();
    await this.#held?.release();
  }

  /** Records a failure of the pass it took part in. */
  fail(error: unknown): Promise<void> {
    return this.#attempt(() => Promise.reject(error));
  }

  report(): RebuildReport {
    const { fromVersion, toVersion, resumes } = this.#plan;
    return {
      projection: this.projection.name,
      rebuild: this.#rebuild?.id ?? null,
      outcome: this.#outcome ?? 'interrupted',
      fromVersion,
      toVersion,
      resumedFrom: resumes?.position ?? null,
      position: this.position,
      events: this.events,
      aside: this.#held?.catchUp.aside ?? 0,
      rows: this.#rows,
      diff: this.#diff,
      keepOldUntil: this.#rebuild?.keepOldUntil ?? null,
      oldPosition: this.#rebuild?.old?.position ?? null,
      steps: this.#clock.taken,
      error: this.#error,
      elapsedMs: Math.round(this.#elapsedMs),
    };
  }

  async #takeOrStart(): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }> {
    const { store, owner, signal, patience } = this.#settings;
    const { projections } = store;
    const { unfinished } = this.#facts;
    if (this.#plan.action === 'resume' && unfinished !== undefined) {
      const lease = await acquireLease(
        projections,
        { kind: 'rebuild', id: unfinished.id },
        { owner, patience, signal },
      );
      return { rebuild: unfinished, lease };
    }
    if (unfinished !== undefined) {
      await abortRebuild({ store, owner, patience, code: this.projection, signal }, unfinished);
    }
    const { name, version, codeHash, model, tables } = this.projection;
    await projections.register({ name, version, codeHash, model });
    const plan = { projection: name, version, codeHash, tables };
    return projections.startRebuild(plan, { owner, process: thisProcess(), ttlMs: leaseTtlMs });
  }

  async #catchUp(): Promise<void> {
    const { catchUp, signal } = this.#holding;
    for (let behind = Number.POSITIVE_INFINITY; behind > fewEvents && !signal.aborted; ) {
      const target = await this.#findTarget();
      const before = behind;
      behind = target - catchUp.position;
      if (behind >= before) this.#tell('outrun', target);
      for await (const _step of catchUp.steps(target)) this.#tell('catch-up', target);
    }
  }

  /** Without a swap it stops where the live table is: only there can the two be compared. */
  async #findTarget(): Promise<number> {
    const { store, swap } = this.#settings;
    const { safeHead } = await store.log.head();
    if (swap) return safeHead;
    const live = furthestOf(checkpointsOf(await store.projections.checkpoints(), this.projection.name));
    return Math.min(safeHead, live || safeHead);
  }

  async #compare(): Promise<JudgedDiff | null> {
    const { lease, catchUp, signal } = this.#holding;
    const { maxDiff = 0, allowColumnChanges = false } = this.#settings;
    const options = { ...this.#settings, projection: this.projection, samples, signal };
    const diff = await compareRebuilt(options, { rebuild: this.#current, lease, catchUp });
    return diff === null ? null : { ...diff, maxDiff, allowColumnChanges };
  }

  async #verify(): Promise<void> {
    const { store, maxDiff } = this.#settings;
    if (this.#diff === null) {
      this.#rows = await countRows(store, this.#current, this.projection, this.#holding.signal);
      if (this.#rows !== null) assertCounts(this.#current, this.#rows, maxDiff);
    } else this.#rows = { live: this.#diff.live.rows, rebuilt: this.#diff.rebuilt.rows };
    assertNoFaults(this.#current, await findFaults(store, this.projection, this.#current));
  }

  /** Does nothing once the rebuild has ended. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#outcome !== undefined) return;
    try {
      await work();
    } catch (error) {
      const { signal = this.#settings.signal } = this.#held ?? {};
      const cause: unknown = signal.aborted ? signal.reason : error;
      if (signal.aborted && !isEvstoreError(cause)) return this.#end('interrupted');
      this.#error = toError(this.projection.name, cause);
      await this.#end('failed');
    }
  }

  async #end(outcome: RebuildReport['outcome']): Promise<void> {
    this.leave();
    this.#outcome = outcome;
    this.#elapsedMs = performance.now() - this.#startedAt;
    await this.release();
  }

  get #holding(): Held {
    if (this.#held !== undefined) return this.#held;
    throw new EvstoreError('E_BUG', `the rebuild of ${this.projection.name} was not begun`);
  }

  get #current(): Rebuild {
    if (this.#rebuild !== undefined) return this.#rebuild;
    throw new EvstoreError('E_BUG', `the rebuild of ${this.projection.name} was not begun`);
  }

  #step<T>(step: StepTaken['step'], target: number, work: () => Promise<T>): Promise<T> {
    this.#tell(step, target);
    return this.#clock.time(step, work);
  }

  #tell(phase: RebuildProgress['phase'], target: number): void {
    const { position, events } = this;
    this.#settings.progress({ projections: [this.projection.name], phase, position, target, events });
  }
}

function toError(projection: string, error: unknown): EvstoreError {
  if (isEvstoreError(error)) return error;
  return new EvstoreError('E_BUG', `the rebuild of ${projection} stopped: ${String(error)}`, { cause: error });
}
