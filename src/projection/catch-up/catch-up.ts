/**
 * Moves a set of tables along the log: reads batches, folds them, and writes rows and position in one transaction. The
 * runner, the rebuild and the rollback differ only in the tables they write and the lease they hold.
 */
import type { EvstoreError } from '../../domain/errors.js';
import type { EventBatch } from '../../domain/event.js';
import { matches } from '../../domain/matches.js';
import type { Store } from '../../store/store.js';
import type { ExternalTarget } from '../define/definition.js';
import { isExternalProjection, type PreparedExternalProjection, type PreparedProjection } from '../define/prepare.js';
import { type ErrorHandling, stopAtOnce } from '../define/set-aside.js';
import { assertHeld, ExternalModel } from '../external/external.js';
import type { BatchFold, FoldTarget } from '../fold/batch-fold.js';
import { createBatchFold } from '../fold/create-batch-fold.js';
import { applyBatch } from './apply-batch.js';
import { isEventsFault } from './error-policy.js';
import { foldBatch, ParkedStreams, type Pipeline } from './fold-batch.js';
import { HeldEvents } from './held-events.js';
import { Pace, Portions, readPaced } from './pace.js';
import { waitUntilReadable } from './wait-until-readable.js';
import { Writer, type WriterTarget } from './writer.js';

export interface CatchUpTarget extends FoldTarget, WriterTarget, ErrorHandling {
  /** Version of the code that fills a target outside the store's database; the projection's own unless set. */
  readonly version?: number;
  /** Events in a batch; adapts to the work unless set. */
  readonly batchSize?: number | undefined;
}

/** One transaction. */
export interface Step {
  readonly position: number;
  readonly events: number;
}

/** Batches in a row without an event of this projection, after which the position is written anyway. */
const mostPassedOver = 20;

export class CatchUp {
  readonly #store: Store;
  readonly #projection: PreparedProjection;
  readonly #target: CatchUpTarget;
  readonly #external: ExternalModel | undefined;
  readonly #pipeline: Pipeline;
  readonly #fold: BatchFold;
  readonly #writer: Writer;
  readonly #pace: Pace;
  readonly #portions = new Portions();
  /** Folded, and not being written yet. */
  #held: HeldEvents | undefined;
  /** Writes what was held before, while more is folded. */
  #writing: Promise<void> | undefined;
  /** The end of what has been folded, written or not. */
  #reached: number;
  /** Batches in a row without an event of this projection. */
  #passedOver = 0;

  constructor(store: Store, projection: PreparedProjection, target: CatchUpTarget) {
    this.#store = store;
    this.#projection = projection;
    this.#target = target;
    this.#external = isExternalProjection(projection) ? openExternal(store, projection, target) : undefined;
    this.#fold = createBatchFold(store, projection, target, this.#external);
    this.#writer = new Writer(store, projection, target);
    const { policy = stopAtOnce, part, lease, signal } = target;
    const parkedStreams = new ParkedStreams(store, projection.name, lease);
    this.#pipeline = { projection, fold: this.#fold, writer: this.#writer, parkedStreams, policy, part, signal };
    this.#pace = new Pace(target.batchSize);
    this.#reached = target.position;
  }

  /** Every event up to here is in the tables, parked or skipped. */
  get position(): number {
    return this.#writer.position;
  }

  /** Events applied so far. */
  get events(): number {
    return this.#writer.events;
  }

  /** Events parked or skipped so far. */
  get aside(): number {
    return this.#writer.aside;
  }

  /** Starts what runs the handlers. @throws E_CONFIG when the code cannot be loaded there */
  async start(): Promise<void> {
    await this.#fold.start?.();
  }

  /** Opens an external read model, which creates a new one; does nothing for tables. @throws E_HANDLER */
  async open(): Promise<void> {
    await this.#external?.open();
  }

  /**
   * Makes an external read model the one that readers see; does nothing for tables, whose names the swap changes.
   * @param previous what readers saw until now; null when that is unknown
   * @throws E_HANDLER, and readers see either of the two
   */
  async promote(previous: ExternalTarget | null): Promise<void> {
    await this.#external?.promote(previous);
  }

  /** Waits for the write in progress, then closes what was opened. */
  async close(): Promise<void> {
    await this.#writing?.catch(() => {});
    await this.#external?.close();
    await this.#fold.close?.();
  }

  /** Continues where the tables were found to be, and drops all rows in memory. */
  moveTo(position: number): void {
    this.#writer.moveTo(position);
    this.#forget();
  }

