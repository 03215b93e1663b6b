/** Some rows of a table projection, folded from the beginning in memory. */
import type { RecordedEvent } from '../../domain/event.js';
import type { StoredRow } from '../../domain/read-model.js';
import type { Store } from '../../store/store.js';
import type { PreparedTableProjection } from '../define/prepare.js';
import { HeldRows } from '../fold/held-rows.js';
import { foldEvent, routeEvent } from '../fold/row-fold.js';
import { Slices } from '../fold/slices.js';
import type { Keys } from './repair-keys.js';

/** With more streams than this the log is read once instead. */
const mostStreams = 200;

export class Replay {
  readonly #store: Store;
  readonly #projection: PreparedTableProjection;
  readonly #keys: Keys;
  /** Positions of events that the live rows have to do without. */
  readonly #aside: ReadonlySet<number>;
  readonly #rows: HeldRows;
  #position = 0;
  #events = 0;

  constructor(store: Store, projection: PreparedTableProjection, keys: Keys, aside: ReadonlySet<number>) {
    this.#store = store;
    this.#projection = projection;
    this.#keys = keys;
    this.#aside = aside;
    this.#rows = new HeldRows(projection.shape, { isEmpty: true });
  }

  /** Everything up to here is in the rows. */
  get position(): number {
    return this.#position;
  }

  /** Events that were about one of the rows. */
  get events(): number {
    return this.#events;
  }

  /**
   * @param to at most the safe head
   * @throws E_HANDLER naming the event
   */
  async advance(to: number, signal: AbortSignal): Promise<void> {
    if (to <= this.#position) return;
    const after = this.#position;
    const streams = this.#streams();
    for (const part of streams?.map((streamId) => ({ streamId })) ?? [{}]) {
      for await (const { events } of this.#store.log.readAll({ ...this.#projection.filter, ...part, after, to })) {
        await this.#add(events, signal);
      }
    }
    this.#position = to;
  }

  /** Each key with its row; null where none exists. */
  rows(): ReadonlyMap<string, StoredRow | null> {
    const rows = new Map<string, StoredRow | null>();
    for (const text of this.#keys.keys()) rows.set(text, null);
    for (const [text, row] of this.#rows.touched()) rows.set(text, row);
    return rows;
  }

  async #add(events: readonly RecordedEvent[], signal: AbortSignal): Promise<void> {
    const slices = new Slices();
    for (const event of events) {
      if (slices.isOver) await slices.next();
      signal.throwIfAborted();
      if (this.#aside.has(event.globalPosition)) continue;
      const routed = routeEvent(this.#projection, event);
      const keys = routed.keys.filter(({ text }) => this.#keys.has(text));
      if (keys.length === 0) continue;
      foldEvent(this.#projection, { ...routed, keys }, this.#rows);
      this.#events += 1;
    }
  }

  /** With the stream as the key a row depends on no other stream; undefined where it may. */
  #streams(): readonly string[] | undefined {
    const { definition, shape } = this.#projection;
    if (definition.key !== undefined || this.#keys.size > mostStreams) return undefined;
    const name = shape.keyProperties[0]?.name ?? '';
    return [...this.#keys.values()].map((columns) => String(columns[name]));
  }
}
