/** The port, first part: the log. */
import type { AuditFilter, Tally } from '../domain/audit.js';
import type {
  AppendResult,
  EventBatch,
  EventQuery,
  ExpectedVersion,
  Head,
  NewEvent,
  RecordedEvent,
  StreamSummary,
} from '../domain/event.js';
import type { DeferredChanges } from '../domain/read-model.js';

export interface EventLog {
  /**
   * Appends all events or none. The events are valid already (see domain/validate.ts). When all ids are known and the
   * events equal, it returns the original positions, whatever version is expected. Transient faults are retried with the
   * same ids until `timeoutMs`.
   * @throws E_VERSION_CONFLICT, E_ID_CONFLICT, E_PARTIAL_DUPLICATE, E_OUTCOME_UNKNOWN
   */
  append(
    streamId: string,
    events: readonly NewEvent[],
    expected: ExpectedVersion,
    options?: AppendOptions,
  ): Promise<AppendResult>;

  /**
   * Reads one stream by version, with every committed event: versions have no gaps, so what is visible is a prefix,
   * whatever the writers of other streams do. An unknown stream yields no batch.
   */
  readStream(streamId: string, options?: ReadStreamOptions): AsyncIterable<EventBatch>;

  /**
   * Reads the log by global position, up to the safe head at the time of the last batch. Yields a batch without events
   * when it moves `upTo`.
   */
  readAll(options?: ReadAllOptions): AsyncIterable<EventBatch>;

  /** Reads as `readAll`, as the lines of domain/event-lines.ts. An engine may build the lines in the database. */
  readLines(options?: ReadAllOptions): AsyncIterable<LineBatch>;

  /** Returns undefined when no event has the id. */
  find(id: string): Promise<RecordedEvent | undefined>;

  /** With `holder: true` also looks for the transaction that holds the safe head back. */
  head(options?: { readonly holder?: boolean }): Promise<Head>;

  /**
   * Returns the safe head as soon as it is beyond `after`, and after `timeoutMs` or an abort the safe head of that moment.
   * Polls every few milliseconds, and less often under load.
   */
  waitForAppend(after: number, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<number>;

  /**
   * Lists streams, by stream id by default. The cost depends on the number of streams listed, or on all streams when
   * sorted by events; never on the number of events.
   */
  streams(options?: StreamsOptions): Promise<readonly StreamSummary[]>;

  /**
   * Appends events of many streams in the order given, in one transaction: each takes the next version of its stream.
   * An event whose id is known and whose stream, type, data and metadata are equal is counted, not written. A known id
   * with other content is E_ID_CONFLICT with `conflict: 'fail'`, and is left out and counted with `conflict: 'skip'`.
   */
  importEvents(
    events: readonly ImportedEvent[],
    options: { readonly conflict: 'skip' | 'fail' },
  ): Promise<ImportResult>;

  /**
   * Imports any number of events as `importEvents`, batch by batch; the next batch is read while one is written. When a
   * batch or the source fails, everything before it is committed, and nothing after it is written.
   */
  importBatches(batches: AsyncIterable<readonly ImportedEvent[]>, options: ImportOptions): Promise<void>;

  /**
   * Checks every event up to the head at the start, slice by slice. Relies on no guard, so it works on a store whose
   * order cannot be trusted.
   */
  inspect(): AsyncIterable<Inspection>;

  /** Counts the events after `after` up to `to` that match the filter, and adds up their ids. */
  tally(range: { readonly after: number; readonly to: number }, filter: AuditFilter): Promise<Tally>;
}

export interface AppendOptions {
  /** How long to retry, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Projections that apply the events in the append's own transaction. The events are marked, so that a runner does not
   * apply them again. Each of their rows belongs to one stream. A projection is left out, and the events wait for its
   * runner, when other code made the live rows, when it runs in parts, and when earlier events of the stream still wait.
   * @throws E_HANDLER when a projection cannot process the events: nothing was written
   */
  readonly inline?: readonly InlineProjection[];
  /** What to do when other code made the live rows of one: leave it out, or throw E_STALE_PROJECTION. Default `leave`. */
  readonly staleInline?: 'leave' | 'fail';
}

export interface InlineProjection extends Pick<DeferredChanges, 'fold'> {
  readonly name: string;
  readonly version: number;
  readonly codeHash: string;
  /** The events it has handlers for. */
  readonly filter: AuditFilter;
}

export interface ReadStreamOptions extends Omit<EventQuery, 'streamId' | 'category' | 'categories'> {
  /** First version wanted, inclusive. Default 1. */
  readonly fromVersion?: number;
  /** Last version wanted, inclusive. */
  readonly toVersion?: number;
  /** Newest first. */
  readonly backwards?: boolean;
  readonly limit?: number;
  /** The most events in a batch; batches of large events are smaller. Default: the engine's choice. */
  readonly batchSize?: number;
}

export interface ReadAllOptions extends EventQuery {
  /** Exclusive. Default 0: from the beginning. */
  readonly after?: number;
  /** Inclusive; the safe head caps it. */
  readonly to?: number;
  /** The result of `waitForAppend` with the same `after`: reading forwards ends there, without reading the head again. */
  readonly safeHead?: number;
  readonly backwards?: boolean;
  readonly limit?: number;
  readonly batchSize?: number;
}

/** An `EventBatch` as lines. */
export interface LineBatch {
  /** Complete lines with their line ends, in UTF-8. */
  readonly lines: Uint8Array;
  readonly events: number;
  readonly upTo: number;
}

export interface StreamsOptions {
  readonly category?: string;
  /** Only streams whose names begin with it. Not together with `category`. */
  readonly prefix?: string;
  /** `events` reads all of them, a page at a time. */
  readonly sort?: 'name' | 'events' | 'recent';
  readonly limit?: number;
  /** Ends reading all of them. @throws its reason when it aborts */
  readonly signal?: AbortSignal;
}

export interface ImportedEvent extends NewEvent {
  readonly streamId: string;
}

/** One slice of the log. */
export interface Inspection {
  /** The last position of the slice. */
  readonly upTo: number;
  /** The last position of the last slice. */
  readonly to: number;
  readonly events: number;
  /** Events whose data or metadata is above the ordinary size; see domain/limits.ts. */
  readonly oversized: Occurrences;
  /** Events without `correlationId` in the metadata. */
  readonly uncorrelated: Occurrences;
  /** In the order of positions. */
  readonly breaks: readonly Break[];
}

export interface Occurrences {
  readonly events: number;
  /** The position of the first; null when there is none. */
  readonly first: number | null;
}

/** An event with a wrong version, position or id. */
export interface Break {
  /**
   * `missing-version`: no event has the version before it. `wrong-order`: the version before it has a higher position.
   * `duplicate-version`, `duplicate-id`: an earlier event has the same.
   */
  readonly kind: 'missing-version' | 'wrong-order' | 'duplicate-version' | 'duplicate-id';
  readonly streamId: string;
  readonly version: number;
  readonly globalPosition: number;
  readonly id: string;
  /** The position of the other event; null when one is missing. */
  readonly other: number | null;
}

export interface ImportOptions {
  readonly conflict: 'skip' | 'fail';
  /** Batches may share a transaction, where that is faster; when one fails, the batches that share it are rolled back too. */
  readonly joined?: boolean;
  /** Called for each batch in turn, once it is committed. */
  readonly committed: (result: ImportResult) => void;
}

export interface ImportResult {
  readonly imported: number;
  /** Known ids with equal content. */
  readonly known: number;
  /** Known ids with other content, left out. */
  readonly skipped: number;
  /** Streams that had no event before. */
  readonly newStreams: number;
}
