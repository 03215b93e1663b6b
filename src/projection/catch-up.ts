/**
 * Takes a read model forward: reads a batch of the log, folds it, and applies rows and position in one transaction.
 * The runner, the rebuild and the rollback differ only in the table they write and the lease they hold.
 */
import { type ErrorCode, isEvstoreError } from '../domain/errors.js';
import type { EventBatch } from '../domain/event.js';
import type { Lease, Store } from '../store/store.js';
import { type BatchFold, createBatchFold, type FoldTarget } from './batch-fold.js';
import { failedPosition, toHandlerError } from './handler-error.js';
import { Pace } from './pace.js';
import type { PreparedProjection } from './prepare.js';
import { readAhead } from './read-ahead.js';

/** What a catch-up writes. */
export interface CatchUpTarget extends FoldTarget {
  readonly lease: Lease;
  /** Of a rebuild: which table's cursor moves. */
  readonly side?: 'built' | 'old';
  /** Everything up to here is in the table. */
  readonly position: number;
  /** Fixed events a batch; adaptive unless said. */
  readonly batchSize?: number | undefined;
}

/** One batch that was applied. */
export interface Step {
  readonly position: number;
  readonly events: number;
}

/** Failures of the store or of the lease: no event is to blame. */
const notTheEvents: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'E_SUPERSEDED',
  'E_CONNECT',
  'E_TIMEOUT',
  'E_OUTCOME_UNKNOWN',
  'E_LOCK_HELD',
  'E_STORE_FULL',
  'E_READ_ONLY',
  'E_PERMISSION',
  'E_CORRUPT',
  'E_UNSAFE_STORE',
]);

export class CatchUp {
  readonly #store: Store;
  readonly #projection: PreparedProjection;
  readonly #target: CatchUpTarget;
  readonly #fold: BatchFold;
  readonly #pace: Pace;
  #position: number;
  #events = 0;

  constructor(store: Store, projection: PreparedProjection, target: CatchUpTarget) {
    this.#store = store;
    this.#projection = projection;
    this.#target = target;
    this.#fold = createBatchFold(store, projection, target);
    this.#pace = new Pace(target.batchSize);
    this.#position = target.position;
  }

  /** Everything up to here is in the table. */
  get position(): number {
    return this.#position;
  }

  /** Events applied so far. */
  get events(): number {
    return this.#events;
  }

  /** Goes on from where the table is found to be; what was remembered of its rows is looked up anew. */
  moveTo(position: number): void {
    this.#position = position;
    this.#fold.forget();
  }

  /**
   * Applies batches until `to`, or until the safe head where that is lower; stops early when the signal aborts.
   * @throws E_HANDLER with everything before the event it failed on applied
   * @throws E_SUPERSEDED when the lease is somebody else's
   */
  async *steps(to: number): AsyncGenerator<Step> {
    const { signal } = this.#target;
    let isAtEnd = false;
    while (!isAtEnd && this.#position < to && !signal.aborted) {
      const batchSize = this.#pace.size;
      isAtEnd = true;
      const { filter } = this.#projection;
      const batches = this.#store.log.readAll({ ...filter, after: this.#position, to, batchSize });
      for await (const batch of readAhead(batches)) {
        const startedAt = performance.now();
        await this.#applyOrNarrow(batch);
        if (signal.aborted && this.#position < batch.upTo) return;
        this.#pace.record(batch.events.length, performance.now() - startedAt);
        yield { position: this.#position, events: batch.events.length };
        if (signal.aborted) return;
        isAtEnd = this.#pace.size === batchSize;
        if (!isAtEnd) break;
      }
    }
  }

  /** The batch; where an event of it fails, everything before that event. */
  async #applyOrNarrow(batch: EventBatch): Promise<void> {
    try {
      await this.#apply(batch);
    } catch (error) {
      this.#fold.forget();
      const failed = failedPosition(error);
      if (failed !== undefined) {
        const before = batch.events.filter(({ globalPosition }) => globalPosition < failed);
        const last = before.at(-1);
        if (last !== undefined) await this.#applyOrNarrow({ events: before, upTo: last.globalPosition });
        throw error;
      }
      if (isEvstoreError(error) && notTheEvents.has(error.code)) throw error;
      await this.#applyOneByOne(batch);
    }
  }

  /**
   * The database refused a batch: finds the event it is about. Event by event it may go well, where rows exchanged the
   * values of a unique index.
   */
  async #applyOneByOne({ events, upTo }: EventBatch): Promise<void> {
    for (const event of events) {
      if (this.#target.signal.aborted) return;
      try {
        await this.#apply({ events: [event], upTo: event.globalPosition });
      } catch (error) {
        this.#fold.forget();
        if (failedPosition(error) !== undefined || (isEvstoreError(error) && notTheEvents.has(error.code))) throw error;
        throw toHandlerError(this.#projection.name, event, `on.${event.type}`, error);
      }
    }
    if (this.#position < upTo) await this.#apply({ events: [], upTo });
  }

  async #apply({ events, upTo }: EventBatch): Promise<void> {
    const { changes, keep } = await this.#fold.fold(events);
    const { lease, side, signal } = this.#target;
    if (signal.aborted) return;
    await this.#store.projections.apply({
      lease,
      ...(side !== undefined && { side }),
      from: this.#position,
      to: upTo,
      lastEventId: events.at(-1)?.id ?? null,
      seen: { filter: this.#projection.filter, ids: events.map(({ id }) => id) },
      changes,
    });
    this.#position = upTo;
    this.#events += events.length;
    keep();
  }
}
