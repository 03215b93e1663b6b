/**
 * What a batch of events makes of a read model: rows to write where they are folded, statements where they are told, and
 * where the rows are outside the store's database what is written there first.
 */
import { setImmediate } from 'node:timers/promises';
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import type { Part } from '../domain/parts.js';
import type { Changes, DeferredChanges, Statement, StoredRow } from '../domain/read-model.js';
import type { Store } from '../store/store.js';
import { keyOf } from './columns.js';
import type { Event } from './definition.js';
import type { ExternalModel } from './external.js';
import { type RoutedEvent, RowFold, routeEvent, statementsOf } from './fold.js';
import { deferChanges } from './inline.js';
import {
  isExternalProjection,
  isTableProjection,
  type PreparedProjection,
  type PreparedSqlProjection,
  type PreparedTableProjection,
} from './prepare.js';
import { RowCache } from './row-cache.js';

/** The table that is written. */
export interface FoldTarget {
  /** Maps a name readers use to the table to write. */
  readonly physical: (name: string) => string;
  /** Only rows whose keys fall to it are written; all of them unless said. */
  readonly part?: Part;
  /** The table holds nothing: no key has to be looked up. */
  readonly isEmpty?: boolean;
  /** What the rows kept in memory may take, in bytes. */
  readonly cacheBytes?: number | undefined;
  /** Other code has made its rows, in appends perhaps: what they have marked is passed over. */
  readonly isForeign?: boolean;
  /** Aborted: the batch under way is dropped, nothing of it is written. */
  readonly signal: AbortSignal;
}

/** Positions a batch lies between. */
export interface PositionRange {
  /** Exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface Folded {
  readonly changes: Changes | DeferredChanges;
  /**
   * To be called before the changes are applied: what is outside the store's database.
   * @throws E_HANDLER naming the event, or none where it is about the batch
   */
  readonly writeOutside?: (range: PositionRange) => Promise<void>;
  /** To be called when the changes are in the table: the next batch starts from them. */
  readonly keep: () => void;
}

export interface BatchFold {
  /** Gets events ready to be added: reads the rows they are about. An event at fault shows when it is added. */
  prepare(events: readonly RecordedEvent[]): Promise<void>;
  /**
   * Folds an event that was prepared; prepared again it is tried from the beginning.
   * @throws E_HANDLER naming the event, which has then changed nothing
   */
  add(event: RecordedEvent): void;
  /** What the events added since the last time make; of no use when the signal aborted meanwhile. */
  take(): Folded;
  /** After a failure, or a move: what was added is dropped, what was remembered of the table looked up anew. */
  forget(): void;
}

/** @param model of an external projection: where it writes */
export function createBatchFold(
  store: Store,
  projection: PreparedProjection,
  target: FoldTarget,
  model?: ExternalModel,
): BatchFold {
  if (isExternalProjection(projection)) {
    if (model === undefined) throw new EvstoreError('E_BUG', `nothing was opened for projection ${projection.name}`);
    return new ExternalBatchFold(model);
  }
  if (target.isEmpty !== true && (projection.mode === 'inline' || target.isForeign === true)) {
    return new DeferredBatchFold(projection, target);
  }
  if (isTableProjection(projection)) return new RowBatchFold(store, projection, target);
  return new StatementBatchFold(projection, target);
}

class RowBatchFold implements BatchFold {
  readonly #store: Store;
  readonly #projection: PreparedTableProjection;
  readonly #target: FoldTarget;
  readonly #cache: RowCache;
  /** By position; an error is thrown where the event is added. */
  #routed = new Map<number, RoutedEvent | { readonly error: unknown }>();
  #rows = new Map<string, StoredRow | null>();
  #fold: RowFold;

  constructor(store: Store, projection: PreparedTableProjection, target: FoldTarget) {
    this.#store = store;
    this.#projection = projection;
    this.#target = target;
    this.#cache = new RowCache(target.isEmpty ?? false, target.cacheBytes);
    this.#fold = new RowFold(projection, this.#rows);
  }

