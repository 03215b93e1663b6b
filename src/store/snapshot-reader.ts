/** The port, sixth part: snapshots of aggregates, for people who look. Nothing here writes. */
import type { JsonText } from '../domain/event.js';

export interface SnapshotReader {
  /** Lists snapshots; by stream at a cost of those listed, in another order at a cost of all. */
  list(options?: SnapshotsOptions): Promise<readonly SnapshotSummary[]>;
  /** Returns undefined when the stream has no snapshot. */
  find(streamId: string): Promise<Snapshot | undefined>;
}

export interface SnapshotsOptions {
  readonly streamType?: string | undefined;
  readonly category?: string | undefined;
  /** Only streams whose names begin with it. Not together with `category`. */
  readonly prefix?: string | undefined;
  /** Only snapshots of another version than the last one of their stream. */
  readonly stale?: boolean | undefined;
  /** `age`: the oldest first. `events`: those with the most events since first. */
  readonly sort?: 'name' | 'age' | 'size' | 'events' | undefined;
  readonly limit?: number | undefined;
}

export interface SnapshotSummary {
  readonly streamId: string;
  readonly streamType: string;
  /** The last event that the snapshot includes. */
  readonly version: number;
  /** The last event of the stream; 0 when it has none. */
  readonly streamVersion: number;
  /** Of the data, in UTF-8. */
  readonly bytes: number;
  readonly createdAt: string;
}

export interface Snapshot extends SnapshotSummary {
  readonly data: JsonText;
}
