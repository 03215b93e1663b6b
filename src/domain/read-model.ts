/**
 * Read models as a driver sees them: tables, rows and statements, without the handlers that fill them.
 */
import type { RecordedEvent } from './event.js';

/** Portable column types; each engine maps them to its own. */
export type ColumnType =
  | 'text'
  /** 32-bit. A JavaScript number. */
  | 'integer'
  /** 64-bit. A JavaScript number; one above 2^53-1 is an error, never a rounding. */
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

/** A table of one row per key. Every column but the key's may be null. */
export interface TableSpec {
  /** The name readers use: the live table's. */
  readonly name: string;
  readonly columns: readonly ColumnSpec[];
  readonly key: readonly string[];
  readonly indexes: readonly IndexSpec[];
}

/** A value at rest, in the portable spelling: json, numeric, timestamp and uuid as text. */
export type StoredValue = string | number | boolean | null;

/** Column name → value. */
export type StoredRow = Readonly<Record<string, StoredValue>>;

/** SQL with its values kept apart; the driver writes the placeholders and quotes the identifiers. */
export interface Statement {
  readonly parts: readonly StatementPart[];
}

export type StatementPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'identifier'; readonly name: string }
  | { readonly kind: 'value'; readonly value: StoredValue };

/** What events do to the rows of a table. No key is named twice. */
export interface RowChanges {
  readonly kind: 'rows';
  readonly spec: TableSpec;
  /** The table to write: the live one, or the one a rebuild fills. */
  readonly table: string;
  /** Of keys the table has never had: written without a look at what is there. */
  readonly inserts?: readonly StoredRow[];
  readonly upserts: readonly StoredRow[];
  /** Key columns only. */
  readonly deletes: readonly StoredRow[];
}

/** What a batch of events does to a read model. */
export type Changes = RowChanges | { readonly kind: 'statements'; readonly statements: readonly Statement[] };

/**
 * What events do to rows that are read, under lock, in the transaction that writes them: pure, and without delay.
 */
export type Fold =
  | Extract<Changes, { kind: 'statements' }>
  | {
      readonly kind: 'fold';
      readonly spec: TableSpec;
      readonly table: string;
      /** Of the rows it needs; key columns only. */
      readonly keys: readonly StoredRow[];
      /** @param rows those of the keys that exist */
      readonly complete: (rows: readonly StoredRow[]) => Changes;
    };

/** What a batch does to tables that appends write too: worked out from the events that are not in their rows yet. */
export interface DeferredChanges {
  readonly kind: 'deferred';
  readonly projection: string;
  /** Of the batch, in order. */
  readonly events: readonly RecordedEvent[];
  /** Each row belongs to one stream, whose order alone counts. */
  readonly isPerStream: boolean;
  /** @throws E_HANDLER */
  readonly fold: (events: readonly RecordedEvent[]) => Fold;
}

/** How to make a read model's tables, under whatever names. An external one has none: its rows are not in this database. */
export type ReadModel =
  | { readonly kind: 'table'; readonly spec: TableSpec }
  | {
      readonly kind: 'sql';
      /** The names readers use. */
      readonly tables: readonly string[];
      /** Statements that make the tables and their indexes; `physical` maps a name readers use to the one to create. */
      readonly create: (physical: (name: string) => string) => readonly Statement[];
    }
  | { readonly kind: 'external' };

/** The names readers use. */
export function tablesOf(model: ReadModel): readonly string[] {
  if (model.kind === 'external') return [];
  return model.kind === 'table' ? [model.spec.name] : model.tables;
}
