/** The port, fourth part: what the log holds. Nothing here reads more than it is asked for, so it stays fast on any log. */
import type { RecordedEvent } from '../domain/event.js';

export interface LogStatistics {
  /** Returns the types there are, by name. Goes from type to type in an index: the cost is that of the types. */
  types(): Promise<readonly TypeSpan[]>;
  /** Counts the events of a type in an index, up to `most`. */
  countType(type: string, most: number): Promise<number>;
  /** Returns the last events of a type, newest first, by index. */
  latest(type: string, limit: number): Promise<readonly RecordedEvent[]>;
  /** Returns the events in these ranges of positions, without their payloads, by position. */
  sample(ranges: readonly PositionRange[]): Promise<readonly SampledEvent[]>;
  /**
   * Counts the events of a stream that have these versions, and adds up the bytes of their data and metadata, by index. A
   * version that does not exist is not counted.
   */
  measureStream(streamId: string, versions: readonly number[]): Promise<MeasuredEvents>;
  /**
   * Measures the whole store on disk, and each of its tables with their indexes.
   * @param each false leaves out the tables where measuring them means reading all of the store (SQLite)
   */
  sizes(each: boolean): Promise<StoreSizes>;
}

export interface TypeSpan {
  readonly type: string;
  readonly firstPosition: number;
  readonly firstAt: string;
  readonly lastPosition: number;
  readonly lastAt: string;
}

export interface PositionRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly to: number;
}

export interface SampledEvent {
  readonly globalPosition: number;
  readonly streamId: string;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly createdAt: string;
  /** Of data and metadata as they were written, in UTF-8. */
  readonly bytes: number;
}

export interface MeasuredEvents {
  readonly events: number;
  /** As in `SampledEvent`. */
  readonly bytes: number;
}

export interface StoreSizes {
  readonly bytes: number;
  /** Undefined where they were left out; by name. */
  readonly tables: readonly { readonly table: string; readonly bytes: number }[] | undefined;
}
