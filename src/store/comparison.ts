/** What the port says of two sets of tables that stand at one position: those live, and those a rebuild has filled. */
import type { StoredRow, StoredValue } from '../domain/read-model.js';

/** In this order: the position, then for each table what it has, its differences, and how many rows it has. */
export type Comparison =
  /** The snapshot stands: whoever kept the live checkpoint where it is may let it go. */
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
  /** On both sides, outside the key: these are compared. */
  readonly columns: readonly ComparedColumn[];
  readonly onlyLive: readonly string[];
  readonly onlyRebuilt: readonly string[];
}

export interface ComparedColumn {
  readonly name: string;
  /** Of the rebuilt table, as the engine spells it. */
  readonly type: string;
}

/** At least one row; a few hundred at most. */
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

/** Whole numbers up to 2^53-1, real numbers, booleans (as SQLite keeps them: 0 and 1) and null as such; all else as text. */
export interface ChangedValue {
  readonly live: StoredValue;
  readonly rebuilt: StoredValue;
}

/** Columns of a table as its catalog lists them, to be matched by name. */
export interface CatalogColumn extends ComparedColumn {
  /** Place in the primary key; null outside of it. */
  readonly keyPlace: number | null;
}
