/**
 * The port, sixth part: snapshots of aggregates. The events are the truth, and a snapshot only saves reading them: losing one
 * loses nothing.
 */
import type { JsonText } from '../domain/event.js';

export interface SnapshotStore {
  /** Lists snapshots; by stream at a cost of those listed, in another order at a cost of all. */
  list(options?: SnapshotsOptions): Promise<readonly SnapshotSummary[]>;
  /** Returns the only snapshot of a stream, or undefined. */
  find(streamId: string): Promise<Snapshot | undefined>;
  /**
   * Stores the snapshot of a stream, and returns whether it did. It replaces none of another program, and none of a later
   * version, unless that was of events that the stream does not have.
   * @param options.timeoutMs how long to wait for other writers; default 30,000
   */
  save(snapshot: NewSnapshot, options?: { readonly timeoutMs?: number }): Promise<boolean>;
  /** Deletes those that are still of these versions, of any program. Returns the streams whose snapshot it deleted. */
  delete(snapshots: readonly Pick<SnapshotSummary, 'streamId' | 'version'>[]): Promise<readonly string[]>;
}

export interface SnapshotsOptions {
  readonly streamType?: string | undefined;
  readonly category?: string | undefined;
  /** Only streams whose names begin with it. Not together with `category`. */
  readonly prefix?: string | undefined;
  /** Only streams after this one, by name. */
  readonly after?: string | undefined;
  /** `age`: the oldest first. `events`: those with the most events since first. */
  readonly sort?: 'name' | 'age' | 'size' | 'events' | undefined;
  readonly limit?: number | undefined;
}

/** What made the snapshot, and of which events. */
export interface SnapshotOrigin {
  /** The name of the aggregate. */
  readonly aggregate: string;
  /** The version of its code. */
  readonly stateVersion: number;
  /** See domain/code-identity.ts. */
  readonly codeHash: string;
  /** The id of the last event that it includes. */
  readonly eventId: string;
}

export interface NewSnapshot extends SnapshotOrigin {
  readonly streamId: string;
  readonly streamType: string;
  /** The last event that the snapshot includes. */
  readonly version: number;
  readonly data: JsonText;
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
  /** Null when another program made it. */
  readonly origin: SnapshotOrigin | null;
  /** The id of the event that the stream has at `version`; null when it has none. */
  readonly storedEventId: string | null;
}

export interface Snapshot extends SnapshotSummary {
  readonly data: JsonText;
}
