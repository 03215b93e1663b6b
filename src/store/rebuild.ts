/** Rebuilds as the store records them, and what it knows of their tables. */
import type { Lease } from './leases.js';

export type RebuildState = 'planned' | 'filling' | 'ready' | 'swapped' | 'retired' | 'aborted';

export interface Rebuild {
  readonly id: number;
  readonly projection: string;
  readonly version: number;
  readonly codeHash: string;
  readonly state: RebuildState;
  /** The built tables contain every event up to here. */
  readonly position: number;
  readonly tables: readonly RebuildTable[];
  /**
   * What was live before the swap; null when nothing was. The position is null when the parts of the projection were at
   * different positions: then it cannot be rolled back.
   */
  readonly old: { readonly version: number; readonly codeHash: string; readonly position: number | null } | null;
  readonly owner: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly swappedAt: string | null;
  /** From this time on `gc` may drop the old tables. */
  readonly keepOldUntil: string | null;
  /** The read model outside this database that it fills; null when it fills tables. Live after the swap. */
  readonly target: string | null;
  /** The read model outside this database that was live before the swap; null before it, and for tables. */
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
  /** Live names. The driver derives the others from the rebuild's id, and refuses names that would be too long. */
  readonly tables: readonly string[];
}

export interface SwapLeases {
  readonly rebuild: Lease;
  /** The lease on the projection's checkpoint. */
  readonly live: Lease;
}

export interface RollbackOptions {
  readonly lockTimeoutMs: number;
  /** Allow old tables that are behind the live ones. Default false: they are E_SUPERSEDED. */
  readonly goBack?: boolean;
}

export interface TableFacts {
  readonly table: string;
  readonly exists: boolean;
  /** From the engine's statistics; null when there are none. */
  readonly estimatedRows: number | null;
  readonly indexes: readonly string[];
  /** What a swap carries over: grants, comments, owner … */
  readonly carried: readonly Dependent[];
  /** What a swap cannot carry over: a rebuild is refused while it exists. */
  readonly blocking: readonly Dependent[];
}

/** What a swap changes and the account of this connection does not own. */
export interface NotOwned {
  readonly account: string;
  /** `table`, `foreign key`, `rule`, `policy`, `function`, `publication`. */
  readonly kind: string;
  readonly name: string;
  readonly owner: string;
  /** The statement of a superuser that makes this account own it; null for what is not a read model. */
  readonly change: string | null;
  /** A role that may run it; null where none can log in. */
  readonly superuser: string | null;
}

/** A table that is named as a rebuild names its tables. */
export interface DerivedTable {
  readonly table: string;
  /** With its indexes; null where measuring it means reading it (SQLite). */
  readonly bytes: number | null;
}

export interface TableSizes {
  /** In the order given, with indexes; null where there is no such table. */
  readonly tables: readonly { readonly table: string; readonly bytes: number | null }[];
  /** Free bytes on the disk of the store; null where the engine cannot see it. */
  readonly freeBytes: number | null;
}

export interface Dependent {
  /** `view`, `materialized view`, `foreign key`, `trigger`, `policy`, `publication`, `grant`, `comment`, `rule` … */
  readonly kind: string;
  readonly name: string;
}
