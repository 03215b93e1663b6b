/**
 * Takes a read model forward: reads a batch of the log, folds it, and applies rows and position in one transaction.
 * The runner, the rebuild and the rollback differ only in the table they write and the lease they hold.
 */
import type { EvstoreError } from '../domain/errors.js';
import type { EventBatch, RecordedEvent } from '../domain/event.js';
import { matches } from '../domain/matches.js';
import { wholeWork } from '../domain/parts.js';
import type { Lease, SetAside, Store } from '../store/store.js';
import { type BatchFold, createBatchFold, type FoldTarget } from './batch-fold.js';
import type { ExternalTarget } from './definition.js';
import {
  type ErrorHandling,
  type ErrorPolicy,
  isBatchFault,
  narrow,
  stopAtOnce,
  toSetAside,
  tryAgain,
} from './error-policy.js';
import { assertHeld, ExternalModel } from './external.js';
import { toNamedError } from './handler-error.js';
import { Pace } from './pace.js';
import { mayConcern } from './partition.js';
import { isExternalProjection, type PreparedExternalProjection, type PreparedProjection } from './prepare.js';
import { readPaced } from './read-paced.js';
import { Slices } from './slices.js';

/** What a catch-up writes. */
export interface CatchUpTarget extends FoldTarget, ErrorHandling {
  readonly lease: Lease;
  /** Of a rebuild: which table's cursor moves. */
  readonly side?: 'built' | 'old';
  /** Everything up to here is in the table, or put aside. */
  readonly position: number;
  /** Which made it, where it is outside the store's database; the projection's own unless said. */
  readonly version?: number;
  /** Fixed events a batch; adaptive unless said. */
  readonly batchSize?: number | undefined;
}

/** One batch that was applied. */
export interface Step {
  readonly position: number;
  readonly events: number;
}

/** A part of a batch as the handlers left it. */
interface Handled extends EventBatch {
  readonly aside: readonly SetAside[];
  /** Why it ends before its last event. */
  readonly stop?: EvstoreError;
}

/** Batches without an event of its own after which the position is moved all the same. */
const mostPassedOver = 20;

export class CatchUp {
  readonly #store: Store;
  readonly #projection: PreparedProjection;
  readonly #target: CatchUpTarget;
  readonly #policy: ErrorPolicy;
  readonly #fold: BatchFold;
  readonly #external: ExternalModel | undefined;
  readonly #pace: Pace;
  /** Streams of which an event is parked; asked for when the first batch is there. */
  #waiting: Set<string> | undefined;
  /** Refused by the database, and to be put aside with what is written next. */
  #refused: { readonly event: RecordedEvent; readonly aside: SetAside }[] = [];
  #position: number;
  /** Batches in a row without an event of its own. */
  #passedOver = 0;
  #events = 0;
  #aside = 0;

  constructor(store: Store, projection: PreparedProjection, target: CatchUpTarget) {
    this.#store = store;
    this.#projection = projection;
    this.#target = target;
    this.#policy = target.policy ?? stopAtOnce;
    this.#external = isExternalProjection(projection) ? openExternal(store, projection, target) : undefined;
    this.#fold = createBatchFold(store, projection, target, this.#external);
    this.#pace = new Pace(target.batchSize);
    this.#position = target.position;
  }

  /** Everything up to here is in the table, or put aside. */
  get position(): number {
    return this.#position;
  }

  /** Events applied so far. */
  get events(): number {
    return this.#events;
  }

  /** Events put aside so far. */
  get aside(): number {
    return this.#aside;
  }

  /** Gets what runs the handlers ready. @throws E_CONFIG when the code cannot be loaded there */
  async start(): Promise<void> {
    await this.#fold.start?.();
  }

  /** Makes an external read model where it is new; nothing for tables. @throws E_HANDLER */
  async open(): Promise<void> {
    await this.#external?.open();
  }

  /**
   * Makes an external read model what readers see, in place of the previous one where that is known; nothing for tables,
   * which change names in the transaction of the swap.
   * @throws E_HANDLER, and readers see the one or the other
   */
  async promote(previous: ExternalTarget | null): Promise<void> {
    await this.#external?.promote(previous);
  }

  /** Lets go of what it opened. */
  async close(): Promise<void> {
    await this.#external?.close();
    await this.#fold.close?.();
  }

  /** Goes on from where the table is found to be; what was remembered of its rows is looked up anew. */
  moveTo(position: number): void {
    this.#position = position;
    this.#forget();
  }

