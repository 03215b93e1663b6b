/**
 * Read models as a driver sees them: tables, rows and statements, without the handlers that write them.
 */
import type { RecordedEvent } from './event.js';

/** Portable column types; each engine maps them to its own. */
export type ColumnType =
  | 'text'
  /** 32-bit. A JavaScript number. */
  | 'integer'
  /** 64-bit. A JavaScript number; beyond 2^53-1 its digits as text. */
  | 'bigint'
  /** Double precision. */
  | 'real'
  /** Exact decimal, as text: `'10.50'`. */
  | 'numeric'
  | 'boolean'
  | 'json'
  /** RFC 3339 text in UTC. */
  | 'timestamp'
  | 'uuid';

export interface ColumnSpec {
  /** snake_case, as in the database. */
  readonly name: string;
  readonly type: ColumnType;
}

export interface IndexSpec {
  readonly columns: readonly string[];
  readonly unique: boolean;
}

/** A table with one row per key. All columns except the key's may be null. */
export interface TableSpec {
  /** The name that readers use: the name of the live table. */
  readonly name: string;
  readonly columns: readonly ColumnSpec[];
  readonly key: readonly string[];
  readonly indexes: readonly IndexSpec[];
}

/** A stored value in its portable spelling: json, numeric, timestamp and uuid as text. */
export type StoredValue = string | number | boolean | null;

/** Column name → value. */
export type StoredRow = Readonly<Record<string, StoredValue>>;

/** SQL with separate values; the driver writes the placeholders and quotes the identifiers. */
export interface Statement {
  readonly parts: readonly StatementPart[];
}

export type StatementPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'identifier'; readonly name: string }
  /** A BigInt has 64 bits. */
  | { readonly kind: 'value'; readonly value: StoredValue | bigint };

/** Changes of the rows of a table. No key occurs twice. */
export interface RowChanges {
  readonly kind: 'rows';
  readonly spec: TableSpec;
  /** The table to write: live or built. */
  readonly table: string;
  /** Rows of keys that the table never had: inserted without a look-up. */
  readonly inserts?: readonly StoredRow[];
  readonly upserts: readonly StoredRow[];
  /** Key columns only. */
  readonly deletes: readonly StoredRow[];
}

/** The changes that a batch of events makes to a read model. */
export type Changes = RowChanges | { readonly kind: 'statements'; readonly statements: readonly Statement[] };

/**
 * Changes that depend on rows read, under lock, in the transaction that writes them. Pure and synchronous.
 */
export type Fold =
  | Extract<Changes, { kind: 'statements' }>
  | {
      readonly kind: 'fold';
      readonly spec: TableSpec;
      readonly table: string;
      /** The keys of the rows it needs; key columns only. */
      readonly keys: readonly StoredRow[];
      /** @param rows the existing rows of these keys */
      readonly complete: (rows: readonly StoredRow[]) => Changes;
    };

/**
 * What a batch does to tables that appends write too: computed from the events that are not in their rows yet. Each row
 * belongs to one stream.
 */
export interface DeferredChanges {
  readonly kind: 'deferred';
  readonly projection: string;
  /** The events of the batch, in order. */
  readonly events: readonly RecordedEvent[];
  /** @throws E_HANDLER */
  readonly fold: (events: readonly RecordedEvent[]) => Fold;
}

/** How to create the tables of a read model. An external read model has none: its rows are outside the store. */
export type ReadModel =
  | { readonly kind: 'table'; readonly spec: TableSpec }
  | {
      readonly kind: 'sql';
      /** The names that readers use. */
      readonly tables: readonly string[];
      /** Returns statements that create the tables and indexes; `physical` maps a name that readers use to the name to create. */
      readonly create: (physical: (name: string) => string) => readonly Statement[];
    }
  | { readonly kind: 'external' };

/** Returns the names that readers use. */
export function tablesOf(model: ReadModel): readonly string[] {
  if (model.kind === 'external') return [];
  return model.kind === 'table' ? [model.spec.name] : model.tables;
}
