/** What a batch of events makes of a read model: rows to write where they are folded, statements where they are told. */
import { setImmediate } from 'node:timers/promises';
import type { RecordedEvent } from '../domain/event.js';
import type { Changes, Statement, StoredRow } from '../domain/read-model.js';
import type { Store } from '../store/store.js';
import { keyOf } from './columns.js';
import { type RoutedEvent, RowFold, routeEvent, statementsOf } from './fold.js';
import {
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
  /** The table holds nothing: no key has to be looked up. */
  readonly isEmpty?: boolean;
  /** Aborted: the batch under way is dropped, nothing of it is written. */
  readonly signal: AbortSignal;
}

export interface Folded {
  readonly changes: Changes;
  /** To be called when the changes are in the table: the next batch starts from them. */
  readonly keep: () => void;
}

export interface BatchFold {
  /**
   * Reads the rows it needs, writes nothing. Of no use when the signal aborted meanwhile.
   * @throws E_HANDLER naming the event
   */
  fold(events: readonly RecordedEvent[]): Promise<Folded>;
  /** After a failure, or a move: what was remembered of the table is looked up anew. */
  forget(): void;
}

export function createBatchFold(store: Store, projection: PreparedProjection, target: FoldTarget): BatchFold {
  return isTableProjection(projection)
    ? new RowBatchFold(store, projection, target)
    : new StatementBatchFold(projection, target);
}

class RowBatchFold implements BatchFold {
  readonly #store: Store;
  readonly #projection: PreparedTableProjection;
  readonly #target: FoldTarget;
  readonly #cache: RowCache;

  constructor(store: Store, projection: PreparedTableProjection, target: FoldTarget) {
    this.#store = store;
    this.#projection = projection;
    this.#target = target;
    this.#cache = new RowCache(target.isEmpty ?? false);
  }

  async fold(events: readonly RecordedEvent[]): Promise<Folded> {
    const { signal, physical } = this.#target;
    const routed: RoutedEvent[] = [];
    await inSlices(events, signal, (event) => routed.push(routeEvent(this.#projection, event)));
    const fold = new RowFold(this.#projection, await this.#currentRows(routed));
    await inSlices(routed, signal, (event) => fold.add(event));
    return {
      changes: fold.changes(physical(this.#projection.shape.spec.name)),
      keep: () => {
        for (const [key, row] of fold.rows()) this.#cache.set(key, row);
      },
    };
  }

  forget(): void {
    this.#cache.clear();
  }

  /** From memory where it is known, from the table where it is not. */
  async #currentRows(routed: readonly RoutedEvent[]): Promise<Map<string, StoredRow | null>> {
    const { shape } = this.#projection;
    const rows = new Map<string, StoredRow | null>();
    const unknown: StoredRow[] = [];
    for (const { keys } of routed) {
      for (const { text, columns } of keys) {
        if (rows.has(text)) continue;
        const row = this.#cache.get(text);
        if (row === undefined) unknown.push(columns);
        rows.set(text, row ?? null);
      }
    }
    if (unknown.length > 0) {
      const table = this.#target.physical(shape.spec.name);
      for (const row of await this.#store.projections.readRows(table, shape.spec, unknown)) {
        rows.set(keyOf(shape, row).text, row);
      }
    }
    return rows;
  }
}

class StatementBatchFold implements BatchFold {
  readonly #projection: PreparedSqlProjection;
  readonly #target: FoldTarget;

  constructor(projection: PreparedSqlProjection, target: FoldTarget) {
    this.#projection = projection;
    this.#target = target;
  }

  async fold(events: readonly RecordedEvent[]): Promise<Folded> {
    const statements: Statement[] = [];
    await inSlices(events, this.#target.signal, (event) => {
      statements.push(...statementsOf(this.#projection, event, this.#target.physical));
    });
    return { changes: { kind: 'statements', statements }, keep: () => {} };
  }

  forget(): void {}
}

const sliceMs = 30;

/** Lets timers and signals through between slices; stops when the signal aborts. */
async function inSlices<T>(items: readonly T[], signal: AbortSignal, act: (item: T) => void): Promise<void> {
  let sliceEnd = performance.now() + sliceMs;
  for (const item of items) {
    act(item);
    if (performance.now() < sliceEnd) continue;
    await setImmediate();
    if (signal.aborted) return;
    sliceEnd = performance.now() + sliceMs;
  }
}
