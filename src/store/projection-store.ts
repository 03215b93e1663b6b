/** The port, second part: read models, their checkpoints, and their rebuilds. */
import type { Audit, AuditFilter, Tally } from '../domain/audit.js';
import type { ProjectionMode } from '../domain/projection-mode.js';
import type { Changes, DeferredChanges, ReadModel, Statement, StoredRow, TableSpec } from '../domain/read-model.js';
import type { Comparison } from './comparison.js';
import type { ParkedChanges, ParkedCount, ParkedEvent, ParkedFilter } from './parked-events.js';

export interface ProjectionStore {
  /** Registered projections by name. */
  list(): Promise<readonly ProjectionRecord[]>;

  /**
   * Makes the live tables and the checkpoint of a new projection, in one transaction. A projection that is registered
   * already is returned as it is, whatever its version.
   * @throws E_FOREIGN_TABLE when a table of that name exists and no projection owns it
   */
  register(registration: Registration): Promise<ProjectionRecord>;

  /** Every row of `subscription_checkpoints`, ours and foreign ones. */
  checkpoints(): Promise<readonly Checkpoint[]>;

  /** Every checkpoint, and the cursor of every table of a rebuild that is still there: where it stands, what it was given. */
  cursors(): Promise<readonly Cursor[]>;

  /**
   * Moves a checkpoint by hand and bumps its generation, so that a running owner stops. Null deletes it. Events that
   * were put aside beyond it are to come again, and are forgotten.
   * @throws E_NOT_FOUND
   */
  setCheckpoint(subscriptionId: string, position: number | null): Promise<void>;

  /**
   * Divides the work of a projection into so many parts, or with 1 makes it whole again, in one transaction: its checkpoints
   * (see domain/parts.ts) give way to new ones at the same position. One that is divided so already is left as it is.
   * @throws E_LOCK_HELD naming who runs it, or a part of it
   * @throws E_CHECK_FAILED naming the parts and their positions, when they stand at different ones
   * @throws E_UNSAFE_STORE when they stand at one, and were not given the same events
   * @throws E_NOT_FOUND when there is no such projection, or a checkpoint of it is missing
   */
  divide(projection: string, parts: number): Promise<void>;
  /** Which code asks to run a projection, on each of its checkpoints; written only where it is another. */
  recordCode(projection: string, code: CodeVersion): Promise<void>;

  /**
   * Takes the lease when it is free or expired by the database's clock, or when `steal` is set; the token rises each time.
   * `held` carries who has it. The lease of a divided projection as a whole is had by `steal` alone: it takes those of all
   * parts, and its position is that of the furthest.
   * @throws E_SUPERSEDED for a part of a projection that is divided otherwise
   */
  acquireLease(target: LeaseTarget, request: LeaseRequest): Promise<LeaseAnswer>;
  /** False when somebody else has the lease now. */
  renewLease(lease: Lease, ttlMs: number, vitals?: Vitals): Promise<boolean>;
  /** Gives the lease back; nothing happens when it is somebody else's. */
  releaseLease(lease: Lease): Promise<void>;
  /** Keeps the runner's last error beside its checkpoint; null clears it. */
  recordError(subscriptionId: string, message: string | null): Promise<void>;

  /** Current rows of these keys (key columns only), in no particular order; absent keys have no row. */
  readRows(table: string, spec: TableSpec, keys: readonly StoredRow[]): Promise<readonly StoredRow[]>;

  /**
   * Read-model rows, events put aside and checkpoint in one transaction: the checkpoint moves from `from` to `to` only if
   * it is still at `from` under this lease's token and generation. Where `from` is `to` nothing was delivered: the
   * proof of what was stays as it is.
   * @throws E_SUPERSEDED and nothing is written, when it is not
   */
  apply(batch: AppliedBatch): Promise<void>;

  /** Events put aside, by projection, tables and position. */
  parked(filter?: ParkedFilter): Promise<readonly ParkedEvent[]>;
  /** Streams with a parked event that those tables, or a part of them, miss: what comes later in them waits behind it. */
  parkedStreams(projection: string, rebuild: number): Promise<readonly string[]>;
  /** Projections with parked events, by name. */
  countParked(): Promise<readonly ParkedCount[]>;

  /**
   * For so long appends leave the events of a projection to its runner; 0 ends it. Those under way are waited for.
   * The position of the last event that one has put into the live rows, 0 when none is marked.
   * @throws E_TIMEOUT when appends under way took longer
   */
  restInline(projection: string, forMs: number): Promise<number>;

  /** Rows in a table, counted. */
  countRows(table: string): Promise<number>;

