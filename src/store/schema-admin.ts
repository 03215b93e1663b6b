/** The port, third part: the schema and its guards. */
import type { Finding } from '../domain/finding.js';

export interface SchemaAdmin {
  status(): Promise<SchemaStatus>;
  /**
   * Creates or upgrades the schema under a lock, in one transaction. Changes nothing when nothing is pending.
   * @returns the migrations that this call applied, not those of another process at the same time
   * @throws E_FOREIGN_TABLE, E_SCHEMA_NEWER, E_UNSAFE_STORE for other migrations, E_LOCK_HELD after `lockTimeoutMs`
   */
  migrate(options?: { readonly lockTimeoutMs?: number }): Promise<readonly MigrationStatus[]>;
  /**
   * Every command except `init` and `migrate` calls this first.
   * @throws E_NO_SCHEMA, E_SCHEMA_PENDING, E_SCHEMA_NEWER, E_UNSAFE_STORE for a store made by other migrations
   */
  assertReady(): Promise<void>;
  /**
   * Checks what the order of the log depends on; called before the first ordered read.
   * @throws E_UNSAFE_STORE naming what is broken
   */
  assertGuards(): Promise<void>;
  /** Returns what `assertGuards` would name; empty when nothing is broken. */
  findBrokenGuards(): Promise<readonly BrokenGuard[]>;
  /**
   * Mends a part of the store that a restore, a copy or a person left behind. Repeating it changes nothing.
   * @returns what it changed, as a sentence; null when nothing was wrong
   * @throws E_UNSAFE_STORE for `schema` when tables differ from those that the migrations make
   */
  fix(part: FixablePart): Promise<string | null>;
  /** Describes the indexes on the correlation and causation ids of events, which are made on request. */
  idIndexes(): Promise<readonly IdIndex[]>;
  /**
   * Makes those of them that are missing or broken. On Postgres writers continue meanwhile; on SQLite they wait.
   * @returns the names of those that this call made
   * @throws E_LOCK_HELD while another process makes one
   */
  createIdIndexes(options: IndexOptions): Promise<readonly string[]>;
  /** Describes the engine and this account, of a store with or without a schema. */
  diagnose(): Promise<Diagnosis>;
}

/**
 * `guards`: triggers, functions and constraints that keep the order of the log. `schema`: migrations that were applied
 * from another text. `sequence`: what assigns positions. `journal`: the journal mode of a SQLite file.
 */
export const fixableParts = ['guards', 'schema', 'sequence', 'journal'] as const;

export type FixablePart = (typeof fixableParts)[number];

export interface IdIndex {
  readonly name: string;
  readonly key: 'correlationId' | 'causationId';
  /** `broken`: no reader can use it, because making it was interrupted, or because another evstore made it. */
  readonly state: 'missing' | 'building' | 'broken' | 'ready';
  /** Null where measuring it would mean reading it (SQLite), and when it is missing. */
  readonly bytes: number | null;
}

export interface IndexOptions {
  /** Told now and then, where the engine can tell. */
  readonly progress: (step: string, done: number, total: number) => void;
  readonly signal: AbortSignal;
}

export interface BrokenGuard {
  /** A sentence. */
  readonly detail: string;
  /** What `fix` takes; null when it cannot mend this. */
  readonly fixable: FixablePart | null;
  /** Where `fix` cannot mend it: the command that shows more, or that a person has to decide about. */
  readonly next?: string | null;
  /** Nothing is broken: a standby cannot be read in order. */
  readonly isStandby?: boolean;
}

/** What an account may do. `project`: run and rebuild projections. */
export type Ability = 'read' | 'append' | 'project';

export interface Diagnosis {
  /** Of the database; missing where the engine has none. */
  readonly account?: string;
  /** What that account may do; null without a schema. */
  readonly may?: readonly Ability[] | null;
  /** A standby cannot be read in order. */
  readonly isStandby?: boolean;
  /** In the order to show them. */
  readonly facts: readonly Fact[];
  readonly findings: readonly Finding[];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export interface SchemaStatus {
  /** The highest applied one; 0 without a schema. */
  readonly version: number;
  /** The highest one that this program knows. */
  readonly latest: number;
  readonly migrations: readonly MigrationStatus[];
}

export interface MigrationStatus {
  readonly version: number;
  readonly name: string;
  /** `drifted`: applied from another file than this program has. `unknown`: this program has no file of that name. */
  readonly state: 'applied' | 'pending' | 'drifted' | 'unknown';
  readonly appliedAt: string | null;
}
