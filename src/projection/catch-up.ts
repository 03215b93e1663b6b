/**
 * Takes a read model forward: reads batches of the log, folds them, and applies rows and position in one transaction.
 * The runner, the rebuild and the rollback differ only in the table they write and the lease they hold.
 */
import { addTallies, tallyIds } from '../domain/audit.js';
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
  isEventsFault,
  narrow,
  stopAtOnce,
  toSetAside,
  tryAgain,
} from './error-policy.js';
import { assertHeld, ExternalModel } from './external.js';
import { toNamedError } from './handler-error.js';
import { type Handled, HeldEvents } from './held-events.js';
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

/** One transaction. */
export interface Step {
  readonly position: number;
  readonly events: number;
}

/** A part of a batch, and why it ends before its last event. */
interface HandledPart extends Handled {
  readonly stop?: EvstoreError;
}

/** Batches without an event of its own after which the position is moved all the same. */
const mostPassedOver = 20;
/** One look for events that the safe head went back behind. */
const lookMs = 500;

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
  /** Those that are, too, once what was folded is written. */
  readonly #parked = new Set<string>();
  /** Refused by the database, and to be put aside with what is written next. */
  #refused: { readonly event: RecordedEvent; readonly aside: SetAside }[] = [];
  #held: HeldEvents | undefined;
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
   * Applies batches until `to`, or until the safe head where that is lower: a step for each transaction. Stops early when
   * the signal aborts.
   * @throws E_HANDLER with everything before the event it failed on applied, when failures stop it
   * @throws E_SUPERSEDED when the lease is somebody else's
   */
  async *steps(to: number): AsyncGenerator<Step> {
    const { signal } = this.#target;
    let events = 0;
    for await (const batch of readPaced(this.#store.log, this.#projection.filter, this.#reached, to, this.#pace)) {
      this.#pace.record(batch.events, await this.#advance(batch));
      if (signal.aborted && this.#reached < batch.upTo) return;
      events += batch.events.length;
      if (this.#held === undefined) {
        yield { position: this.#position, events };
        events = 0;
      }
      if (signal.aborted) return;
    }
    if (this.#held === undefined) return;
    await this.settle();
    if (!signal.aborted) yield { position: this.#position, events };
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

  /** Writes what has been folded. @throws as `steps` */
  async settle(): Promise<void> {
    if (this.#held !== undefined) await this.#orInSmallBatches(this.#held.upTo, () => this.#writeHeld());
  }

  /** The end of what has been folded, written or not. */
  get #reached(): number {
    return this.#held?.upTo ?? this.#position;
  }

  /**
   * Folds a batch, and writes it when it is time to: at once, where a size was asked for and where what was folded cannot
   * wait.
   * @returns how long it took, in milliseconds, without writing what was held
   */
  async #advance(batch: EventBatch): Promise<number> {
    const startedAt = performance.now();
    if (this.#target.batchSize !== undefined || this.#fold.isFull === undefined) {
      await this.#applyOrNarrow(batch);
      return performance.now() - startedAt;
    }
    let tookMs = 0;
    const stop = await this.#orInSmallBatches(batch.upTo, async () => {
      const stop = await this.#hold(batch);
      tookMs = performance.now() - startedAt;
      if (stop !== undefined || this.#fold.isFull || this.#held?.isDue) await this.#writeHeld();
      return stop;
    });
    if (stop !== undefined && !this.#target.signal.aborted) throw stop;
    return tookMs;
  }

  /**
   * Does what concerns many events at once. Where one of them is at fault nothing of it stays: what is not in the table is
   * read again and applied in small batches, so that what becomes of a fault does not depend on what was held with it.
   */
  async #orInSmallBatches<T>(upTo: number, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#forget();
      if (!isEventsFault(error)) throw error;
    }
    const { log } = this.#store;
    const { signal } = this.#target;
    for (;;) {
      for await (const batch of log.readAll({ ...this.#projection.filter, after: this.#position, to: upTo })) {
        await this.#applyOrNarrow(batch);
        if (signal.aborted) return undefined;
      }
      if (this.#position >= upTo) return undefined;
      // The safe head has gone back behind what was below it when it was read first.
      await log.waitForAppend(this.#position, { timeoutMs: lookMs, signal });
      if (signal.aborted) return undefined;
    }
  }

  /** @returns why it ends before the batch does */
  async #hold(batch: EventBatch): Promise<EvstoreError | undefined> {
    const { stop, ...handled } = await this.#handle(batch);
    if (this.#target.signal.aborted) return undefined;
    this.#held ??= new HeldEvents(this.#position);
    this.#held.add(handled);
    return stop;
  }

  async #writeHeld(): Promise<void> {
    if (this.#held !== undefined) await this.#write(this.#held);
    this.#held = undefined;
  }

  /** The batch, in one transaction unless the database refuses something of it. */
  async #applyOrNarrow(batch: EventBatch): Promise<void> {
    try {
      await narrow(
        batch,
        (part) => this.#applyStubbornly(part),
        (event, error) => this.#refuse(event, error),
      );
      if (this.#refused.length > 0) await this.#write({ ...summarise([]), aside: [], upTo: batch.upTo });
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
      if (stop !== undefined && !this.#target.signal.aborted) throw stop;
    } catch (error) {
      this.#fold.forget();
      this.#parked.clear();
      throw error;
    }
  }

  /** Folds what the handlers take. */
  async #handle({ events, upTo }: EventBatch): Promise<HandledPart> {
    const { signal, part = wholeWork } = this.#target;
    const { onError, retries } = this.#policy;
    const own = part.of === 1 ? events : events.filter((event) => mayConcern(this.#projection, event, part));
    const waiting = await this.#findWaiting();
    const aside: SetAside[] = [];
    await this.#fold.prepare(waiting.size === 0 ? own : own.filter(({ streamId }) => !waiting.has(streamId)));
    const slices = new Slices();
    for (const event of own) {
      if (slices.isOver) await slices.next();
      if (signal.aborted) break;
      if (waiting.has(event.streamId) || this.#parked.has(event.streamId)) {
        aside.push(toSetAside(event, 'parked', null));
        continue;
      }
      try {
        this.#fold.add(event);
      } catch (error) {
        const failure = await tryAgain(error, retries, signal, () => this.#fold.retry(event));
        if (failure === undefined) continue;
        if (onError === 'stop') {
          const upTo = event.globalPosition - 1;
          const before = events.filter(({ globalPosition }) => globalPosition <= upTo);
          return { ...summarise(before), aside, upTo, stop: failure.error };
        }
        aside.push(toSetAside(event, stateOf[onError], failure));
        if (onError === 'park') this.#parked.add(event.streamId);
      }
    }
    return { ...summarise(events), aside, upTo };
  }

  async #findWaiting(): Promise<ReadonlySet<string>> {
    const { projections } = this.#store;
    const tables = tablesOf(this.#target.lease);
    this.#waiting ??= new Set(await projections.parkedStreams(this.#projection.name, tables));
    return this.#waiting;
  }

  /** The database takes none of what the event makes. */
  async #refuse(event: RecordedEvent, error: EvstoreError): Promise<void> {
    const { onError, retries } = this.#policy;
    const failure = await tryAgain(error, retries, this.#target.signal, async () => {
      this.#fold.forget();
      await this.#fold.retry(event);
      await this.#write({ ...summarise([event]), aside: [], upTo: event.globalPosition });
    });
    this.#fold.forget();
    if (failure === undefined) return;
    const named = toNamedError(this.#projection.name, event, failure.error);
    if (onError === 'stop') throw named;
    if (onError === 'park') this.#waiting?.add(event.streamId);
    this.#refused.push({ event, aside: toSetAside(event, stateOf[onError], { ...failure, error: named }) });
  }

  /** What has been folded, what was put aside, and the position behind them. */
  async #write({ tally, lastEventId, aside, upTo }: Handled): Promise<void> {
    const { lease, side, signal } = this.#target;
    if (signal.aborted || upTo <= this.#position) return;
    const { filter, name } = this.#projection;
    const { changes, writeOutside, keep } = await this.#fold.take();
    await writeOutside?.({ from: this.#position, to: upTo });
    if (signal.aborted) return;
    const refused = summarise(this.#refused.map(({ event }) => event));
    const delivered = addTallies(refused.tally, tally);
    const added = [...this.#refused.map((each) => each.aside), ...aside];
    await this.#store.projections.apply({
      lease,
      ...(side !== undefined && { side }),
      from: this.#position,
      to: upTo,
      lastEventId: lastEventId ?? refused.lastEventId,
      seen: { filter, ...delivered },
      changes,
      ...(added.length > 0 && { parked: { projection: holderOf(lease, name), added, removed: [] } }),
    });
    this.#position = upTo;
    this.#events += delivered.events - added.length;
    this.#aside += added.length;
    this.#refused = [];
    for (const streamId of this.#parked) this.#waiting?.add(streamId);
    this.#parked.clear();
    keep();
    for (const each of added) this.#target.tellAside?.(each, name);
  }

  /** What was remembered is looked up anew, what is held is dropped. */
  #forget(): void {
    this.#fold.forget();
    this.#held = undefined;
    this.#waiting = undefined;
    this.#parked.clear();
    this.#refused = [];
  }
}

function summarise(events: readonly RecordedEvent[]): Pick<Handled, 'tally' | 'lastEventId'> {
  return { tally: tallyIds(events.map(({ id }) => id)), lastEventId: events.at(-1)?.id ?? null };
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
