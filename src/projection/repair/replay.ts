/** Folds some rows of a table projection in memory, from the first event. */
import type { RecordedEvent } from '../../domain/event.js';
import type { StoredRow } from '../../domain/read-model.js';
import type { Store } from '../../store/store.js';
import { isKeyedByStream, type PreparedTableProjection } from '../define/prepare.js';
import { HeldRows } from '../fold/held-rows.js';
import { foldEvent, routeEvent } from '../fold/row-fold.js';
import { Slices } from '../fold/slices.js';
import type { Keys } from './scope.js';

/** With more streams than this, the log is read once instead of stream by stream. */
const mostStreams = 200;

export class Replay {
  readonly #store: Store;
  readonly #projection: PreparedTableProjection;
  readonly keys: Keys;
  /** Positions of events that the live rows have to do without. */
  readonly parked: ReadonlySet<number>;
  readonly #rows: HeldRows;
  /** Keys of rows that a replayed event was about. */
  readonly #named = new Set<string>();
  #position = 0;
  #events = 0;

  constructor(store: Store, projection: PreparedTableProjection, keys: Keys, parked: ReadonlySet<number>) {
    this.#store = store;
    this.#projection = projection;
    this.keys = keys;
    this.parked = parked;
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

  /** Returns true when a replayed event was about the row, even if it left no row. */
  hasEventOf(key: string): boolean {
    return this.#named.has(key);
  }

  /** Returns the rows there are, by the text of their key. */
  rows(): ReadonlyMap<string, StoredRow | null> {
    return new Map(this.#rows.touched());
  }

  async #add(events: readonly RecordedEvent[], signal: AbortSignal): Promise<void> {
    const slices = new Slices();
    for (const event of events) {
      if (slices.isOver) await slices.next();
      signal.throwIfAborted();
      if (this.parked.has(event.globalPosition)) continue;
      const routed = routeEvent(this.#projection, event);
      const keys = routed.keys.filter(({ text }) => this.keys.has(text));
      if (keys.length === 0) continue;
      foldEvent(this.#projection, { ...routed, keys }, this.#rows);
      for (const { text } of keys) this.#named.add(text);
      this.#events += 1;
    }
  }

  /** Returns the only streams the rows depend on; undefined when they may depend on others, or there are many. */
  #streams(): readonly string[] | undefined {
    if (this.keys.size > mostStreams || !isKeyedByStream(this.#projection)) return undefined;
    return [...this.keys.keys()];
  }
}
