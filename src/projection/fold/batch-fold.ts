/** What turns batches of events into changes to a read model. The kinds there are: see create-batch-fold.ts. */
import type { RecordedEvent } from '../../domain/event.js';
import type { Part } from '../../domain/parts.js';
import type { Changes, DeferredChanges } from '../../domain/read-model.js';

/** The tables to write. */
export interface FoldTarget {
  /** Maps a name readers use to the table to write. */
  readonly physical: (name: string) => string;
  /** Only rows whose keys belong to this part are written; all rows unless set. */
  readonly part?: Part;
  /** The table has no rows yet, so no key has to be looked up. */
  readonly isEmpty?: boolean;
  /** Memory for the rows that are kept, in bytes. */
  readonly cacheBytes?: number | undefined;
  /** Code of another definition made the rows, maybe in appends: events that appends have marked are skipped. */
  readonly isForeign?: boolean;
  /** Threads that run the handlers of a table projection loaded from a file; only this thread unless above 1. */
  readonly threads?: number | undefined;
  /** Aborted: the current batch is dropped and nothing of it is written. */
  readonly signal: AbortSignal;
}

/** The positions of a batch. */
export interface PositionRange {
  /** Exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface Folded {
  readonly changes: Changes | DeferredChanges;
  /**
   * Writes what is outside the store's database. Call it before the changes are applied.
   * @throws E_HANDLER naming the event, or naming none when the whole batch failed
   */
  readonly writeOutside?: (range: PositionRange) => Promise<void>;
}

export interface BatchFold {
  /** True when the changes have to be written before more events are added; undefined when each batch has to be. */
  readonly isFull?: boolean;
  /** Starts what runs the handlers. @throws E_CONFIG when the code cannot be loaded there */
  start?(): Promise<void>;
  /**
   * Reads the rows these events are about, before they are added in this order. If an event is at fault, adding it
   * throws.
   */
  prepare(events: readonly RecordedEvent[]): Promise<void>;
  /**
   * Folds the next prepared event; prepared events before it may be left out.
   * @throws E_HANDLER naming the event, which has then changed nothing
   */
  add(event: RecordedEvent): void;
  /** Prepares an event that failed again, and folds it. @throws as `add` */
  retry(event: RecordedEvent): Promise<void>;
  /**
   * Returns the changes made by the events added since the last call; ignore them if the signal aborted meanwhile. More
   * events may be added before the changes are written, but they may not be taken.
   */
  takeChanges(): Folded | Promise<Folded>;
  /** Drops the events added since the last call of `takeChanges`, and all rows in memory. Call it after a failure. */
  forget(): void;
  /** Stops what runs the handlers. */
  close?(): Promise<void>;
}
