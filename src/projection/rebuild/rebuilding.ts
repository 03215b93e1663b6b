/** One rebuild while this process works on it: its lease, its cursor, and how it ends. */
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { EventBatch } from '../../domain/event.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { Heartbeat, leaseTtlMs } from '../../lease/heartbeat.js';
import type { Lease, Rebuild } from '../../store/store.js';
import { CatchUp } from '../catch-up/catch-up.js';
import { assertComparable } from '../compare/compare.js';
import { type Counts, type VerifyOptions, verifyRebuild } from '../compare/count-rows.js';
import { assertWithin, compareFully, type FullCheck, isWithin } from '../compare/full-check.js';
import { assertValid } from '../compare/validate-rows.js';
import type { PreparedProjection } from '../define/prepare.js';
import { whyAlone } from '../fold/threads/threaded-fold.js';
import { abortRebuild, leaseRebuild, tableOf } from '../journal/rebuild-lease.js';
import { type RebuildProgress, StepClock, type StepTaken } from '../journal/rebuild-steps.js';
import { type SwapOptions, swapHeld } from '../swap/swap.js';
import type { RebuildFacts, RebuildPlanned } from './plan.js';

export interface RebuildSettings extends SwapOptions, VerifyOptions {
  /** False stops when the table is ready. */
  readonly swap: boolean;
  /** Threads that run the handlers of each projection where that can be; one unless said. */
  readonly parallel?: number | undefined;
}

export interface RebuildReport {
  readonly projection: string;
  /** Null when it was not begun. */
  readonly rebuild: number | null;
  /** `interrupted`: told to stop; the journal says where to go on. */
  readonly outcome: 'swapped' | 'ready' | 'interrupted' | 'failed';
  readonly fromVersion: number | null;
  readonly toVersion: number;
  /** Where an earlier process had left it; null for a new one. */
  readonly resumedFrom: number | null;
  /** Everything up to here is in the new table. */
  readonly position: number;
  /** Events folded by this process. */
  readonly events: number;
  /** Events put aside by this process. */
  readonly aside: number;
  /** Null when they were not counted. */
  readonly rows: Counts | null;
  /** What a swap would change; null unless every row was compared. */
  readonly diff: FullCheck | null;
  readonly keepOldUntil: string | null;
  /** Where the replaced tables stand; null when nothing was replaced, or from different positions: no way leads back. */
  readonly oldPosition: number | null;
  /** What this process did, in order. */
  readonly steps: readonly StepTaken[];
  /** Null unless it failed. */
  readonly error: EvstoreError | null;
  /** From its beginning to its end, what others took meanwhile included. */
  readonly elapsedMs: number;
}

/** With fewer events than this to go, the rest is done while the live runner waits. */
const fewEvents = 1_000;

/** What a rebuild holds from its beginning to its end. */
interface Held {
  readonly lease: Lease;
  readonly heartbeat: Heartbeat;
  /** Aborted when the process is told to stop, or the lease is somebody else's. */
  readonly signal: AbortSignal;
  readonly catchUp: CatchUp;
}