  /**
   * Applies batches until `to`, or until the safe head where that is lower; stops early when the signal aborts.
   * @throws E_HANDLER with everything before the event it failed on applied, when failures stop it
   * @throws E_SUPERSEDED when the lease is somebody else's
   */
  async *steps(to: number): AsyncGenerator<Step> {
    const { signal } = this.#target;
    for await (const batch of readPaced(this.#store.log, this.#projection.filter, this.#position, to, this.#pace)) {
      const startedAt = performance.now();
      await this.#applyOrNarrow(batch);
      if (signal.aborted && this.#position < batch.upTo) return;
      this.#pace.record(batch.events, performance.now() - startedAt);
      yield { position: this.#position, events: batch.events.length };
      if (signal.aborted) return;
    }
  }

  /**
   * Applies a batch that was read for several: what is not for this read model, or in it already, is passed over.
   * Where nothing is for it the position moves now and then only: a transaction for each batch would take longer than to
   * read alone.
   * @param batch with everything after `position` that is for it, up to `upTo`
   * @param isLast the position is to be where the batch ends
   * @throws as `steps`
   */
  async take({ events, upTo }: EventBatch, isLast: boolean): Promise<void> {
    const { filter } = this.#projection;
    if (upTo <= this.#position || this.#target.signal.aborted) return;
    const own = events.filter((event) => event.globalPosition > this.#position && matches(filter, event));
    this.#passedOver = own.length === 0 && !isLast ? this.#passedOver + 1 : 0;
    if (this.#passedOver % mostPassedOver === 0) await this.#applyOrNarrow({ events: own, upTo });
  }

  /** The batch, in one transaction unless the database refuses something of it. */
  async #applyOrNarrow(batch: EventBatch): Promise<void> {
    try {
      await narrow(
        batch,
        (part) => this.#applyStubbornly(part),
        (event, error) => this.#refuse(event, error),
      );
      if (this.#refused.length > 0) await this.#write({ events: [], aside: [], upTo: batch.upTo });
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** A failure that is about no event, but about what is outside the store's database, is tried again as a whole. */
  async #applyStubbornly(batch: EventBatch): Promise<void> {
    try {
      await this.#apply(batch);
    } catch (error) {
      if (!isBatchFault(error)) throw error;
      const failure = await tryAgain(error, this.#policy.retries, this.#target.signal, () => this.#apply(batch));
      if (failure !== undefined) throw failure.error;
    }
  }

  async #apply(batch: EventBatch): Promise<void> {
    try {
      const { stop, ...handled } = await this.#handle(batch);
      await this.#write(handled);
      for (const { state, streamId } of handled.aside) if (state === 'parked') this.#waiting?.add(streamId);
      if (stop !== undefined && !this.#target.signal.aborted) throw stop;
    } catch (error) {
      this.#fold.forget();
      throw error;
    }
  }

  /** Folds what the handlers take. */
  async #handle({ events, upTo }: EventBatch): Promise<Handled> {
    const { signal, part = wholeWork } = this.#target;
    const { name } = this.#projection;
    const own = part.of === 1 ? events : events.filter((event) => mayConcern(this.#projection, event, part));
    this.#waiting ??= new Set(await this.#store.projections.parkedStreams(name, tablesOf(this.#target.lease)));
    const parked = new Set<string>();
    const aside: SetAside[] = [];
    const waiting = this.#waiting;
    await this.#fold.prepare(waiting.size === 0 ? own : own.filter(({ streamId }) => !waiting.has(streamId)));
    const slices = new Slices();
    for (const event of own) {
      if (slices.isOver) await slices.next();
      if (signal.aborted) break;
      if (waiting.has(event.streamId) || parked.has(event.streamId)) {
        aside.push(toSetAside(event, 'parked', null));
        continue;
      }
      try {
        this.#fold.add(event);
      } catch (error) {
        const failure = await tryAgain(error, this.#policy.retries, signal, () => this.#foldOne(event));
        if (failure === undefined) continue;
        if (this.#policy.onError === 'stop') {
          const upTo = event.globalPosition - 1;
          return { events: events.filter((each) => each.globalPosition <= upTo), aside, upTo, stop: failure.error };
        }
        aside.push(toSetAside(event, stateOf[this.#policy.onError], failure));
        if (this.#policy.onError === 'park') parked.add(event.streamId);
      }
    }
    return { events, aside, upTo };
  }

  /** The database takes none of what the event makes. */
  async #refuse(event: RecordedEvent, error: EvstoreError): Promise<void> {
    const { onError, retries } = this.#policy;
    const failure = await tryAgain(error, retries, this.#target.signal, async () => {
      this.#fold.forget();
      await this.#foldOne(event);
      await this.#write({ events: [event], aside: [], upTo: event.globalPosition });
    });
    this.#fold.forget();
    if (failure === undefined) return;
    const named = toNamedError(this.#projection.name, event, failure.error);
    if (onError === 'stop') throw named;
    if (onError === 'park') this.#waiting?.add(event.streamId);
    this.#refused.push({ event, aside: toSetAside(event, stateOf[onError], { ...failure, error: named }) });
  }

  async #foldOne(event: RecordedEvent): Promise<void> {
    await this.#fold.prepare([event]);
    this.#fold.add(event);
  }

  /** What has been folded, what was put aside, and the position behind them. */
  async #write({ events, aside, upTo }: Handled): Promise<void> {
    const { lease, side, signal } = this.#target;
    if (signal.aborted || upTo <= this.#position) return;
    const { filter, name } = this.#projection;
    const { changes, writeOutside, keep } = this.#fold.take();
    await writeOutside?.({ from: this.#position, to: upTo });
    if (signal.aborted) return;
    const delivered = [...this.#refused.map(({ event }) => event), ...events];
    const added = [...this.#refused.map((each) => each.aside), ...aside];
    await this.#store.projections.apply({
      lease,
      ...(side !== undefined && { side }),
      from: this.#position,
      to: upTo,
      lastEventId: delivered.at(-1)?.id ?? null,
      seen: { filter, ids: delivered.map(({ id }) => id) },
      changes,
      ...(added.length > 0 && { parked: { projection: holderOf(lease, name), added, removed: [] } }),
    });
    this.#position = upTo;
    this.#events += delivered.length - added.length;
    this.#aside += added.length;
    this.#refused = [];
    keep();
    for (const each of added) this.#target.tellAside?.(each, name);
  }

  /** What was remembered is looked up anew. */
  #forget(): void {
    this.#fold.forget();
    this.#waiting = undefined;
    this.#refused = [];
  }
}

const stateOf = { park: 'parked', skip: 'skipped' } as const;

/** Of live tables whoever holds their checkpoint: a part has its own. */
function holderOf({ target }: Lease, name: string): string {
  return target.kind === 'checkpoint' ? target.subscriptionId : name;
}

/** As events put aside name them: 0 for the live tables. */
function tablesOf({ target }: Lease): number {
  return target.kind === 'rebuild' ? target.id : 0;
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
