/**
 * Takes a read model forward: reads batches of the log, folds them, and applies rows and position in one transaction.
 * The runner, the rebuild and the rollback differ only in the table they write and the lease they hold.
 */
import type { EvstoreError } from '../../domain/errors.js';
import type { EventBatch } from '../../domain/event.js';
import { matches } from '../../domain/matches.js';
import type { Store } from '../../store/store.js';
import type { ExternalTarget } from '../define/definition.js';
import type { PreparedProjection } from '../define/prepare.js';
import { type ApplierTarget, BatchApplier } from './batch-applier.js';
import { isEventsFault } from './error-policy.js';
import { HeldEvents } from './held-events.js';
import { Pace } from './pace.js';
import { readPaced } from './read-paced.js';
import { waitUntilReadable } from './wait-until-readable.js';

/** What a catch-up writes. */
export interface CatchUpTarget extends ApplierTarget {
  /** Fixed events a batch; adaptive unless said. */
  readonly batchSize?: number | undefined;
}

/** One transaction. */
export interface Step {
  readonly position: number;
  readonly events: number;
}

/** Batches without an event of its own after which the position is moved all the same. */
const mostPassedOver = 20;

export class CatchUp {
  readonly #store: Store;
  readonly #projection: PreparedProjection;
  readonly #target: CatchUpTarget;
  readonly #applier: BatchApplier;
  readonly #pace: Pace;
  #held: HeldEvents | undefined;
  /** What was held before, while more is folded. */
  #writing: Promise<void> | undefined;
  /** The end of what has been folded, written or not. */
  #reached: number;
  /** Batches in a row without an event of its own. */
  #passedOver = 0;

  constructor(store: Store, projection: PreparedProjection, target: CatchUpTarget) {
    this.#store = store;
    this.#projection = projection;
    this.#target = target;
    this.#applier = new BatchApplier(store, projection, target);
    this.#pace = new Pace(target.batchSize);
    this.#reached = target.position;
  }

  /** Everything up to here is in the table, or put aside. */
  get position(): number {
    return this.#applier.position;
  }

  /** Events applied so far. */
  get events(): number {
    return this.#applier.events;
  }

  /** Events put aside so far. */
  get aside(): number {
    return this.#applier.aside;
  }

  /** Gets what runs the handlers ready. @throws E_CONFIG when the code cannot be loaded there */
  start(): Promise<void> {
    return this.#applier.start();
  }

  /** Makes an external read model where it is new; nothing for tables. @throws E_HANDLER */
  open(): Promise<void> {
    return this.#applier.open();
  }

  /**
   * Makes an external read model what readers see, in place of the previous one where that is known; nothing for tables,
   * which change names in the transaction of the swap.
   * @throws E_HANDLER, and readers see the one or the other
   */
  promote(previous: ExternalTarget | null): Promise<void> {
    return this.#applier.promote(previous);
  }

  /** Lets go of what it opened. */
  async close(): Promise<void> {
    await this.#writing?.catch(() => {});
    await this.#applier.close();
  }

  /** Goes on from where the table is found to be; what was remembered of its rows is looked up anew. */
  moveTo(position: number): void {
    this.#applier.moveTo(position);
    this.#forget();
  }

