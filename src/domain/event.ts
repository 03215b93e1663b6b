/**
 * The words of the log as types.
 */
import type { Condition } from './where/condition.js';

/**
 * JSON as the text in which it was written. Reading, exporting and importing never parse it, so the digits of big
 * numbers, the order of keys and the spelling of `1.10` are preserved.
 */
export type JsonText = string;

/**
 * The version that a stream must have for an append to succeed: a number (0 = the stream does not exist yet),
 * `any` (no check), `none` (no event yet, as 0) or `exists` (at least one event).
 */
export type ExpectedVersion = number | 'any' | 'none' | 'exists';

/** An event to be appended. */
export interface NewEvent {
  /** UUID, unique in the store, made before the first attempt so that a retry is safe. */
  readonly id: string;
  /** What happened, e.g. `OrderPlaced`. 1–255 characters. */
  readonly type: string;
  /** Version of the shape of `data`, from 1. */
  readonly schemaVersion: number;
  readonly data: JsonText;
  /** A JSON object; `correlationId` and `causationId` are the customary keys. */
  readonly metadata: JsonText;
  /** 0–255 characters; defaults to the category of the stream. */
  readonly streamType?: string;
  /** RFC 3339 with an offset; defaults to the database's clock. */
  readonly createdAt?: string;
}

/**
 * An event of the log, as stored. Its texts may share the memory of its batch: copy a text that you keep for longer than
 * the batch (see `detach`).
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

/** The result of an append. */
export interface AppendResult {
  readonly streamId: string;
  /** In the order of the request. */
  readonly events: readonly AppendedEvent[];
  /** Version of the last event of the request. */
  readonly version: number;
  /** Highest global position of the request: what a reader waits for to read its own write. */
  readonly globalPosition: number;
  /** True when every event was stored already, by id: nothing was written. */
  readonly deduplicated: boolean;
  /** Inline projections whose rows were left to their runner because other code made them; not there if none was. */
  readonly inlineLeft?: readonly string[];
}

/** The place of one event of an append. */
export interface AppendedEvent {
  readonly id: string;
  readonly version: number;
  readonly globalPosition: number;
}

/** Which events a reader wants; all conditions must hold. */
export interface EventFilter {
  readonly streamId?: string;
  /** Events of streams named `C` or `C-…`. */
  readonly category?: string;
  /** Events of any of these categories. */
  readonly categories?: readonly string[];
  readonly types?: readonly string[];
  /** RFC 3339; `createdAt` at or after. */
  readonly since?: string;
  /** RFC 3339; `createdAt` before. */
  readonly until?: string;
  /** `metadata.correlationId` equals. */
  readonly correlationId?: string;
  /** `metadata.causationId` equals. */
  readonly causationId?: string;
}

/** As `EventFilter`, with a condition over data, metadata and the columns; see domain/where. */
export interface EventQuery extends EventFilter {
  readonly where?: Condition;
}

/** Consecutive matching events, and how far the reader looked to find them. */
export interface EventBatch {
  readonly events: readonly RecordedEvent[];
  /**
   * Global position up to which every matching event has been delivered. It may be beyond the last event, so that a
   * projection of rare types advances, too. When reading backwards, the lowest position examined.
   */
  readonly upTo: number;
}

/** The end of the log, for writers and for readers. */
export interface Head {
  /** Last visible position; 0 for an empty log. */
  readonly head: number;
  /** Last position below which nothing can still appear; never above `head`. */
  readonly safeHead: number;
  /** The transaction that holds the safe head below the head, if there is one. */
  readonly heldBackBy: Holder | null;
}

/** An open transaction that may still commit positions below the head. */
export interface Holder {
  /** Backend process id; null for a prepared transaction. */
  readonly pid: number | null;
  /** Global id of a prepared transaction; null otherwise. */
  readonly gid: string | null;
  readonly application: string | null;
  /** `pg_stat_activity.state`, or `prepared`. */
  readonly state: string | null;
  /** Milliseconds since the transaction began. */
  readonly ageMs: number | null;
}

/** One line of the list of streams. */
export interface StreamSummary {
  readonly streamId: string;
  /** The stream type of the last event, or of the first if the last has none. */
  readonly streamType: string;
  /** The version of the last event, because versions have no gaps. */
  readonly events: number;
  /** When the first event was recorded. */
  readonly firstAt: string;
  /** When the last event was recorded. */
  readonly lastAt: string;
  readonly lastPosition: number;
}
