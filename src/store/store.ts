/**
 * The port: what the rest of evstore knows of an event store. The conformance suites in test/conformance define it; both
 * drivers pass all of them.
 *
 * The port exposes no transactions: each method takes effect completely or not at all. Errors are `EvstoreError`s named by
 * meaning, with the driver's own error as their cause.
 */
import type { EvstoreError } from '../domain/errors.js';
import type { EventLog } from './event-log.js';
import type { LogStatistics } from './log-statistics.js';
import type { ProjectionStore } from './projection-store.js';
import type { SagaStore } from './saga-store.js';
import type { SchemaAdmin } from './schema-admin.js';
import type { SnapshotStore } from './snapshot-store.js';
import type { TableReader } from './table-reader.js';

export type * from './checkpoint-changes.js';
export type * from './comparison.js';
export type * from './event-log.js';
export type * from './leases.js';
export type * from './log-statistics.js';
export type * from './parked-events.js';
export type * from './projection-store.js';
export type * from './rebuild.js';
export type * from './saga-store.js';
export type * from './schema-admin.js';
export type * from './snapshot-store.js';
export type * from './table-reader.js';

export type Engine = 'postgres' | 'sqlite';

/** How to wait for a server that restarts, or has too many connections. Only the first connection waits for a restart. */
export interface ConnectPatience {
  /** In milliseconds. Default 5,000. */
  readonly ms?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /** The signal also ends what the server is working on. Only where nothing is written. */
  readonly cancels?: boolean;
  /** Told once, when the wait has lasted for a second. */
  readonly onWait?: (error: EvstoreError) => void;
}

export interface Store {
  readonly engine: Engine;
  /** The URL without its password, safe to print. */
  readonly location: string;
  /** What a person should know about how the store was opened. */
  readonly notes?: readonly string[];
  readonly log: EventLog;
  readonly statistics: LogStatistics;
  readonly projections: ProjectionStore;
  readonly tables: TableReader;
  readonly snapshots: SnapshotStore;
  readonly sagas: SagaStore;
  readonly schema: SchemaAdmin;
  readonly scratch: ScratchStores;
  /** Closes every connection; never throws, never hangs. */
  close(): Promise<void>;
}

/** Scratch stores, made next to a store to measure on its server or file system without touching its log. */
export interface ScratchStores {
  /** Returns where `make` would make one, as a phrase: `a schema of its own in postgres://db/shop`. */
  place(): string;
  /** Lists those there are, by name: of processes that are running, and left behind by processes that were killed. */
  list(): Promise<readonly ScratchPlace[]>;
  /**
   * Checks that `make` can make one, and changes nothing.
   * @throws E_PERMISSION naming what this account lacks, E_USAGE for a store in memory
   */
  assertPossible(): Promise<void>;
  /**
   * Makes an empty store with its schema, in a place that did not exist. When it fails, nothing is left behind.
   * @throws as `assertPossible`
   */
  make(): Promise<Scratch>;
  /**
   * Drops one with everything in it. Does nothing when it no longer exists.
   * @param name as `list` and `make` return it; anything else is refused
   */
  remove(name: string): Promise<void>;
}

export interface Scratch {
  readonly name: string;
  /** Opens it, with connections of its own. */
  open(): Promise<Store>;
}

export interface ScratchPlace {
  /** Of the schema, or of the file. */
  readonly name: string;
  readonly bytes: number;
  /** Some process has it open. */
  readonly isInUse: boolean;
}