/** Whatever goes wrong is kept, not thrown: others go on. */
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
  #diff: FullCheck | null = null;
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

  /** Begun, and neither done nor failed nor told to stop. */
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

  /** Where the shared pass is to bring it. */
  get target(): number {
    return this.#plan.target;
  }

  /** Beyond this it is not to be filled with others: it has to meet the live table. */
  get limit(): number {
    const { swap, verify } = this.#settings;
    return swap && verify !== 'full' ? Number.POSITIVE_INFINITY : this.target;
  }

  /** The journal row and its lease, then the tables. @param cacheBytes what its rows may take in memory */
  begin(cacheBytes?: number): Promise<void> {
    return this.#attempt(async () => {
      const { store, signal, batchSize, policy, tellAside, verify, parallel } = this.#settings;
      signal.throwIfAborted();
      if (verify === 'full') assertComparable(this.projection);
      const { rebuild, lease } = await this.#takeOrStart();
      this.#rebuild = rebuild;
      const heartbeat = new Heartbeat(store.projections, lease);
      const either = AbortSignal.any([signal, heartbeat.lost]);
      const catchUp = new CatchUp(store, this.projection, {
        lease,
        side: 'built',
        physical: tableOf(rebuild, 'built'),
        position: lease.position,
        // One that is ready may have been live: appends have written it, though it is at the beginning of the log.
        isEmpty: lease.position === 0 && rebuild.state !== 'ready',
        cacheBytes,
        threads: whyAlone(this.projection) === undefined ? parallel : 1,
        batchSize,
        policy,
        tellAside,
        signal: either,
      });
      this.#held = { lease, heartbeat, signal: either, catchUp };
      await catchUp.start();
      if (rebuild.state !== 'planned') return;
      this.#tell('create', this.#plan.target);
      this.#rebuild = await this.#clock.time('create', async () => {
        await catchUp.open();
        return store.projections.createRebuildTables(rebuild, lease, this.projection.model);
      });
    });
  }

  /** From here on the pass is its own, too. */
  join(): void {
    this.#endFill();
    this.#endFill = this.#clock.start('fill');
  }

  /** What the pass reads. @returns how long folding it took, in milliseconds */
  async take(batch: EventBatch, isLast: boolean): Promise<number> {
    let tookMs = 0;
    await this.#attempt(async () => {
      tookMs = await this.#holding.catchUp.takeBatch(batch, isLast);
    });
    return tookMs;
  }

  /** What it has taken is in the new table. */
  settle(): Promise<void> {
    return this.#attempt(() => this.#holding.catchUp.settle());
  }

  /** The pass is over. */
  leave(): void {
    this.#endFill();
    this.#endFill = () => {};
  }

  /** What each does alone: compare with the live rows, catch up, index, verify, swap. */
  finish(): Promise<void> {
    return this.#attempt(async () => {
      const { store, swap } = this.#settings;
      const { lease, catchUp, signal } = this.#holding;
      signal.throwIfAborted();
      await this.#compare();
      if (this.#diff === null || isWithin(this.#diff)) await this.#clock.time('catch-up', () => this.#catchUp());
      signal.throwIfAborted();
      if (this.#current.state === 'filling') {
        this.#tell('index', catchUp.position);
        this.#rebuild = await this.#clock.time('index', () =>
          store.projections.finishFill(this.#current, lease, this.projection.model),
        );
      }
      if (this.#diff !== null) assertWithin(this.projection.name, this.#diff);
      if (this.#settings.verify !== 'none') {
        this.#tell('verify', catchUp.position);
        await this.#clock.time('verify', () => this.#verify());
      }
      signal.throwIfAborted();
      if (swap) {
        this.#tell('swap', catchUp.position);
        this.#rebuild = await this.#clock.time('swap', () =>
          swapHeld({ ...this.#settings, signal }, this.#current, lease, catchUp),
        );
      }
      await this.#end(swap ? 'swapped' : 'ready');
    });
  }

  /** Never throws. */
  async release(): Promise<void> {
    this.#held?.heartbeat.stop();
    await this.#held?.catchUp.close();
    if (this.#held !== undefined) {
      await this.#settings.store.projections.releaseLease(this.#held.lease).catch(() => {});
    }
  }

  /** A failure that came from outside, as of the pass it took part in. */
  fail(error: unknown): Promise<void> {
    return this.#attempt(async () => {
      throw error;
    });
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
    const { store, owner, signal } = this.#settings;
    const { unfinished } = this.#facts;
    if (this.#plan.action === 'resume' && unfinished !== undefined) {
      return { rebuild: unfinished, lease: await leaseRebuild(store, unfinished, owner) };
    }
    if (unfinished !== undefined) await abortRebuild({ store, owner, code: this.projection, signal }, unfinished);
    const { name, version, codeHash, model, tables } = this.projection;
    await store.projections.register({ name, version, codeHash, model });
    const plan = { projection: name, version, codeHash, tables };
    return store.projections.startRebuild(plan, { owner, ttlMs: leaseTtlMs });
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

  /** What is not swapped in now stays where the live table is: only there the two can be compared. */
  async #findTarget(): Promise<number> {
    const { store, swap } = this.#settings;
    const { safeHead } = await store.log.head();
    if (swap) return safeHead;
    const live = furthestOf(checkpointsOf(await store.projections.checkpoints(), this.projection.name));
    return Math.min(safeHead, live || safeHead);
  }

  /** Before it moves on: it may be the only moment at which both stand at one position. */
  async #compare(): Promise<void> {
    if (this.#settings.verify !== 'full') return;
    const { lease, catchUp, signal } = this.#holding;
    const options = { ...this.#settings, projection: this.projection, signal };
    this.#tell('verify', catchUp.position);
    this.#diff = await this.#clock.time('verify', () =>
      compareFully(options, this.#current, lease, catchUp, this.#settings.maxDiff),
    );
  }

  async #verify(): Promise<void> {
    const { store } = this.#settings;
    const options = { ...this.#settings, signal: this.#holding.signal };
    if (this.#diff === null) this.#rows = await verifyRebuild(store, this.#current, options, this.projection);
    else this.#rows = { live: this.#diff.live.rows, rebuilt: this.#diff.rebuilt.rows };
    await assertValid(store, this.projection, this.#current);
  }

  /** Nothing is done any more once it has ended; nothing leaves but into the report. */
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

  #tell(phase: RebuildProgress['phase'], target: number): void {
    const { position, events } = this;
    this.#settings.progress({ projections: [this.projection.name], phase, position, target, events });
  }
}

function toError(projection: string, error: unknown): EvstoreError {
  if (isEvstoreError(error)) return error;
  return new EvstoreError('E_BUG', `the rebuild of ${projection} stopped: ${String(error)}`, { cause: error });
}
