/** The port, third part: the schema, and what it rests on. */
import type { Finding } from '../domain/finding.js';

export interface SchemaAdmin {
  status(): Promise<SchemaStatus>;
  /**
   * Creates or upgrades the schema under a lock, in one transaction; nothing pending is no change.
   * @returns the migrations that this call applied, and nobody else at the same time
   * @throws E_FOREIGN_TABLE, E_SCHEMA_NEWER, E_LOCK_HELD after `lockTimeoutMs`
   */
  migrate(options?: { readonly lockTimeoutMs?: number }): Promise<readonly MigrationStatus[]>;
  /**
   * What every command but `init` and `migrate` calls first.
   * @throws E_NO_SCHEMA, E_SCHEMA_PENDING, E_SCHEMA_NEWER
   */
  assertReady(): Promise<void>;
  /**
   * Whether what the order of the log rests on is whole; called before the first ordered read.
   * @throws E_UNSAFE_STORE naming what is not
   */
  assertGuards(): Promise<void>;
  /** What `assertGuards` would name, a sentence each; none when all is whole. */
  findBrokenGuards(): Promise<readonly string[]>;
  /** What the engine can say about itself and this account: for a store with or without a schema. */
  diagnose(): Promise<Diagnosis>;
}

export interface Diagnosis {
  /** What is so, in the order to show it. */
  readonly facts: readonly Fact[];
  /** What of it is wrong. */
  readonly findings: readonly Finding[];
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export interface SchemaStatus {
  /** Highest applied; 0 without a schema. */
  readonly version: number;
  /** Highest this program knows. */
  readonly latest: number;
  readonly migrations: readonly MigrationStatus[];
}

export interface MigrationStatus {
  readonly version: number;
  readonly name: string;
  /** `drifted`: applied from another text than the one this program has. */
  readonly state: 'applied' | 'pending' | 'drifted' | 'unknown';
  readonly appliedAt: string | null;
}
