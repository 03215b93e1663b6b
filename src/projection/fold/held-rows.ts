/**
 * The rows of a table in memory: those that wait to be written, and those that were read or written before, so that a key
 * is looked up once. There are two generations. When the younger one is full and written it becomes the older one, and
 * rows that were not used since the last time are dropped.
 */
import { EvstoreError } from '../../domain/errors.js';
import type { RowChanges, StoredRow } from '../../domain/read-model.js';
import type { RowKey, TableShape } from '../define/columns.js';
import { KeyFilter } from './key-filter.js';

/** Roughly, in bytes. */
const defaultLimit = 8 * 1024 * 1024;

export interface HeldRow {
  readonly key: RowKey;
  /** As it is after the events so far; null when it does not exist. */
  readonly row: StoredRow | null;
}

interface Held extends HeldRow {
  row: StoredRow | null;
  /** As the table has it, or will once the last changes are written. */
  stored: StoredRow | null;
  /** The table never had a row with this key. */
  isNew: boolean;
  /** It waits to be written. */
  isTouched: boolean;
  size: number;
}

export interface HeldRowsOptions {
  /** The table has no rows yet, and nothing else writes it. */
  readonly isEmpty: boolean;
  readonly limit?: number | undefined;
}

export class HeldRows {
  readonly #shape: TableShape;
  readonly #isEmpty: boolean;
  readonly #generationLimit: number;
  #young = new Map<string, Held>();
  #old = new Map<string, Held>();
  #touched: Held[] = [];
  /** Of the young rows. */
  #size = 0;
  /** Keys a table that began empty may have by now; undefined as long as all of them are in memory. */
  #written: KeyFilter | undefined;

  constructor(shape: TableShape, { isEmpty, limit = defaultLimit }: HeldRowsOptions) {
    this.#shape = shape;
    this.#isEmpty = isEmpty;
    this.#generationLimit = limit / 2;
  }

  /** True when the rows have to be written before more are added. */
  get isFull(): boolean {
    return this.#size > this.#generationLimit;
  }

  /** Returns the row of a key, by its text; undefined when it is not in memory. */
  get(text: string): HeldRow | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    return old === undefined ? undefined : this.#keep(old);
  }

  /** Adds a row that is not in memory and that the table cannot have; returns undefined when the table may have it. */
  begin(key: RowKey): HeldRow | undefined {
    if (!this.#isEmpty || this.#written?.mayHold(key.text) === true) return undefined;
    return this.#add(key, null, true);
  }

  /** Returns a row that is in memory, or that the table cannot have. */
  find(key: RowKey): HeldRow {
    const found = this.get(key.text) ?? this.begin(key);
    if (found === undefined) throw new EvstoreError('E_BUG', `the row of ${key.text} was not looked up`);
    return found;
  }

  /** Adds a row as the table has it. */
  learn(key: RowKey, stored: StoredRow | null): void {
    this.#add(key, stored, false);
  }

  replace(row: HeldRow, after: StoredRow | null): void {
    const held = row as Held;
    if (!held.isTouched) this.#touched.push(held);
    held.isTouched = true;
    held.row = after;
    const size = sizeOf(held);
    this.#size += size - held.size;
    held.size = size;
  }

  /** Returns the changes since the last call. A row that ends as it began is not among them. */
  takeChanges(table: string): RowChanges {
    const inserts: StoredRow[] = [];
    const upserts: StoredRow[] = [];
    const deletes: StoredRow[] = [];
    for (const held of this.#touched) {
      const { key, stored, row, isNew } = held;
      held.isTouched = false;
      held.stored = row;
      if (row === null && stored !== null) deletes.push(key.columns);
      if (row === null || isSameRow(this.#shape, stored, row)) continue;
      held.isNew = false;
      if (isNew) inserts.push(row);
      else upserts.push(row);
    }
    this.#touched = [];
    // A row dropped here may soon be looked up, which is why changes are written before more of them are taken.
    if (this.isFull) this.#dropUnused();
    return { kind: 'rows', spec: this.#shape.spec, table, inserts, upserts, deletes };
  }

  /** Drops everything: after a failure the rows in the table may be different ones. */
  forget(): void {
    this.#rememberKeys();
    this.#touched = [];
    this.#young.clear();
    this.#old.clear();
    this.#size = 0;
  }

  /** The rows that wait to be written, by the text of their keys. */
  *touched(): Generator<[string, StoredRow | null]> {
    for (const { key, row } of this.#touched) yield [key.text, row];
  }

  #dropUnused(): void {
    this.#rememberKeys();
    this.#old = this.#young;
    this.#young = new Map();
    this.#size = 0;
  }

  /** From here on the filter gets each key as it is added. */
  #rememberKeys(): void {
    if (!this.#isEmpty || this.#written !== undefined) return;
    this.#written = new KeyFilter();
    for (const text of this.#young.keys()) this.#written.add(text);
  }

  #add(key: RowKey, stored: StoredRow | null, isNew: boolean): HeldRow {
    this.#written?.add(key.text);
    const held = { key, stored, row: stored, isNew, isTouched: false, size: 0 };
    held.size = sizeOf(held);
    return this.#keep(held);
  }

  #keep(held: Held): HeldRow {
    this.#young.set(held.key.text, held);
    this.#size += held.size;
    return held;
  }
}

/** Measured: the object, its key, its place in the map, and what the heap keeps for it until it is collected. */
function sizeOf({ key, row }: HeldRow): number {
  let size = 300 + key.text.length;
  for (const name in row) {
    const value = row[name];
    size += typeof value === 'string' ? 40 + value.length : 16;
  }
  return size;
}

function isSameRow({ properties }: TableShape, before: StoredRow | null, after: StoredRow): boolean {
  return before !== null && properties.every(({ name }) => before[name] === after[name]);
}
