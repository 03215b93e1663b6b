/** Folds some rows of a table projection in memory, from the first event. */
import type { EventFilter, RecordedEvent } from '../../domain/event.js';
import type { StoredRow } from '../../domain/read-model.js';
import type { Store } from '../../store/store.js';
import type { RowKey } from '../define/columns.js';
import { isKeyedByStream, type PreparedTableProjection } from '../define/prepare.js';
import { HeldRows } from '../fold/held-rows.js';
import { foldEvent, routeEvent } from '../fold/row-fold.js';
import { Slices } from '../fold/slices.js';
import type { Keys } from './scope.js';

/** With more streams than this, the log is read once instead of stream by stream. */
const mostStreams = 200;

export interface ReplayOptions {
  /** Leaves out what was recorded at this time or later. RFC 3339. */
  readonly until?: string | undefined;
  /** Called after each event with the rows it was about. */
  readonly observe?: (event: RecordedEvent, keys: readonly RowKey[]) => void;
  /** Called after each batch with the position up to which events were read. */
  readonly progress?: (position: number) => void;
}

export class Replay {
  readonly #store: Store;
  readonly #projection: PreparedTableProjection;
  readonly keys: Keys;
  /** Positions of events that the live rows have to do without. */
  readonly parked: ReadonlySet<number>;
  readonly #options: ReplayOptions;
  readonly #rows: HeldRows;
  /** Keys of rows that a replayed event was about. */
  readonly #named = new Set<string>();
  #position = 0;
  #events = 0;
  #skipped = 0;

  constructor(
    store: Store,
    projection: PreparedTableProjection,
    keys: Keys,
    parked: ReadonlySet<number>,
    options: ReplayOptions = {},
  ) {
    this.#options = options;
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

  /** Parked events that were left out. */
  get skipped(): number {
    return this.#skipped;
  }

  /**
   * @param to at most the safe head
   * @throws E_HANDLER naming the event
   */
  async advance(to: number, signal: AbortSignal): Promise<void> {
    if (to <= this.#position) return;
    const after = this.#position;
    const streams = this.#streams();
    const { until, progress } = this.#options;
    const filter: EventFilter = { ...this.#projection.filter, ...(until !== undefined && { until }) };
    for (const part of streams?.map((streamId) => ({ streamId })) ?? [{}]) {
      for await (const { events, upTo } of this.#store.log.readAll({ ...filter, ...part, after, to })) {
        await this.#add(events, signal);
        progress?.(upTo);
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

  /** Returns a row as it is after the events so far. */
  rowOf(key: string): StoredRow | null {
    return this.#rows.get(key)?.row ?? null;
  }

  async #add(events: readonly RecordedEvent[], signal: AbortSignal): Promise<void> {
    const slices = new Slices();
    for (const event of events) {
      if (slices.isOver) await slices.next();
      signal.throwIfAborted();
      if (this.parked.has(event.globalPosition)) {
        this.#skipped += 1;
        continue;
      }
      const routed = routeEvent(this.#projection, event);
      const keys = routed.keys.filter(({ text }) => this.keys.has(text));
      if (keys.length === 0) continue;
      foldEvent(this.#projection, { ...routed, keys }, this.#rows);
      for (const { text } of keys) this.#named.add(text);
      this.#events += 1;
      this.#options.observe?.(event, keys);
    }
  }

  /** Returns the only streams the rows depend on; undefined when they may depend on others, or there are many. */
  #streams(): readonly string[] | undefined {
    if (this.keys.size > mostStreams || !isKeyedByStream(this.#projection)) return undefined;
    return [...this.keys.keys()];
  }
}
