/** The port, second part: read models, their checkpoints, and their rebuilds. */
import type { Audit, AuditFilter, Tally } from '../domain/audit.js';
import type { ProjectionMode } from '../domain/projection-mode.js';
import type { Changes, DeferredChanges, ReadModel, Statement, StoredRow, TableSpec } from '../domain/read-model.js';
import type { ChangeByHand, CheckpointChange } from './checkpoint-changes.js';
import type { Comparison } from './comparison.js';
import type { CodeVersion, Lease, LeaseAnswer, LeaseRequest, LeaseTarget, Vitals } from './leases.js';
import type { ParkedChanges, ParkedCount, ParkedEvent, ParkedFilter } from './parked-events.js';
import type {
  DerivedTable,
  NotOwned,
  Rebuild,
  RebuildPlan,
  RollbackOptions,
  SwapLeases,
  TableFacts,
  TableSizes,
} from './rebuild.js';

export interface ProjectionStore {
  /** Lists the registered projections by name. */
  list(): Promise<readonly ProjectionRecord[]>;

  /**
   * Creates the live tables and the checkpoint of a new projection, in one transaction. A projection that is registered
   * already is returned unchanged, whatever its version.
   * @throws E_FOREIGN_TABLE when a table of that name exists and no projection owns it
   */
  register(registration: Registration): Promise<ProjectionRecord>;

  /**
   * Deletes a projection with its checkpoints, parked events and marks, and ends its swaps, in one transaction.
   * @param drop drops its live tables and those that swaps replaced; otherwise they stay, and are not evstore's any more
   * @returns these tables
   * @throws E_NOT_FOUND; E_LOCK_HELD naming the process that works on it, or its unfinished rebuild
   * @throws E_UNSAFE_STORE naming what depends on a table that would be dropped
   */
  forget(projection: string, drop: boolean): Promise<readonly string[]>;
  /**
   * Gives a projection another name, and tables other names: with its checkpoints, rebuilds, parked events and marks, in one
   * transaction.
   * @throws E_NOT_FOUND, E_LOCK_HELD as `forget`
   * @throws E_INVALID_INPUT when there is a projection or a checkpoint of that name
   * @throws E_FOREIGN_TABLE when something else has the name of a table
   */
  rename(projection: string, to: ProjectionRename): Promise<void>;

  /** Lists every row of `subscription_checkpoints`, including those of other programs. */
  checkpoints(): Promise<readonly Checkpoint[]>;

  /** Lists the position and the audit of every checkpoint, and of the tables of every rebuild that still exist. */
  cursors(): Promise<readonly Cursor[]>;

  /**
   * Moves a checkpoint by hand and raises its generation, so that a running owner stops. Null deletes it. Forgets the
   * parked events beyond it, because they will be delivered again. Its audit begins again there, with the same filter.
   * @param change recorded in the same transaction
   * @throws E_NOT_FOUND
   * @throws E_SUPERSEDED when it is not where the change says
   */
  setCheckpoint(subscriptionId: string, position: number | null, change?: ChangeByHand): Promise<void>;
  /** Lists the changes by hand that were recorded, of one subscription or of all, newest first. */
  checkpointChanges(subscriptionId?: string): Promise<readonly CheckpointChange[]>;

  /**
   * Changes the number of parts of a projection (1: undivided) in one transaction: new checkpoints (see domain/parts.ts) at
   * the same position replace the present ones. Changes nothing when it has that number already.
   * @throws E_LOCK_HELD naming the process that runs it, or a part of it
   * @throws E_CHECK_FAILED naming the parts and their positions, when these differ
   * @throws E_UNSAFE_STORE when the parts are at one position but were not given the same events
   * @throws E_NOT_FOUND when there is no such projection, or one of its checkpoints is missing
   */
  divide(projection: string, parts: number): Promise<void>;
  /** Records the code that asks to run a projection on each of its checkpoints; writes only where it differs. */
  recordCode(projection: string, code: CodeVersion): Promise<void>;

  /**
   * Takes the lease when it is free or expired by the database's clock, or when `steal` is set; the token rises each time.
   * When it is held, the answer names the owner. The lease of a divided projection can only be taken with `steal`: that
   * takes the leases of all parts, and its position is that of the furthest part.
   * @throws E_SUPERSEDED for a part of a projection that has another number of parts
   */
  acquireLease(target: LeaseTarget, request: LeaseRequest): Promise<LeaseAnswer>;
  /** Returns false when another owner has the lease now. */
  renewLease(lease: Lease, ttlMs: number, vitals?: Vitals): Promise<boolean>;
  /** Releases the lease; does nothing when another owner has it. */
  releaseLease(lease: Lease): Promise<void>;
  /** Stores the runner's last error with its checkpoint; null clears it. */
  recordError(subscriptionId: string, message: string | null): Promise<void>;

