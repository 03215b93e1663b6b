/**
 * The words of the log as types. Nothing here does anything; everything else speaks in these terms.
 */

/**
 * JSON as the text it was written in. Reading, exporting, importing and copying never parse it, so the digits of big
 * numbers, the order of keys and the spelling of `1.10` come back as they were.
 */
export type JsonText = string;

/**
 * Which version a stream must be at for an append to go through: a number (0 = the stream does not exist yet),
 * `any` (no check), `none` (no event yet, as 0) or `exists` (at least one event).
 */
export type ExpectedVersion = number | 'any' | 'none' | 'exists';

/** An event on its way into a stream. */
export interface NewEvent {
  /** UUID, unique in the whole store, made before the first attempt: the key that makes a retry safe. */
  readonly id: string;
  /** What happened, e.g. `OrderPlaced`. 1–255 characters. */
  readonly type: string;
  /** Version of the shape of `data`, from 1. */
  readonly schemaVersion: number;
  readonly data: JsonText;
  /** A JSON object; `correlationId` and `causationId` are the keys the field agrees on. */
  readonly metadata: JsonText;
  /** 0–255 characters; the category of the stream unless said. */
  readonly streamType?: string;
  /** RFC 3339 with an offset; the database's clock unless said. */
  readonly createdAt?: string;
}

/**
 * An event of the log, as stored. Its texts may share memory with those of its batch: who keeps one for longer than the
 * batch copies it, or keeps much more alive.
 */
export interface RecordedEvent {
  /** Place in the whole log: from 1, rises with every event, gaps allowed. At most 2^53-1. */
  readonly globalPosition: number;
  readonly streamId: string;
  /** Place in its stream: 1, 2, 3 … without holes. */
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  /** UUID, lower case. */
  readonly id: string;
  readonly data: JsonText;
  readonly metadata: JsonText;
  readonly streamType: string;
  /** RFC 3339 in UTC with `Z`; three digits of a second, six where the microseconds are not 0. */
  readonly createdAt: string;
}

/** What an append did. */
export interface AppendResult {
  readonly streamId: string;
  /** In the order of the request. */
  readonly events: readonly AppendedEvent[];
  /** Version of the last event of the request. */
  readonly version: number;
  /** Highest global position of the request: what a reader waits for to read its own write. */
  readonly globalPosition: number;
  /** True when every event was already there, by id: nothing was written. */
  readonly deduplicated: boolean;
}

/** Where one event of an append stands. */
export interface AppendedEvent {
  readonly id: string;
  readonly version: number;
  readonly globalPosition: number;
}

/** Which events a reader wants; conditions are joined by "and". */
export interface EventFilter {
  readonly streamId?: string;
  /** Events of streams named `C` or `C-…`. */
  readonly category?: string;
  readonly types?: readonly string[];
  /** RFC 3339; `createdAt` at or after. */
  readonly since?: string;
  /** RFC 3339; `createdAt` before. */
  readonly until?: string;
  /** `metadata.correlationId` equals. */
  readonly correlationId?: string;
}

/** A run of events, and how far the reader looked to find them. */
export interface EventBatch {
  readonly events: readonly RecordedEvent[];
  /**
   * Global position up to which everything that matches has now been delivered. It may lie past the last event: a
   * projection that skips most types still advances. Going backwards it is the lowest position looked at.
   */
  readonly upTo: number;
}

/** Where the log ends, for writers and for readers. */
export interface Head {
  /** Last visible position; 0 for an empty log. */
  readonly head: number;
  /** Last position below which nothing can still appear; never above `head`. */
  readonly safeHead: number;
  /** The transaction that holds the safe head below the head, when there is one. */
  readonly heldBackBy: Holder | null;
}

/** An open transaction that may still commit positions below the head. */
export interface Holder {
  /** Backend process id; null for a prepared transaction. */
  readonly pid: number | null;
  /** Global id of a prepared transaction; null otherwise. */
  readonly gid: string | null;
  readonly application: string | null;
  /** As `pg_stat_activity.state` has it, or `prepared`. */
  readonly state: string | null;
  /** Milliseconds since the transaction began. */
  readonly ageMs: number | null;
}

/** One line of the list of streams. */
export interface StreamSummary {
  readonly streamId: string;
  /** Of the first or of the last event, where only one of them has one. */
  readonly streamType: string;
  /** Versions have no holes: the version of the last event. */
  readonly events: number;
  /** When the first event was recorded. */
  readonly firstAt: string;
  /** When the last event was recorded. */
  readonly lastAt: string;
  readonly lastPosition: number;
}