  /**
   * What differs between the live tables and those the rebuild has filled, key by key, seen in one read-only snapshot in
   * which both stand at one position. Tables, columns and keys are the catalog's. Memory does not grow with the rows, and
   * writers go on; the snapshot ends with the iteration.
   * @throws E_SUPERSEDED before the first item, when they stand at different positions now: try again
   * @throws E_CONFIG naming a table without a primary key, or with different ones
   */
  compareTables(rebuild: Rebuild): AsyncIterable<Comparison>;
  /**
   * The first rows of a statement, each as the text of a JSON object, read in a transaction that cannot write.
   * @throws E_HANDLER for what is no single statement that reads, and for what the database refuses
   */
  select(statement: Statement, limit: number): Promise<readonly string[]>;

  /** All rebuilds, newest first. */
  rebuilds(projection?: string): Promise<readonly Rebuild[]>;
  /** What stands in the way of replacing these tables, and what hangs on them. */
  inspectTables(tables: readonly string[]): Promise<readonly TableFacts[]>;
  /** What these tables take on disk, and what is left there. */
  measureTables(tables: readonly string[]): Promise<TableSizes>;
  /**
   * Writes the journal row in state `planned` and holds its lease.
   * @throws E_LOCK_HELD naming the other, when an unfinished rebuild of the projection exists
   */
  startRebuild(plan: RebuildPlan, request: LeaseRequest): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }>;
  /** `planned → filling`: makes the tables of the rebuild, without secondary indexes where they can wait. */
  createRebuildTables(rebuild: Rebuild, lease: Lease, model: ReadModel): Promise<Rebuild>;
  /** `filling → ready`: the secondary indexes. */
  finishFill(rebuild: Rebuild, lease: Lease, model: ReadModel): Promise<Rebuild>;
  /**
   * `ready → swapped` in one transaction: live tables → `old`, rebuilt tables → live, with the names of their indexes
   * and owned sequences; the projection takes the rebuild's version and code hash, its checkpoint the rebuild's
   * position, its generation one more, and so do those of its parts; events put aside go with the tables that miss them.
   * `live` is the lease on the projection, on all of its parts, so that no runner writes meanwhile.
   * @throws E_TIMEOUT when the tables could not be locked in `lockTimeoutMs`: nothing has changed, try again
   * @throws E_SUPERSEDED when a lease is lost or the rebuild lies behind the live checkpoint
   * @throws E_UNSAFE_STORE naming what, when the tables or what hangs on them changed since the plan
   */
  swap(
    rebuild: Rebuild,
    leases: SwapLeases,
    options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
  ): Promise<Rebuild>;
  /**
   * The inverse of `swap`, `swapped → ready`: the old tables are live again at `oldPosition`, under the old version.
   * @throws E_CHECK_FAILED when the parts of the projection stand at different positions, or did at the swap
   */
  rollback(rebuild: Rebuild, leases: SwapLeases, options: RollbackOptions): Promise<Rebuild>;
  /** `planned | filling | ready → aborted`: drops the tables of the rebuild by recorded identity. */
  abort(rebuild: Rebuild, lease: Lease): Promise<Rebuild>;
  /** `swapped → retired`: drops the old tables by recorded identity, never by name pattern, never CASCADE. */
  retire(rebuild: Rebuild): Promise<Rebuild>;
}

export interface Cursor {
  readonly name: string;
  /** Null for a checkpoint. */
  readonly rebuild: number | null;
  readonly position: number;
  readonly lastEventId: string | null;
  /** Position of the event with that id; null when no event has it. */
  readonly lastEventAt: number | null;
  /** Null when nothing is known: a foreign subscription, a saga, or one that was moved by hand and has not run since. */
  readonly audit: Audit | null;
}

export interface ProjectionRecord {
  readonly name: string;
  readonly version: number;
  readonly codeHash: string;
  /** Whether appends write its rows too. */
  readonly mode: ProjectionMode;
  /** Live tables. */
  readonly tables: readonly string[];
  /** Rises with every swap, rollback and move of the checkpoint by hand. */
  readonly generation: number;
  readonly registeredAt: string;
  /** What the projection's own code calls its live read model; null when that is tables of this database. */
  readonly target: string | null;
  /** Into how many its work is divided; 1 unless it is. */
  readonly parts: number;
}

export interface CodeVersion {
  readonly version: number;
  readonly codeHash: string;
}

export interface Registration {
  readonly name: string;
  readonly version: number;
  readonly codeHash: string;
  readonly model: ReadModel;
}

export interface Checkpoint {
  readonly subscriptionId: string;
  readonly position: number;
  readonly updatedAt: string;
  readonly generation: number;
  /** Id of the event at `position`, when the last batch held one. */
  readonly lastEventId: string | null;
  /** Who holds the lease now; null when it is free or expired. */
  readonly owner: string | null;
  /** Events a second, as the runner last measured it. */
  readonly rate: number | null;
  readonly lastError: string | null;
  /** Of whoever last asked to run it since the tables were last exchanged; null when nobody said. */
  readonly code: CodeVersion | null;
}