  /**
   * Applies batches until `to`, or until the safe head where that is lower: a step for each transaction. Stops early when
   * the signal aborts.
   * @throws E_HANDLER with everything before the event it failed on applied, when failures stop it
   * @throws E_SUPERSEDED when the lease is somebody else's
   */
  async *steps(to: number): AsyncGenerator<Step> {
    const { signal } = this.#target;
    let said = { position: this.position, events: this.#delivered };
    try {
      for await (const batch of readPaced(this.#store.log, this.#projection.filter, this.#reached, to, this.#pace)) {
        this.#pace.record(batch.events, await this.#advance(batch));
        if (this.position > said.position) yield this.#stepFrom(said);
        said = { position: this.position, events: this.#delivered };
        if (signal.aborted) return;
      }
      await this.settle();
      if (this.position > said.position) yield this.#stepFrom(said);
    } finally {
      await this.#writing?.catch(() => {});
    }
  }

  /**
   * Takes a batch that was read for several: what is not for this read model, or in it already, is passed over. Where
   * nothing is for it the position moves now and then only: a transaction for each batch would take longer than to read
   * alone.
   * @param batch with everything after the last one that is for it, up to `upTo`
   * @param isLast the position is to be where the batch ends
   * @returns how long folding it took, in milliseconds
   * @throws as `steps`
   */
  async take({ events, upTo }: EventBatch, isLast: boolean): Promise<number> {
    const { filter } = this.#projection;
    const reached = this.#reached;
    if (upTo <= reached || this.#target.signal.aborted) return 0;
    const own = events.filter((event) => event.globalPosition > reached && matches(filter, event));
    this.#passedOver = own.length === 0 && !isLast ? this.#passedOver + 1 : 0;
    const tookMs = this.#passedOver % mostPassedOver === 0 ? await this.#advance({ events: own, upTo }) : 0;
    if (isLast) await this.settle();
    return tookMs;
  }

  /** What has been folded is written. @throws as `steps` */
  async settle(): Promise<void> {
    await this.#orInSmallBatches(async () => {
      await this.#writeHeld();
      await this.#writing;
    });
    this.#writing = undefined;
  }

  /** Events applied or put aside. */
  get #delivered(): number {
    return this.events + this.aside;
  }

  #stepFrom({ events }: { readonly events: number }): Step {
    return { position: this.position, events: this.#delivered - events };
  }

  /**
   * Folds a batch, and writes it when it is time to: at once, where a size was asked for and where what was folded cannot
   * wait.
   * @returns how long it took, in milliseconds, without writing what was held
   */
  async #advance(batch: EventBatch): Promise<number> {
    const startedAt = performance.now();
    if (this.#target.batchSize !== undefined || !this.#applier.canHold) {
      await this.#applier.apply(batch);
      this.#reached = this.position;
      return performance.now() - startedAt;
    }
    let tookMs = 0;
    const stop = await this.#orInSmallBatches(async () => {
      const stop = await this.#hold(batch);
      tookMs = performance.now() - startedAt;
      if (stop !== undefined || this.#applier.isFull || this.#held?.isDue) await this.#writeHeld();
      if (stop !== undefined) await this.#writing;
      return stop;
    }, batch.upTo);
    if (stop !== undefined && !this.#target.signal.aborted) throw stop;
    return tookMs;
  }

  /**
   * Does what concerns many events at once. Where one of them is at fault nothing of it stays: what is not in the table is
   * read again and applied in small batches, so that what becomes of a fault does not depend on what was held with it.
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
        await this.#applier.apply(batch);
        this.#reached = this.position;
        if (signal.aborted) return undefined;
      }
      if (this.position >= upTo) return undefined;
      await waitUntilReadable(log, upTo, { signal }).catch(unlessAborted(signal));
      if (signal.aborted) return undefined;
    }
  }

  /** @returns why it ends before the batch does */
  async #hold(batch: EventBatch): Promise<EvstoreError | undefined> {
    const { stop, ...handled } = await this.#applier.fold(batch);
    if (this.#target.signal.aborted) return undefined;
    this.#held ??= new HeldEvents(this.#reached);
    this.#held.add(handled);
    this.#reached = handled.upTo;
    return stop;
  }

  /** Begins to write what is held, once what was held before is written. */
  async #writeHeld(): Promise<void> {
    if (this.#held === undefined) return;
    await this.#writing;
    const taken = await this.#applier.take(this.#held);
    this.#held = undefined;
    this.#writing = this.#applier.put(taken);
    // Whoever waits for it next is told what went wrong.
    this.#writing.catch(() => {});
  }

  #forget(): void {
    this.#held = undefined;
    this.#writing = undefined;
    this.#applier.forget();
    this.#reached = this.position;
  }
}

function unlessAborted(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
