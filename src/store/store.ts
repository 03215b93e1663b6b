/**
 * The port: what an event store is to the rest of evstore. The conformance suites in test/conformance are its
 * definition; both drivers pass them all.
 *
 * Transactions are never handed out: each method is one unit, whole or not at all. Errors are `EvstoreError`s, named by
 * meaning; the driver's own error is their cause.
 */
import type { EventLog } from './event-log.js';
import type { ProjectionStore } from './projection-store.js';
import type { SchemaAdmin } from './schema-admin.js';

export type * from './comparison.js';
export type * from './event-log.js';
export type * from './parked-events.js';
export type * from './projection-store.js';
export type * from './schema-admin.js';

export type Engine = 'postgres' | 'sqlite';

export interface Store {
  readonly engine: Engine;
  /** The URL without its password, fit to print. */
  readonly location: string;
  readonly log: EventLog;
  readonly projections: ProjectionStore;
  readonly schema: SchemaAdmin;
  /** Ends every connection; never throws, never hangs. */
  close(): Promise<void>;
}
