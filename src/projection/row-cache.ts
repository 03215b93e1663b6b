/**
 * Rows a catch-up has read or written, so that a key is read once. There are two generations: when the younger one is
 * full it becomes the older one, and what nobody touched since the last time is forgotten.
 */
import type { StoredRow } from '../domain/read-model.js';

type Rows = Map<string, StoredRow | null>;

/** What the rows may take, roughly, in bytes. */
const defaultLimit = 20 * 1024 * 1024;

export class RowCache {
  readonly #generationLimit: number;
  #young: Rows = new Map();
  #old: Rows = new Map();
  /** Of the young ones. */
  #size = 0;
  #isComplete: boolean;

  /** @param isComplete the table holds nothing yet: what is not here does not exist */
  constructor(isComplete: boolean, limit = defaultLimit) {
    this.#isComplete = isComplete;
    this.#generationLimit = limit / 2;
  }

  /** Null where no row exists; undefined where that is not known. */
  get(key: string): StoredRow | null | undefined {
    const young = this.#young.get(key);
    const row = young === undefined ? this.#old.get(key) : young;
    return row === undefined && this.#isComplete ? null : row;
  }

  set(key: string, row: StoredRow | null): void {
    const before = this.#young.get(key);
    this.#size += sizeOf(key, row) - (before === undefined ? 0 : sizeOf(key, before));
    this.#young.set(key, row);
    if (this.#size <= this.#generationLimit) return;
    if (this.#old.size > 0) this.#isComplete = false;
    this.#old = this.#young;
    this.#young = new Map();
    this.#size = 0;
  }

  /** After a failure nothing is known any more. */
  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#size = 0;
    this.#isComplete = false;
  }
}

/** Measured: an object, its key and its place in the map, and what else the heap keeps for it until it is collected. */
function sizeOf(key: string, row: StoredRow | null): number {
  let size = 300 + key.length;
  for (const name in row) {
    const value = row[name];
    size += typeof value === 'string' ? 40 + value.length : 16;
  }
  return size;
}