  /** Reads the rows of these keys (key columns only) in any order; keys without a row are left out. */
  readRows(table: string, spec: TableSpec, keys: readonly StoredRow[]): Promise<readonly StoredRow[]>;

  /**
   * Writes rows, parked events and the checkpoint in one transaction. The checkpoint moves from `from` to `to` only if it
   * is still at `from` under this lease's token and generation. When `from` equals `to`, nothing was delivered and the
   * audit stays as it is.
   * @throws E_SUPERSEDED, writing nothing, when the checkpoint or the lease changed
   */
  apply(batch: AppliedBatch): Promise<void>;

  /** Lists parked events by projection, tables and position. */
  parked(filter?: ParkedFilter): Promise<readonly ParkedEvent[]>;
  /** Lists the streams with a parked event of these tables, or of a part of them: their later events wait behind it. */
  parkedStreams(projection: string, rebuild: number): Promise<readonly string[]>;
  /** Lists the projections with parked events, by name. */
  countParked(): Promise<readonly ParkedCount[]>;

  /**
   * Makes appends leave the events of a projection to its runner as long as this lease on it is held, and no longer. Waits
   * for appends in progress.
   * @returns the position of the last event that an append has put into the live rows; 0 when none is marked
   * @throws E_TIMEOUT when appends in progress took too long
   */
  restInline(projection: string, lease: Lease): Promise<number>;

  /** Counts the rows of a table. */
  countRows(table: string): Promise<number>;

  /**
   * Compares the live tables with those the rebuild has filled, key by key, in one read-only snapshot in which both are at
   * one position. Tables, columns and keys are those of the catalog. Memory does not grow with the rows, and writers are
   * not blocked; the snapshot ends with the iteration.
   * @throws E_SUPERSEDED before the first item, when they are at different positions now: retry
   * @throws E_CONFIG naming a table without a primary key, or with different ones
   */
  compareTables(rebuild: Rebuild): AsyncIterable<Comparison>;
  /**
   * Reads the first rows of a statement, each as the text of a JSON object, in a transaction that cannot write.
   * @throws E_HANDLER for anything but one SELECT statement, and for what the database refuses
   */
  select(statement: Statement, limit: number): Promise<readonly string[]>;

  /** Lists rebuilds, newest first. */
  rebuilds(projection?: string): Promise<readonly Rebuild[]>;
  /** Reads what depends on these tables, and what prevents replacing them. */
  inspectTables(tables: readonly string[]): Promise<readonly TableFacts[]>;
  /** Lists what a swap of these tables changes and this account does not own; tables that do not exist are left out. */
  findNotOwned(tables: readonly string[]): Promise<readonly NotOwned[]>;
  /** Returns those of these names that a new table could not have, because a table, view, index or type has them. */
  findTaken(names: readonly string[]): Promise<readonly string[]>;
  /**
   * Returns those of the tables of a rebuild that are not live, built or old, that still exist and are the ones evstore made.
   */
  findOwnTables(rebuild: Rebuild): Promise<readonly string[]>;
  /** Lists the tables that have names as a rebuild gives them, including those of other programs. */
  findDerivedTables(): Promise<readonly DerivedTable[]>;
  /** Measures what these tables take on disk, and the free space there. */
  measureTables(tables: readonly string[]): Promise<TableSizes>;
  /**
   * Writes the journal row in state `planned` and takes its lease.
   * @throws E_LOCK_HELD naming the other, when an unfinished rebuild of the projection exists
   * @throws E_FOREIGN_TABLE, writing nothing, when something else has the name of one of its tables
   */
  startRebuild(plan: RebuildPlan, request: LeaseRequest): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }>;
  /** `planned → filling`: creates the tables of the rebuild, without secondary indexes where they can wait. */
  createRebuildTables(rebuild: Rebuild, lease: Lease, model: ReadModel): Promise<Rebuild>;
  /** `filling → ready`: creates the secondary indexes. */
  finishFill(rebuild: Rebuild, lease: Lease, model: ReadModel): Promise<Rebuild>;
  /**
   * `ready → swapped` in one transaction: live tables → `old`, rebuilt tables → live, with the names of their indexes
   * and owned sequences. The projection takes the rebuild's version and code hash. Its checkpoint, or those of its parts,
   * take the rebuild's position, and their generation rises by one. Parked events go with the tables that miss them.
   * The lease `live` is on the projection with all of its parts, so that no runner writes meanwhile.
   * @throws E_TIMEOUT when the tables could not be locked in `lockTimeoutMs`: nothing has changed, retry
   * @throws E_SUPERSEDED when a lease is lost or the rebuild is behind the live checkpoint
   * @throws E_UNSAFE_STORE naming what changed on the tables since the plan
   */
  swap(
    rebuild: Rebuild,
    leases: SwapLeases,
    options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
  ): Promise<Rebuild>;
  /**
   * The inverse of `swap`, `swapped → ready`: the old tables are live again at `oldPosition`, under the old version.
   * @throws E_CHECK_FAILED when the parts of the projection are at different positions, or were at the swap
   */
  rollback(rebuild: Rebuild, leases: SwapLeases, options: RollbackOptions): Promise<Rebuild>;
  /**
   * `planned | filling | ready → aborted`: drops the tables of the rebuild by recorded identity. A table of another identity
   * under such a name is not evstore's, and is left as it is.
   */
  abort(rebuild: Rebuild, lease: Lease): Promise<Rebuild>;
  /** `swapped → retired`: drops the old tables as `abort` drops, never by name pattern, never CASCADE. */
  retire(rebuild: Rebuild): Promise<Rebuild>;
}

