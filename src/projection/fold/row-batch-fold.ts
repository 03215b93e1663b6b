/** Events folded into rows, with what is remembered of the table. */
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { wholeWork } from '../../domain/parts.js';
import type { RowChanges } from '../../domain/read-model.js';
import type { ProjectionStore } from '../../store/store.js';
import { keyOf, type RowKey } from '../define/columns.js';
import type { Event } from '../define/definition.js';
import { HandledEvent } from '../define/event.js';
import type { PreparedTableProjection } from '../define/prepare.js';
import type { BatchFold, Folded, FoldTarget } from './batch-fold.js';
import type { FoldedRow } from './folded-row.js';
import { RowCache } from './row-cache.js';
import { handlerOf, nameRows, RowFold, toKeys } from './row-fold.js';
import { Slices } from './slices.js';

export type ReadableTable = Pick<ProjectionStore, 'readRows'>;

/** An event with the rows it is about; an error is thrown where it is added. */
type Routed =
  | { readonly recorded: RecordedEvent; readonly event: Event | undefined; rows: readonly FoldedRow[] }
  | { readonly recorded: RecordedEvent; readonly error: unknown };

/** An event about rows of which only the table knows. */
interface Awaiting {
  readonly routed: Exclude<Routed, { error: unknown }>;
  readonly keys: readonly RowKey[];
}

const none: readonly FoldedRow[] = [];

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
    const awaiting: Awaiting[] = [];
    const slices = new Slices();
    this.#routed = [];
    this.#next = 0;
    for (const event of events) {
      if (slices.isOver) await slices.next();
      if (this.#target.signal.aborted) return;
      this.#routed.push(this.#route(event, awaiting));
    }
    await this.#lookUp(awaiting);
  }

  add(event: RecordedEvent): void {
    let routed = this.#routed[this.#next++];
    while (routed !== undefined && routed.recorded !== event) routed = this.#routed[this.#next++];
    if (routed === undefined) throw new EvstoreError('E_BUG', `event ${event.globalPosition} was not prepared`);
    this.#foldRouted(routed);
  }

  async retry(event: RecordedEvent): Promise<void> {
    const awaiting: Awaiting[] = [];
    const routed = this.#route(event, awaiting);
    await this.#lookUp(awaiting);
    this.#foldRouted(routed);
  }

  take(): Folded {
    return { changes: this.takeRows() };
  }

  /** As `take`. */
  takeRows(): RowChanges {
    const changes = this.#fold.take(this.#target.physical(this.#projection.shape.spec.name));
    this.#cache.settle();
    return changes;
  }

  forget(): void {
    this.#routed = [];
    this.#fold.forget();
    this.#cache.clear();
  }

  #foldRouted(routed: Routed): void {
    if ('error' in routed) throw routed.error;
    const { recorded, rows } = routed;
    this.#fold.fold(recorded, routed.event ?? this.#toEvent(recorded), rows);
  }

  #route(recorded: RecordedEvent, awaiting: Awaiting[]): Routed {
    try {
      const { definition, shape } = this.#projection;
      if (handlerOf(definition.on, recorded.type) === undefined) return { recorded, event: undefined, rows: none };
      // Where its key does not ask for it the event is made when it is folded, and is gone by then: many at a time are dear.
      const event = definition.key === undefined ? undefined : this.#toEvent(recorded);
      const named = event === undefined ? recorded.streamId : nameRows(this.#projection, recorded, event);
      // Of most events the row is known by the text that names it.
      const known = shape.isKeyedByText && typeof named === 'string' ? this.#cache.get(named) : undefined;
      if (known !== undefined) return { recorded, event, rows: [known] };
      const keys = toKeys(this.#projection, recorded, named, this.#target.part ?? wholeWork);
      const rows = keys.flatMap((key) => this.#cache.get(key.text) ?? this.#cache.begin(key) ?? []);
      const routed = { recorded, event, rows };
      if (rows.length < keys.length) awaiting.push({ routed, keys });
      return routed;
    } catch (error) {
      return { recorded, error };
    }
  }

  #toEvent(recorded: RecordedEvent): Event {
    return new HandledEvent(recorded, this.#projection.definition.upcasters);
  }

  async #lookUp(awaiting: readonly Awaiting[]): Promise<void> {
    if (awaiting.length === 0) return;
    const { shape } = this.#projection;
    const table = this.#target.physical(shape.spec.name);
    const unknown = new Map<string, RowKey>();
    for (const { keys } of awaiting) {
      for (const key of keys) if (this.#cache.get(key.text) === undefined) unknown.set(key.text, key);
    }
    const wanted = [...unknown.values()].map(({ columns }) => columns);
    const found = await this.#table.readRows(table, shape.spec, wanted);
    const stored = new Map(found.map((row) => [keyOf(shape, row).text, row]));
    for (const [text, key] of unknown) this.#cache.learn(key, stored.get(text) ?? null);
    for (const { routed, keys } of awaiting) routed.rows = keys.map((key) => this.#cache.find(key));
  }
}