/** What a lease is on: a projection's (or saga's) checkpoint, or a rebuild. */
export type LeaseTarget =
  | { readonly kind: 'checkpoint'; readonly subscriptionId: string }
  | { readonly kind: 'rebuild'; readonly id: number };

export interface LeaseRequest {
  /** Printed to others, e.g. `host:1234`. */
  readonly owner: string;
  readonly ttlMs: number;
  /** Take it from whoever has it. */
  readonly steal?: boolean;
  /** The code that is to run, kept beside the checkpoint. */
  readonly code?: CodeVersion;
}

export interface Lease {
  readonly target: LeaseTarget;
  readonly owner: string;
  /** Fencing token: only the latest one writes. */
  readonly token: number;
  /** Generation of the checkpoint when the lease was taken; 0 for a rebuild. */
  readonly generation: number;
  /** Position when the lease was taken. */
  readonly position: number;
}

export type LeaseAnswer =
  | { readonly held: false; readonly lease: Lease }
  | { readonly held: true; readonly owner: string; readonly expiresInMs: number };

export interface Vitals {
  /** Events a second. */
  readonly rate?: number;
}

export interface AppliedBatch {
  readonly lease: Lease;
  /** Which table's cursor a rebuild's batch moves: the one being built, or the old one being caught up. */
  readonly side?: 'built' | 'old';
  /** Exclusive. */
  readonly from: number;
  readonly to: number;
  /** The last event of the batch, if it had one. */
  readonly lastEventId: string | null;
  /**
   * What was delivered between `from` and `to`: the proof that nothing was skipped. Without it nothing is known of this
   * cursor any more; under another filter than before the proof begins at `from`.
   */
  readonly seen?: SeenEvents;
  /** Deferred ones pass over the events that are marked, and take the marks off: see `AppendOptions.inline`. */
  readonly changes: Changes | DeferredChanges;
  readonly parked?: ParkedChanges;
}

/** Every event that the filter lets through, whether it changed anything, was put aside, or neither. */
export interface SeenEvents extends Tally {
  readonly filter: AuditFilter;
}

export type RebuildState = 'planned' | 'filling' | 'ready' | 'swapped' | 'retired' | 'aborted';

export interface Rebuild {
  readonly id: number;
  readonly projection: string;
  readonly version: number;
  readonly codeHash: string;
  readonly state: RebuildState;
  /** Everything up to here is in the built tables. */
  readonly position: number;
  readonly tables: readonly RebuildTable[];
  /**
   * Of what was live before the swap; null when nothing was. The position is null when the parts of the projection stood
   * at different ones: then there is no going back.
   */
  readonly old: { readonly version: number; readonly codeHash: string; readonly position: number | null } | null;
  readonly owner: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly swappedAt: string | null;
  /** When `gc` may drop the old tables. */
  readonly keepOldUntil: string | null;
  /** What it fills outside this database; null when that is tables. Live after the swap. */
  readonly target: string | null;
  /** What was live outside this database before the swap; null before it, and when that was tables. */
  readonly oldTarget: string | null;
}

export interface RebuildTable {
  /** The name readers use. */
  readonly live: string;
  /** The table this rebuild fills, until the swap. */
  readonly built: string;
  /** The name of the replaced table after the swap. */
  readonly old: string;
}

export interface RebuildPlan {
  readonly projection: string;
  readonly version: number;
  readonly codeHash: string;
  /** Live names; the driver derives the others from the rebuild's id and refuses those that would be too long. */
  readonly tables: readonly string[];
}

export interface SwapLeases {
  readonly rebuild: Lease;
  /** On the projection's checkpoint. */
  readonly live: Lease;
}

export interface RollbackOptions {
  readonly lockTimeoutMs: number;
  /** Readers may go back to an earlier position. Default false: old tables behind the live ones are E_SUPERSEDED. */
  readonly goBack?: boolean;
}

export interface TableFacts {
  readonly table: string;
  readonly exists: boolean;
  /** From the engine's statistics; null when it has none. */
  readonly estimatedRows: number | null;
  readonly indexes: readonly string[];
  /** What a swap keeps by itself, by name: grants, comments, owner. */
  readonly carried: readonly Dependent[];
  /** What a swap cannot carry over: its presence refuses the rebuild. */
  readonly blocking: readonly Dependent[];
}

export interface TableSizes {
  /** In the order asked for; with indexes; null where there is no such table. */
  readonly tables: readonly { readonly table: string; readonly bytes: number | null }[];
  /** On the disk of the store; null where the engine cannot see it. */
  readonly freeBytes: number | null;
}

export interface Dependent {
  /** `view`, `materialized view`, `foreign key`, `trigger`, `policy`, `publication`, `grant`, `comment`, `rule` … */
  readonly kind: string;
  readonly name: string;
}