  async prepare(events: readonly RecordedEvent[]): Promise<void> {
    const unknown = new Map<string, StoredRow>();
    const slices = new Slices();
    for (const event of events) {
      if (slices.isOver) await slices.next();
      if (this.#target.signal.aborted) return;
      const routed = this.#route(event);
      this.#routed.set(event.globalPosition, routed);
      if ('error' in routed) continue;
      for (const { text, columns } of routed.keys) {
        if (this.#rows.has(text)) continue;
        const row = this.#cache.get(text);
        if (row === undefined) unknown.set(text, columns);
        else this.#rows.set(text, row);
      }
    }
    if (unknown.size === 0) return;
    const { shape } = this.#projection;
    const table = this.#target.physical(shape.spec.name);
    const found = await this.#store.projections.readRows(table, shape.spec, [...unknown.values()]);
    for (const text of unknown.keys()) this.#rows.set(text, null);
    for (const row of found) this.#rows.set(keyOf(shape, row).text, row);
  }

  add(event: RecordedEvent): void {
    const routed = this.#routed.get(event.globalPosition);
    if (routed === undefined) throw new EvstoreError('E_BUG', `event ${event.globalPosition} was not prepared`);
    if ('error' in routed) throw routed.error;
    this.#fold.add(routed);
  }

  take(): Folded {
    const fold = this.#fold;
    this.#begin();
    return {
      changes: fold.changes(this.#target.physical(this.#projection.shape.spec.name)),
      keep: () => {
        for (const [key, row] of fold.rows()) this.#cache.set(key, row);
      },
    };
  }

  forget(): void {
    this.#begin();
    this.#cache.clear();
  }

  #begin(): void {
    this.#routed = new Map();
    this.#rows = new Map();
    this.#fold = new RowFold(this.#projection, this.#rows);
  }

  #route(event: RecordedEvent): RoutedEvent | { readonly error: unknown } {
    try {
      return routeEvent(this.#projection, event, this.#target.part);
    } catch (error) {
      return { error };
    }
  }
}

class StatementBatchFold implements BatchFold {
  readonly #projection: PreparedSqlProjection;
  readonly #target: FoldTarget;
  #statements: Statement[] = [];

  constructor(projection: PreparedSqlProjection, target: FoldTarget) {
    this.#projection = projection;
    this.#target = target;
  }

  async prepare(): Promise<void> {}

  add(event: RecordedEvent): void {
    this.#statements.push(...statementsOf(this.#projection, event, this.#target.physical));
  }

  take(): Folded {
    const statements = this.#statements;
    this.#statements = [];
    return { changes: { kind: 'statements', statements }, keep: () => {} };
  }

  forget(): void {
    this.#statements = [];
  }
}

/**
 * Appends write the rows too: they are read, folded and written in one transaction, and nothing is remembered. What a
 * handler cannot take shows when it is applied, as what the database refuses does.
 */
class DeferredBatchFold implements BatchFold {
  readonly #projection: PreparedProjection;
  readonly #target: FoldTarget;
  #events: RecordedEvent[] = [];

  constructor(projection: PreparedProjection, target: FoldTarget) {
    this.#projection = projection;
    this.#target = target;
  }

  async prepare(): Promise<void> {}

  add(event: RecordedEvent): void {
    this.#events.push(event);
  }

  take(): Folded {
    const events = this.#events;
    this.#events = [];
    return { changes: deferChanges(this.#projection, events, this.#target), keep: () => {} };
  }

  forget(): void {
    this.#events = [];
  }
}

/** In the store's database there is nothing to write but the position. */
class ExternalBatchFold implements BatchFold {
  readonly #model: ExternalModel;
  #events: Event[] = [];

  constructor(model: ExternalModel) {
    this.#model = model;
  }

  async prepare(): Promise<void> {}

  add(event: RecordedEvent): void {
    this.#events.push(this.#model.toEvent(event));
  }

  take(): Folded {
    const events = this.#events;
    this.#events = [];
    return {
      changes: { kind: 'statements', statements: [] },
      writeOutside: (range) => this.#model.write(events, range),
      keep: () => {},
    };
  }

  forget(): void {
    this.#events = [];
  }
}

const sliceMs = 30;

/** Work in slices, so that timers and signals get their turn. */
export class Slices {
  #end = performance.now() + sliceMs;

  get isOver(): boolean {
    return performance.now() >= this.#end;
  }

  async next(): Promise<void> {
    await setImmediate();
    this.#end = performance.now() + sliceMs;
  }
}
