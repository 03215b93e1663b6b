/** The port, fifth part: the tables of read models as they are now, for people who look. Nothing here writes. */
import type { ColumnType, StoredRow, TableSpec } from '../domain/read-model.js';
import type { Condition } from '../domain/where/condition.js';

export interface TableReader {
  /**
   * Lists the columns of a table, in order.
   * @param spec tells the types of columns where the engine stores several types alike
   * @throws E_NOT_FOUND when there is no such table
   */
  describe(table: string, spec?: TableSpec): Promise<TableDescription>;
  /** Counts rows up to `most`; reads no more. */
  countUpTo(table: string, most: number): Promise<number>;
  /** Returns about how many rows there are, reading none; null when that is unknown. */
  estimate(table: string): Promise<number | null>;
  /**
   * Reads rows in pages in one read-only snapshot, which ends with the iteration.
   * @throws E_USAGE for a key that is not a value of its column
   */
  read(table: string, query: TableQuery): AsyncIterable<readonly StoredRow[]>;
}

export interface TableDescription {
  readonly columns: readonly TableColumn[];
  /** False where the engine stores several types alike, so that only a spec tells them apart. */
  readonly isExact: boolean;
}

export interface TableColumn {
  readonly name: string;
  /** As the engine spells it; empty where it has none. */
  readonly type: string;
  /** `other`: its values come as text. `any`: values of several types. */
  readonly kind: ColumnType | 'other' | 'any';
  /** Place in the primary key from 1; null outside of it. */
  readonly keyPlace: number | null;
}

export interface TableQuery {
  /** `any` is faster when all rows are read; the order of the primary key when only the first ones are. */
  readonly order: 'key' | 'any';
  /** As described. */
  readonly columns: readonly TableColumn[];
  /** Only the rows of these keys: the texts of the key columns, in the order of the key. */
  readonly keys?: readonly (readonly string[])[];
  /** Leaves out rows for which the condition does not hold, but not all of them: it has to be applied to the rest. */
  readonly candidates?: Condition;
}
