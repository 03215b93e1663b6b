/** Folds events into the rows of a table projection, in this thread. */
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { wholeWork } from '../../domain/parts.js';
import type { RowChanges } from '../../domain/read-model.js';
import type { ProjectionStore } from '../../store/store.js';
import { keyOf, type RowKey } from '../define/columns.js';
import type { Event } from '../define/definition.js';
import type { PreparedTableProjection } from '../define/prepare.js';
import type { BatchFold, FoldTarget } from './batch-fold.js';
import { type HeldRow, HeldRows } from './held-rows.js';
import { foldInto, type Handler, handlerOf, nameRows, toHandledEvent, toKeys } from './row-fold.js';
import { Slices } from './slices.js';

export type ReadableTable = Pick<ProjectionStore, 'readRows'>;

/** A prepared event with its handler and its rows, or the error to throw when it is added. */
type Routed =
  | {
      readonly recorded: RecordedEvent;
      readonly handler: Handler | undefined;
      readonly event: Event | undefined;
      rows: readonly HeldRow[];
    }
  | { readonly recorded: RecordedEvent; readonly error: unknown };

/** An event whose rows have to be read from the table. */
interface Awaiting {
  readonly routed: Exclude<Routed, { error: unknown }>;
  readonly keys: readonly RowKey[];
}

const none: readonly HeldRow[] = [];

export class TableFold implements BatchFold {
  readonly #table: ReadableTable;
  readonly #projection: PreparedTableProjection;
  readonly #target: FoldTarget;
  readonly #rows: HeldRows;
  /** By event type. */
  readonly #handlers = new Map<string, Handler>();
  /** The prepared events, in the order in which they are added. */
  #routed: Routed[] = [];
  #next = 0;

  constructor(table: ReadableTable, projection: PreparedTableProjection, target: FoldTarget) {
    const { isEmpty = false, cacheBytes: limit } = target;
    this.#table = table;
    this.#projection = projection;
    this.#target = target;
    this.#rows = new HeldRows(projection.shape, { isEmpty, limit });
  }

  get isFull(): boolean {
    return this.#rows.isFull;
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
    this.#fold(routed);
  }

  async retry(event: RecordedEvent): Promise<void> {
    const awaiting: Awaiting[] = [];
    const routed = this.#route(event, awaiting);
    await this.#lookUp(awaiting);
    this.#fold(routed);
  }

  takeChanges(): { readonly changes: RowChanges } {
    return { changes: this.#rows.takeChanges(this.#target.physical(this.#projection.shape.spec.name)) };
  }

  forget(): void {
    this.#routed = [];
    this.#rows.forget();
  }

  #fold(routed: Routed): void {
    if ('error' in routed) throw routed.error;
    const { recorded, handler, rows } = routed;
    if (handler === undefined) return;
    foldInto(this.#projection, recorded, routed.event ?? this.#toEvent(recorded), handler, rows, this.#rows);
  }

  #route(recorded: RecordedEvent, awaiting: Awaiting[]): Routed {
    try {
      const { definition, shape } = this.#projection;
      const handler = this.#handlerOf(recorded.type);
      if (handler === undefined) return { recorded, handler, event: undefined, rows: none };
      // Unless `key` needs it, the event is made when it is folded, so that it lives briefly: a batch of them is expensive.
      const event = definition.key === undefined ? undefined : this.#toEvent(recorded);
      const named = event === undefined ? recorded.streamId : nameRows(this.#projection, recorded, event);
      // The usual case: a row in memory, found by the text that names it.
      const known = shape.isKeyedByText && typeof named === 'string' ? this.#rows.get(named) : undefined;
      if (known !== undefined) return { recorded, handler, event, rows: [known] };
      const keys = toKeys(this.#projection, recorded, named, this.#target.part ?? wholeWork);
      const rows = keys.flatMap((key) => this.#rows.get(key.text) ?? this.#rows.begin(key) ?? []);
      const routed = { recorded, handler, event, rows };
      if (rows.length < keys.length) awaiting.push({ routed, keys });
      return routed;
    } catch (error) {
      return { recorded, error };
    }
  }

  #handlerOf(type: string): Handler | undefined {
    let handler = this.#handlers.get(type);
    if (handler === undefined) {
      handler = handlerOf(this.#projection.definition.on, type);
      if (handler !== undefined) this.#handlers.set(type, handler);
    }
    return handler;
  }

  #toEvent(recorded: RecordedEvent): Event {
    return toHandledEvent(this.#projection, recorded);
  }

  async #lookUp(awaiting: readonly Awaiting[]): Promise<void> {
    if (awaiting.length === 0) return;
    const { shape } = this.#projection;
    const table = this.#target.physical(shape.spec.name);
    const unknown = new Map<string, RowKey>();
    for (const { keys } of awaiting) {
      for (const key of keys) if (this.#rows.get(key.text) === undefined) unknown.set(key.text, key);
    }
    const wanted = [...unknown.values()].map(({ columns }) => columns);
    const found = await this.#table.readRows(table, shape.spec, wanted);
    const stored = new Map(found.map((row) => [keyOf(shape, row).text, row]));
    for (const [text, key] of unknown) this.#rows.learn(key, stored.get(text) ?? null);
    for (const { routed, keys } of awaiting) routed.rows = keys.map((key) => this.#rows.find(key));
  }
}
