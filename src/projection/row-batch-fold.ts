/** Events folded into rows, with what is remembered of the table. */
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import type { RowChanges } from '../domain/read-model.js';
import type { ProjectionStore } from '../store/store.js';
import type { BatchFold, Folded, FoldTarget } from './batch-fold.js';
import { keyOf, type RowKey } from './columns.js';
import { type RoutedEvent, RowFold, routeEvent } from './fold.js';
import type { PreparedTableProjection } from './prepare.js';
import { RowCache } from './row-cache.js';
import { Slices } from './slices.js';

export type ReadableTable = Pick<ProjectionStore, 'readRows'>;

/** An error is thrown where the event is added. */
type Routed = RoutedEvent | { readonly recorded: RecordedEvent; readonly error: unknown };

/** In this thread. */
export class RowBatchFold implements BatchFold {
  readonly #table: ReadableTable;
  readonly #projection: PreparedTableProjection;
  readonly #target: FoldTarget;
  readonly #cache: RowCache;
  readonly #fold: RowFold;
  /** Prepared, in the order in which they are added. */
  #routed: Routed[] = [];
  #next = 0;

  constructor(table: ReadableTable, projection: PreparedTableProjection, target: FoldTarget) {
    this.#table = table;
    this.#projection = projection;
    this.#target = target;
    this.#cache = new RowCache(target.isEmpty ?? false, target.cacheBytes);
    this.#fold = new RowFold(projection, this.#cache);
  }

  get isFull(): boolean {
    return this.#cache.isFull;
  }

  async prepare(events: readonly RecordedEvent[]): Promise<void> {
    const unknown = new Map<string, RowKey>();
    const slices = new Slices();
    this.#routed = [];
    this.#next = 0;
    for (const event of events) {
      if (slices.isOver) await slices.next();
      if (this.#target.signal.aborted) return;
      const routed = this.#route(event);
      this.#routed.push(routed);
      this.#collectUnknown(routed, unknown);
    }
    await this.#lookUp(unknown);
  }

  add(event: RecordedEvent): void {
    let routed = this.#routed[this.#next++];
    while (routed !== undefined && routed.recorded !== event) routed = this.#routed[this.#next++];
    if (routed === undefined) throw new EvstoreError('E_BUG', `event ${event.globalPosition} was not prepared`);
    this.#foldRouted(routed);
  }

  async retry(event: RecordedEvent): Promise<void> {
    const routed = this.#route(event);
    const unknown = new Map<string, RowKey>();
    this.#collectUnknown(routed, unknown);
    await this.#lookUp(unknown);
    this.#foldRouted(routed);
  }

  take(): Folded {
    return { changes: this.takeRows(), keep: () => this.keep() };
  }

  /** As `take`, to be followed by `keep`. */
  takeRows(): RowChanges {
    return this.#fold.changes(this.#target.physical(this.#projection.shape.spec.name));
  }

  keep(): void {
    this.#fold.settle();
    this.#cache.settle();
  }

  forget(): void {
    this.#routed = [];
    this.#fold.forget();
    this.#cache.clear();
  }

  #foldRouted(routed: Routed): void {
    if ('error' in routed) throw routed.error;
    this.#fold.add(routed);
  }

  #collectUnknown(routed: Routed, unknown: Map<string, RowKey>): void {
    if ('error' in routed) return;
    for (const key of routed.keys) if (this.#cache.get(key) === undefined) unknown.set(key.text, key);
  }

  async #lookUp(unknown: ReadonlyMap<string, RowKey>): Promise<void> {
    if (unknown.size === 0) return;
    const { shape } = this.#projection;
    const table = this.#target.physical(shape.spec.name);
    const keys = [...unknown.values()].map(({ columns }) => columns);
    const found = new Map(
      (await this.#table.readRows(table, shape.spec, keys)).map((row) => [keyOf(shape, row).text, row]),
    );
    for (const [text, key] of unknown) this.#cache.learn(key, found.get(text) ?? null);
  }

  #route(recorded: RecordedEvent): Routed {
    try {
      return routeEvent(this.#projection, recorded, this.#target.part);
    } catch (error) {
      return { recorded, error };
    }
  }
}