export interface Cursor {
  readonly name: string;
  /** The rebuild whose tables it belongs to; null for a checkpoint. */
  readonly rebuild: number | null;
  readonly position: number;
  readonly lastEventId: string | null;
  /** The position of the event with that id; null when no event has it. */
  readonly lastEventAt: number | null;
  /** Null when unknown: for a foreign subscription, a saga, and a subscription that has not run yet. */
  readonly audit: Audit | null;
}

export interface ProjectionRecord {
  readonly name: string;
  readonly version: number;
  readonly codeHash: string;
  /** `inline`: appends write its rows too. */
  readonly mode: ProjectionMode;
  /** The live tables. */
  readonly tables: readonly string[];
  /** Rises with every swap, rollback and move of the checkpoint by hand. */
  readonly generation: number;
  readonly registeredAt: string;
  /** The projection's own name for its live read model; null when that is tables of this database. */
  readonly target: string | null;
  /** The number of parts; 1 when it is undivided. */
  readonly parts: number;
  /** Appends leave its events to the runner, because the owner of the lease is about to swap its tables. */
  readonly inlineRests: boolean;
}

export interface ProjectionRename {
  readonly name: string;
  /** Hashes of the code under the present names and under the new ones: rows of the first become rows of the second. */
  readonly hashes: { readonly before: string; readonly after: string };
  /** New names of live tables by their present ones; others keep theirs. */
  readonly tables: Readonly<Record<string, string>>;
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
  /** The id of the event at `position`, when the last batch had one. */
  readonly lastEventId: string | null;
  /** The owner of the lease; null when it is free or expired, or its process has certainly ended. */
  readonly owner: string | null;
  /** Events a second, as last measured by the runner. */
  readonly rate: number | null;
  readonly lastError: string | null;
  /** The code that last asked to run it since the last swap; null when unknown. */
  readonly code: CodeVersion | null;
}

export interface AppliedBatch {
  readonly lease: Lease;
  /** Which tables of a rebuild the batch is for: those being built, or the old ones being caught up. */
  readonly side?: 'built' | 'old';
  /** Exclusive. */
  readonly from: number;
  readonly to: number;
  /** The last event of the batch, if it has one. */
  readonly lastEventId: string | null;
  /**
   * What was delivered between `from` and `to`: the audit that nothing was skipped. Without it the audit of this cursor
   * ends; under another filter than before it begins at `from`.
   */
  readonly seen?: SeenEvents;
  /** Ends the audit of a checkpoint that stays where it is: what it saw is not in the log any more. */
  readonly endAudit?: boolean;
  /** Deferred changes leave out the marked events, and delete the marks: see `AppendOptions.inline`. */
  readonly changes: Changes | DeferredChanges;
  readonly parked?: ParkedChanges;
}

/** Every event that matches the filter, whether it changed a row, was parked, or neither. */
export interface SeenEvents extends Tally {
  readonly filter: AuditFilter;
}
