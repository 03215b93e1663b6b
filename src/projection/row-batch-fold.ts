/** A batch of events folded into rows, with what is remembered of the table. */
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import type { Changes, StoredRow } from '../domain/read-model.js';
import type { ProjectionStore } from '../store/store.js';
import type { BatchFold, Folded, FoldTarget } from './batch-fold.js';
import { keyOf } from './columns.js';
import { type RoutedEvent, RowFold, routeEvent } from './fold.js';
import type { PreparedTableProjection } from './prepare.js';
import { RowCache } from './row-cache.js';
import { Slices } from './slices.js';

export type ReadableTable = Pick<ProjectionStore, 'readRows'>;

/** In this thread. */
export class RowBatchFold implements BatchFold {
  readonly #table: ReadableTable;
  readonly #projection: PreparedTableProjection;
  readonly #target: FoldTarget;
  readonly #cache: RowCache;
  /** By position; an error is thrown where the event is added. */
  #routed = new Map<number, RoutedEvent | { readonly error: unknown }>();
  #rows = new Map<string, StoredRow | null>();
  #fold: RowFold;

  constructor(table: ReadableTable, projection: PreparedTableProjection, target: FoldTarget) {
    this.#table = table;
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
    const found = await this.#table.readRows(table, shape.spec, [...unknown.values()]);
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
    const { keep, ...changes } = this.takeRows();
    return { changes, keep };
  }

  /** As `take`. */
  takeRows(): Extract<Changes, { kind: 'rows' }> & Pick<Folded, 'keep'> {
    const fold = this.#fold;
    this.#begin();
    return {
      ...fold.changes(this.#target.physical(this.#projection.shape.spec.name)),
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
