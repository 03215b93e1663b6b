/** The port, first part: the log. */
import type { AuditFilter, Tally } from '../domain/audit.js';
import type {
  AppendResult,
  EventBatch,
  EventFilter,
  ExpectedVersion,
  Head,
  NewEvent,
  RecordedEvent,
  StreamSummary,
} from '../domain/event.js';
import type { DeferredChanges } from '../domain/read-model.js';

export interface EventLog {
  /**
   * All or nothing. The events are valid already (see domain/validate.ts). When all ids are known and the events equal,
   * it succeeds with the original positions. Transient faults are retried with the same ids until `timeoutMs`.
   * @throws E_VERSION_CONFLICT, E_ID_CONFLICT, E_PARTIAL_DUPLICATE, E_OUTCOME_UNKNOWN
   */
  append(
    streamId: string,
    events: readonly NewEvent[],
    expected: ExpectedVersion,
    options?: AppendOptions,
  ): Promise<AppendResult>;

  /**
   * One stream by version. It sees every committed event of the stream: versions have no holes, so what is visible is
   * a prefix, whatever other streams' writers are doing. An unknown stream yields no batch.
   */
  readStream(streamId: string, options?: ReadStreamOptions): AsyncIterable<EventBatch>;

  /**
   * The log by global position, stopping at the safe head as it is when the last batch is read. A batch without events
   * is yielded when it moves `upTo`.
   */
  readAll(options?: ReadAllOptions): AsyncIterable<EventBatch>;

  /** As `readAll`, in the spelling of domain/event-lines.ts. An engine may make the lines where the events are. */
  readLines(options?: ReadAllOptions): AsyncIterable<LineBatch>;

  /** Undefined when no event has the id. */
  find(id: string): Promise<RecordedEvent | undefined>;

  /** With `holder: true` it also looks for the transaction that holds the safe head back. */
  head(options?: { readonly holder?: boolean }): Promise<Head>;

  /**
   * Resolves to the safe head as soon as it lies beyond `after`, or to the safe head as it is after `timeoutMs`, or when
   * the signal aborts. Polls adaptively: a few milliseconds after a hit, slower when idle.
   */
  waitForAppend(after: number, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<number>;

  /**
   * Sorted by stream id unless said. What it costs follows the streams that are listed, or all there are when they are
   * sorted by events; never the number of events.
   */
  streams(options?: StreamsOptions): Promise<readonly StreamSummary[]>;

  /**
   * Appends events of many streams in the order given, in one transaction: each takes the next version of its stream.
   * An event whose id is known and whose stream, type, data and metadata are equal is counted, not written. One that is
   * known and differs is E_ID_CONFLICT with `conflict: 'fail'` and is left out and counted with `conflict: 'skip'`.
   */
  importEvents(
    events: readonly ImportedEvent[],
    options: { readonly conflict: 'skip' | 'fail' },
  ): Promise<ImportResult>;

  /**
   * As `importEvents`, for any number of events: batch after batch, the next one asked for while one is written. When
   * one fails, or the source does, what came before it is committed, and nothing after it is written.
   */
  importBatches(batches: AsyncIterable<readonly ImportedEvent[]>, options: ImportOptions): Promise<void>;

  /**
   * Looks at every event up to the head as it is at the start, slice by slice, and says what is wrong. It rests on no
   * guard: also of a store whose order cannot be trusted.
   */
  inspect(): AsyncIterable<Inspection>;

  /** The events after `after` up to `to` that the filter lets through, counted and their ids added up. */
  tally(range: { readonly after: number; readonly to: number }, filter: AuditFilter): Promise<Tally>;
}

export interface AppendOptions {
  /** How long to go on retrying, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Projections that apply the events in the append's own transaction. The events are marked, so that a runner does not
   * apply them again. Each of their rows belongs to one stream. A projection is left out, and the events wait for its
   * runner, when other code made the live rows, when it runs in parts, and when earlier events of the stream still wait.
   * @throws E_HANDLER when a projection cannot process the events: nothing was written
   */
  readonly inline?: readonly InlineProjection[];
}

export interface InlineProjection extends Pick<DeferredChanges, 'fold'> {
  readonly name: string;
  readonly version: number;
  readonly codeHash: string;
  /** The events it has handlers for. */
  readonly filter: AuditFilter;
}

export interface ReadStreamOptions extends Omit<EventFilter, 'streamId' | 'category'> {
  /** First version wanted, inclusive. Default 1. */
  readonly fromVersion?: number;
  /** Last version wanted, inclusive. */
  readonly toVersion?: number;
  /** Newest first. */
  readonly backwards?: boolean;
  readonly limit?: number;
  /** Events a batch, at most: large ones come in smaller batches. The engine's choice unless said. */
  readonly batchSize?: number;
}

export interface ReadAllOptions extends EventFilter {
  /** Exclusive. Default 0: from the beginning. */
  readonly after?: number;
  /** Inclusive; the safe head caps it. */
  readonly to?: number;
  /** What `waitForAppend` has just said, asked with the same `after`: forwards, reading ends there, and nobody asks again. */
  readonly safeHead?: number;
  readonly backwards?: boolean;
  readonly limit?: number;
  readonly batchSize?: number;
}

/** As `EventBatch`. */
export interface LineBatch {
  /** Whole lines with their ends, in UTF-8. */
  readonly lines: Uint8Array;
  readonly events: number;
  readonly upTo: number;
}

export interface StreamsOptions {
  readonly category?: string;
  readonly sort?: 'name' | 'events' | 'recent';
  readonly limit?: number;
}

export interface ImportedEvent extends NewEvent {
  readonly streamId: string;
}

/** One slice of the log. */
export interface Inspection {
  /** Last position of the slice. */
  readonly upTo: number;
  /** Where the last slice ends. */
  readonly to: number;
  readonly events: number;
  /** Data or metadata above the ordinary size; see domain/limits.ts. */
  readonly oversized: Occurrences;
  /** Without `correlationId` in the metadata. */
  readonly uncorrelated: Occurrences;
  /** By position. */
  readonly breaks: readonly Break[];
}

export interface Occurrences {
  readonly events: number;
  /** Position of the first; null when there is none. */
  readonly first: number | null;
}

/** An event that should not be where it is. */
export interface Break {
  /**
   * `missing-version`: nothing bears the version before it. `wrong-order`: the version before it has a higher position.
   * `duplicate-version`, `duplicate-id`: an event before it has the same.
   */
  readonly kind: 'missing-version' | 'wrong-order' | 'duplicate-version' | 'duplicate-id';
  readonly streamId: string;
  readonly version: number;
  readonly globalPosition: number;
  readonly id: string;
  /** Position of the other event; null when one is missing. */
  readonly other: number | null;
}

export interface ImportOptions {
  readonly conflict: 'skip' | 'fail';
  /** Batches may share a transaction, where that is faster; one that fails takes those with it that it shares one with. */
  readonly joined?: boolean;
  /** Called for each batch in turn, once it is committed. */
  readonly committed: (result: ImportResult) => void;
}

export interface ImportResult {
  readonly imported: number;
  /** Already there with equal content. */
  readonly known: number;
  /** Known ids with other content, left out. */
  readonly skipped: number;
  /** Streams that had no event before. */
  readonly newStreams: number;
}