  /**
   * Applies batches until `to`, or until the safe head if that is lower; yields after each transaction. Stops early when
   * the signal aborts.
   * @throws E_HANDLER when an event fails and the policy is to stop; all events before it are applied
   * @throws E_SUPERSEDED when another process has the lease
   */
  async *steps(to: number): AsyncGenerator<Step> {
    const { signal } = this.#target;
    let said = { position: this.position, events: this.#delivered };
    try {
      for await (const batch of readPaced(this.#store.log, this.#projection.filter, this.#reached, to, this.#pace)) {
        let tookMs = 0;
        for (const portion of this.#split(batch)) {
          tookMs += await this.#advance(portion);
          if (this.position > said.position) yield this.#stepFrom(said);
          said = { position: this.position, events: this.#delivered };
          if (signal.aborted) return;
        }
        this.#pace.record(batch.events, tookMs);
      }
      await this.settle();
      if (this.position > said.position) yield this.#stepFrom(said);
    } finally {
      await this.#writing?.catch(() => {});
    }
  }

  /**
   * Takes a batch that was read for several projections, and skips events that are not for this one or already folded.
   * Batches without an event for it move the position only now and then, because a transaction for each of them would
   * take longer than reading the log alone.
   * @param batch with every event for this projection between the previous batch and `upTo`
   * @param isLast writes everything, so that the position is `upTo` afterwards
   * @returns how long folding took, in milliseconds
   * @throws as `steps`
   */
  async takeBatch({ events, upTo }: EventBatch, isLast: boolean): Promise<number> {
    const { filter } = this.#projection;
    const reached = this.#reached;
    if (upTo <= reached || this.#target.signal.aborted) return 0;
    const own = events.filter((event) => event.globalPosition > reached && matches(filter, event));
    this.#passedOver = own.length === 0 && !isLast ? this.#passedOver + 1 : 0;
    let tookMs = 0;
    if (this.#passedOver % mostPassedOver === 0) {
      for (const portion of this.#split({ events: own, upTo })) {
        tookMs += await this.#advance(portion);
        if (this.#target.signal.aborted) return tookMs;
      }
    }
    if (isLast) await this.settle();
    return tookMs;
  }

  /** A size that was set is kept, however long it takes. */
  #split(batch: EventBatch): Iterable<EventBatch> {
    return this.#target.batchSize === undefined ? this.#portions.split(batch) : [batch];
  }

  /** Writes everything that has been folded. @throws as `steps` */
  async settle(): Promise<void> {
    await this.#orInSmallBatches(async () => {
      await this.#writeHeld();
      await this.#writing;
    });
    this.#writing = undefined;
  }

  /** Events applied, parked or skipped. */
  get #delivered(): number {
    return this.events + this.aside;
  }

  #stepFrom({ events }: { readonly events: number }): Step {
    return { position: this.position, events: this.#delivered - events };
  }

  /**
   * Folds a batch, and writes it if it is due: at once when a batch size was set or the fold cannot hold it.
   * @returns how long folding took, in milliseconds
   */
  async #advance(batch: EventBatch): Promise<number> {
    const startedAt = performance.now();
    let tookMs = 0;
    if (this.#target.batchSize !== undefined || this.#fold.isFull === undefined) {
      await this.#apply(batch);
      tookMs = performance.now() - startedAt;
      this.#portions.record(batch.events.length, tookMs);
      return tookMs;
    }
    const stop = await this.#orInSmallBatches(async () => {
      const stop = await this.#hold(batch);
      tookMs = performance.now() - startedAt;
      this.#portions.record(batch.events.length, tookMs);
      if (stop !== undefined || this.#fold.isFull || this.#held?.isDue) await this.#writeHeld();
      if (stop !== undefined) await this.#writing;
      return stop;
    }, batch.upTo);
    if (stop !== undefined && !this.#target.signal.aborted) throw stop;
    return tookMs;
  }

  /** @returns the error of the event that stops it */
  async #hold(batch: EventBatch): Promise<EvstoreError | undefined> {
    const { handled, stop } = await foldBatch(this.#pipeline, batch);
    if (this.#target.signal.aborted) return undefined;
    this.#held ??= new HeldEvents(this.#reached);
    this.#held.add(handled);
    this.#pipeline.parkedStreams.keep(handled.aside);
    this.#reached = handled.upTo;
    return stop;
  }

  /** Starts to write what is held, after the previous write. */
  async #writeHeld(): Promise<void> {
    if (this.#held === undefined) return;
    await this.#writing;
    const folded = await this.#fold.takeChanges();
    this.#writing = this.#writer.write(this.#held, folded);
    this.#held = undefined;
    // The next to wait for it gets the error.
    this.#writing.catch(() => {});
  }

  /**
   * Does work that concerns many events at once. If one of them fails, all of it is dropped, and what is not in the tables
   * is read again and applied in small batches: the result does not depend on what was held together.
   */
  async #orInSmallBatches<T>(work: () => Promise<T>, upTo = this.#reached): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      await this.#writing?.catch(() => {});
      this.#forget();
      if (!isEventsFault(error)) throw error;
    }
    const { log } = this.#store;
    const { signal } = this.#target;
    for (;;) {
      for await (const batch of log.readAll({ ...this.#projection.filter, after: this.position, to: upTo })) {
        for (const portion of this.#split(batch)) {
          await this.#apply(portion);
          if (signal.aborted) return undefined;
        }
      }
      if (this.position >= upTo) return undefined;
      await waitUntilReadable(log, upTo, { signal }).catch(unlessAborted(signal));
      if (signal.aborted) return undefined;
    }
  }

  /** Folds and writes a batch at once. */
  async #apply(batch: EventBatch): Promise<void> {
    try {
      await applyBatch(this.#pipeline, batch);
      this.#reached = this.position;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#held = undefined;
    this.#writing = undefined;
    this.#pipeline.parkedStreams.forget();
    this.#fold.forget();
    this.#writer.forget();
    this.#reached = this.position;
  }
}

function openExternal(
  { projections }: Store,
  projection: PreparedExternalProjection,
  { lease, physical, version, isEmpty, signal }: CatchUpTarget,
): ExternalModel {
  return new ExternalModel({
    projection,
    target: { name: physical(projection.name), version: version ?? projection.version },
    isNew: isEmpty ?? false,
    hold: () => assertHeld(projections, lease),
    signal,
  });
}

function unlessAborted(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
