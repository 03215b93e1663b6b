/** The port: differences between the live tables and those of a rebuild, at one position. */
import type { StoredRow, StoredValue } from '../domain/read-model.js';

/** In this order: the position, then for each table its columns, its differences and its row counts. */
export type Comparison =
  /** The snapshot is open: the live checkpoint may move again. */
  | { readonly kind: 'position'; readonly position: number }
  | ComparedTable
  | TableDifferences
  | {
      readonly kind: 'counts';
      readonly table: string;
      /** Rows. */
      readonly live: number;
      readonly rebuilt: number;
    };

export interface ComparedTable {
  readonly kind: 'table';
  /** The name readers use. */
  readonly table: string;
  /** Columns of the primary key, the same on both sides. */
  readonly key: readonly ComparedColumn[];
  /** The columns that are compared: on both sides, outside the key. */
  readonly columns: readonly ComparedColumn[];
  readonly onlyLive: readonly string[];
  readonly onlyRebuilt: readonly string[];
}

export interface ComparedColumn {
  readonly name: string;
  /** The type in the rebuilt table, as the engine spells it. */
  readonly type: string;
}

/**
 * At least one row; a few hundred at most. A column whose type changed may be listed although its value is the same: `1` and
 * `1.0`.
 */
export interface TableDifferences {
  readonly kind: 'differences';
  readonly table: string;
  /** Keys of rows that only the rebuilt table has. */
  readonly added: readonly StoredRow[];
  /** Keys of rows that only the live table has. */
  readonly removed: readonly StoredRow[];
  readonly changed: readonly ChangedRow[];
}

export interface ChangedRow {
  readonly key: StoredRow;
  /** The columns that differ. */
  readonly columns: Readonly<Record<string, ChangedValue>>;
}

/** Whole numbers up to 2^53-1, real numbers, booleans (0 and 1 on SQLite) and null; everything else as text. */
export interface ChangedValue {
  readonly live: StoredValue;
  readonly rebuilt: StoredValue;
}

/** A column as the catalog lists it. */
export interface CatalogColumn extends ComparedColumn {
  /** Place in the primary key; null outside of it. */
  readonly keyPlace: number | null;
}
