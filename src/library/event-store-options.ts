/** What programs say when they open a store, append and read. */
import type { EventFilter, ExpectedVersion } from '../domain/event.js';
import type { EventType } from '../domain/stored-events.js';
import type { Projection } from '../projection/define/definition.js';
import type { Upcaster } from '../projection/define/upcaster.js';

export interface OpenOptions {
  /** Postgres schema. Default `public`. */
  readonly schema?: string;
  /** Create the SQLite file and the schema if they are missing, and upgrade an older schema. Default false. */
  readonly create?: boolean;
  /**
   * Refuses every write before it reaches the database. An account that may only read, or a file that is read-only, is
   * enough. Default false.
   */
  readonly readOnly?: boolean;
  /** The application name that the database shows. Default `evstore`. */
  readonly applicationName?: string;
  /** Applied to events of older schema versions when they are read. */
  readonly upcasters?: readonly Upcaster[];
  /**
   * Takes the nearest JavaScript number for a fraction of more digits. Default false: reading `data` or `metadata` of an
   * event that has one throws.
   */
  readonly roundNumbers?: boolean;
  /**
   * Projections of mode `inline` are registered, and every append writes their rows in its own transaction; a handler that
   * throws fails the append. Other projections are left to their runner.
   */
  readonly projections?: readonly Projection[];
  /**
   * What an append does when code of another version or definition made the rows of an inline projection. `warn` leaves the
   * rows to their runner and emits a process warning, once for each projection; `fail` appends nothing. Default `warn`.
   */
  readonly staleInline?: 'warn' | 'fail';
}

export interface AppendCondition {
  /** Default `any`. */
  readonly expectedVersion?: ExpectedVersion;
  /** Recorded with each event. Default: the category of the stream. */
  readonly streamType?: string;
  /** Added to the metadata of each event that has none. */
  readonly correlationId?: string;
  readonly causationId?: string;
  /** Allows events over 10 KB, up to 1 MB. */
  readonly allowLarge?: boolean;
  /** How long transient faults are retried, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

export interface HandleOptions extends Omit<AppendCondition, 'expectedVersion'> {
  /** How often to decide before a version conflict is thrown. Default 20. */
  readonly attempts?: number;
}

export interface StreamRange {
  /** Inclusive, from 1. */
  readonly fromVersion?: number;
  /** Inclusive. */
  readonly toVersion?: number;
  readonly backwards?: boolean;
  readonly limit?: number;
}

/** As `EventFilter`; a time may be a Date, too. */
export interface LogFilter extends Omit<EventFilter, 'since' | 'until' | 'types'> {
  readonly types?: readonly EventType[];
  /** `createdAt` at or after: a Date or RFC 3339, UTC if it has no zone. */
  readonly since?: string | Date;
  /** `createdAt` before. */
  readonly until?: string | Date;
  /** A condition as after `--where`: `data.total >= 100 and type in ('OrderPaid', 'OrderShipped')`. */
  readonly where?: string;
}

export interface LogRange extends LogFilter {
  /** Global position, exclusive. Default 0. */
  readonly after?: number;
  /** Inclusive. */
  readonly to?: number;
  readonly backwards?: boolean;
  readonly limit?: number;
}

export interface SubscribeOptions extends LogFilter {
  /** Global position, exclusive. Default 0: from the beginning. */
  readonly after?: number;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

/** Events whose `data` and `metadata` are the stored JSON text, with the digits of every number. */
export interface AsText {
  readonly text: true;
}
