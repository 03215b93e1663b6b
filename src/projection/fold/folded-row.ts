/** A row while events are folded into it. */
import type { StoredRow } from '../../domain/read-model.js';
import type { RowKey } from '../define/columns.js';

export interface FoldedRow {
  readonly key: RowKey;
  /** As the table has it; null where it has none. */
  stored: StoredRow | null;
  /** As the events have left it. */
  row: StoredRow | null;
  /** The table has never had a row of this key. */
  isNew: boolean;
  /** By an event since it was last written. */
  isTouched: boolean;
}

/** Where the rows are. */
export interface FoldedRows {
  /** The row of a key that was looked up, if there is any to be found in a table. */
  find(key: RowKey): FoldedRow;
  /** It is another now. */
  changed(row: FoldedRow): void;
}

/** Rows in memory alone. */
export class GivenRows implements FoldedRows {
  readonly #rows = new Map<string, FoldedRow>();
  readonly #given: ReadonlyMap<string, StoredRow | null>;

  /** @param given by the text of their keys; what is not there does not exist */
  constructor(given: ReadonlyMap<string, StoredRow | null> = new Map()) {
    this.#given = given;
  }

  find(key: RowKey): FoldedRow {
    let found = this.#rows.get(key.text);
    if (found === undefined) {
      const stored = this.#given.get(key.text) ?? null;
      found = { key, stored, row: stored, isNew: false, isTouched: false };
      this.#rows.set(key.text, found);
    }
    return found;
  }

  changed(): void {}
}
