/**
 * Folds batches of events into a read model and writes what they make, with the position behind them, in one transaction.
 * What becomes of an event that its handler or the database does not take is decided here.
 */
import { addTallies, tallyIds } from '../../domain/audit.js';
import { detach } from '../../domain/detach.js';
import type { EvstoreError } from '../../domain/errors.js';
import type { EventBatch, RecordedEvent } from '../../domain/event.js';
import { wholeWork } from '../../domain/parts.js';
import type { Lease, SetAside, Store } from '../../store/store.js';
import type { ExternalTarget } from '../define/definition.js';
import { toNamedError } from '../define/handler-error.js';
import { isExternalProjection, type PreparedExternalProjection, type PreparedProjection } from '../define/prepare.js';
import { assertHeld, ExternalModel } from '../external/external.js';
import { type BatchFold, createBatchFold, type Folded, type FoldTarget } from '../fold/batch-fold.js';
import { mayConcern } from '../fold/partition.js';
import { Slices } from '../fold/slices.js';
import {
  type ErrorHandling,
  type ErrorPolicy,
  isBatchFault,
  narrow,
  stopAtOnce,
  toSetAside,
  tryAgain,
} from './error-policy.js';
import type { Handled } from './held-events.js';

/** What is written. */
export interface ApplierTarget extends FoldTarget, ErrorHandling {
  readonly lease: Lease;
  /** Of a rebuild: which table's cursor moves. */
  readonly side?: 'built' | 'old';
  /** Everything up to here is in the table, or put aside. */
  readonly position: number;
  /** Which made it, where it is outside the store's database; the projection's own unless said. */
  readonly version?: number;
}

/** A batch as the handlers left it, and why it ends before its last event. */
export interface HandledPart extends Handled {
  readonly stop?: EvstoreError;
}

/** What was folded, and what it makes. */
export interface Taken extends Handled, Folded {}

export class BatchApplier {
  readonly #store: Store;
  readonly #projection: PreparedProjection;
  readonly #target: ApplierTarget;
  readonly #policy: ErrorPolicy;
  readonly #fold: BatchFold;
  readonly #external: ExternalModel | undefined;
  /** Streams of which an event is parked; asked for when the first batch is there. */
  #waiting: Set<string> | undefined;
  /** Those that are, too, once what was folded is written. */
  readonly #parked = new Set<string>();
  /** Refused by the database, and to be put aside with what is written next. */
  #refused: { readonly event: RecordedEvent; readonly aside: SetAside }[] = [];
  #position: number;
  #events = 0;
  #aside = 0;

  constructor(store: Store, projection: PreparedProjection, target: ApplierTarget) {
    this.#store = store;
    this.#projection = projection;
    this.#target = target;
    this.#policy = target.policy ?? stopAtOnce;
    this.#external = isExternalProjection(projection) ? openExternal(store, projection, target) : undefined;
    this.#fold = createBatchFold(store, projection, target, this.#external);
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

  /** What was folded may wait to be written with what comes after it. */
  get canHold(): boolean {
    return this.#fold.isFull !== undefined;
  }

  /** It is to be written before more is folded. */
  get isFull(): boolean {
    return this.#fold.isFull === true;
  }

  async start(): Promise<void> {
    await this.#fold.start?.();
  }

  async open(): Promise<void> {
    await this.#external?.open();
  }

  async promote(previous: ExternalTarget | null): Promise<void> {
    await this.#external?.promote(previous);
  }

  async close(): Promise<void> {
    await this.#external?.close();
    await this.#fold.close?.();
  }

  moveTo(position: number): void {
    this.#position = position;
    this.forget();
  }

  /** The batch, in one transaction unless the database refuses something of it. */
  async apply(batch: EventBatch): Promise<void> {
    try {
      await narrow(
        batch,
        (part) => this.#applyStubbornly(part),
        (event, error) => this.#refuse(event, error),
      );
      if (this.#refused.length > 0) await this.write({ ...summarise([]), aside: [], upTo: batch.upTo });
    } catch (error) {
      this.forget();
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
      const { stop, ...handled } = await this.fold(batch);
      await this.write(handled);
      if (stop !== undefined && !this.#target.signal.aborted) throw stop;
    } catch (error) {
      this.#fold.forget();
      this.#parked.clear();
      throw error;
    }
  }

  /** Folds what the handlers take. */
  async fold({ events, upTo }: EventBatch): Promise<HandledPart> {
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
        if (onError === 'park') this.#parked.add(detach(event.streamId));
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
      await this.write({ ...summarise([event]), aside: [], upTo: event.globalPosition });
    });
    this.#fold.forget();
    if (failure === undefined) return;
    const named = toNamedError(this.#projection.name, event, failure.error);
    if (onError === 'stop') throw named;
    if (onError === 'park') this.#waiting?.add(detach(event.streamId));
    this.#refused.push({ event, aside: toSetAside(event, stateOf[onError], { ...failure, error: named }) });
  }

  /** What has been folded, what was put aside, and the position behind them. */
  async write(handled: Handled): Promise<void> {
    await this.put(await this.take(handled));
  }

  /** What is to be written: more may be folded before it is, but not taken. */
  async take({ upTo, tally, lastEventId, aside }: Handled): Promise<Taken> {
    return { upTo, tally, lastEventId, aside, ...(await this.#fold.take()) };
  }

  async put({ tally, lastEventId, aside, upTo, changes, writeOutside }: Taken): Promise<void> {
    const { lease, side, signal } = this.#target;
    if (signal.aborted || upTo <= this.#position) return;
    const { filter, name } = this.#projection;
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
    for (const each of added) this.#target.tellAside?.(each, name);
  }

  /** What was folded is dropped, and what was remembered of the table looked up anew. */
  forget(): void {
    this.#fold.forget();
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
  { lease, physical, version, isEmpty, signal }: ApplierTarget,
): ExternalModel {
  return new ExternalModel({
    projection,
    target: { name: physical(projection.name), version: version ?? projection.version },
    isNew: isEmpty ?? false,
    hold: () => assertHeld(projections, lease),
    signal,
  });
}
