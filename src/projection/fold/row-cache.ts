/**
 * Rows a catch-up has read or written, so that a key is read once, and what is yet to be written of them. There are two
 * generations: once the younger one is written and has grown, it becomes the older one, and what nobody touched since the
 * last time is forgotten.
 */
import { EvstoreError } from '../../domain/errors.js';
import type { StoredRow } from '../../domain/read-model.js';
import type { RowKey } from '../define/columns.js';
import type { FoldedRow, FoldedRows } from './folded-row.js';
import { KeyFilter } from './key-filter.js';

/** What the rows may take, roughly, in bytes. */
const defaultLimit = 8 * 1024 * 1024;

interface CachedRow extends FoldedRow {
  size: number;
}

export class RowCache implements FoldedRows {
  readonly #generationLimit: number;
  #young = new Map<string, CachedRow>();
  #old = new Map<string, CachedRow>();
  /** Of the young ones. */
  #size = 0;
  /** Which keys the table may hold; undefined where nobody knows. */
  readonly #written: KeyFilter | undefined;

  /** @param isEmpty the table holds nothing yet, and nobody else writes it */
  constructor(isEmpty: boolean, limit = defaultLimit) {
    this.#written = isEmpty ? new KeyFilter() : undefined;
    this.#generationLimit = limit / 2;
  }

  /** What is not written yet is to be: there is no room for more. */
  get isFull(): boolean {
    return this.#size > this.#generationLimit;
  }

  /** The row of a key, by its text, where it is remembered. */
  get(text: string): FoldedRow | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    return old === undefined ? undefined : this.#keep(old);
  }

  /** A row that is not remembered, and that the table cannot have; undefined where it may. */
  begin(key: RowKey): FoldedRow | undefined {
    return this.#written?.mayHold(key.text) === false ? this.#add(key, null, true) : undefined;
  }

  find(key: RowKey): FoldedRow {
    const found = this.get(key.text);
    if (found === undefined) throw new EvstoreError('E_BUG', `the row of ${key.text} was not looked up`);
    return found;
  }

  /** As the table has it. */
  learn(key: RowKey, stored: StoredRow | null): void {
    this.#add(key, stored, false);
  }

  changed(row: FoldedRow): void {
    const cached = row as CachedRow;
    const size = sizeOf(cached);
    this.#size += size - cached.size;
    cached.size = size;
  }

  /**
   * Everything is on its way into the table. What is forgotten may be looked up there soon, so that the time before has
   * arrived.
   */
  settle(): void {
    if (!this.isFull) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#size = 0;
  }

  /** After a failure nothing is known any more. */
  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#size = 0;
  }

  #add(key: RowKey, stored: StoredRow | null, isNew: boolean): FoldedRow {
    this.#written?.add(key.text);
    const row = { key, stored, row: stored, isNew, isTouched: false, size: 0 };
    row.size = sizeOf(row);
    return this.#keep(row);
  }

  #keep(row: CachedRow): CachedRow {
    this.#young.set(row.key.text, row);
    this.#size += row.size;
    return row;
  }
}

/** Measured: an object, its key and its place in the map, and what else the heap keeps for it until it is collected. */
function sizeOf({ key, row }: FoldedRow): number {
  let size = 300 + key.text.length;
  for (const name in row) {
    const value = row[name];
    size += typeof value === 'string' ? 40 + value.length : 16;
  }
  return size;
}
