/** Rows a catch-up has read or written, so that a key is read once. The least recently used make room for others. */
import type { StoredRow } from '../domain/read-model.js';

/** What the rows may take, roughly, in bytes. */
const defaultLimit = 32 * 1024 * 1024;

export class RowCache {
  readonly #rows = new Map<string, StoredRow | null>();
  readonly #limit: number;
  #size = 0;
  #isComplete: boolean;

  /** @param isComplete the table holds nothing yet: what is not here does not exist */
  constructor(isComplete: boolean, limit = defaultLimit) {
    this.#isComplete = isComplete;
    this.#limit = limit;
  }

  /** Null where no row exists; undefined where that is not known. */
  get(key: string): StoredRow | null | undefined {
    const row = this.#rows.get(key);
    return row === undefined && this.#isComplete ? null : row;
  }

  set(key: string, row: StoredRow | null): void {
    const before = this.#rows.get(key);
    if (before !== undefined) this.#size -= sizeOf(key, before);
    this.#rows.delete(key);
    this.#rows.set(key, row);
    this.#size += sizeOf(key, row);
    for (const [oldest, value] of this.#rows) {
      if (this.#size <= this.#limit) return;
      this.#rows.delete(oldest);
      this.#size -= sizeOf(oldest, value);
      this.#isComplete = false;
    }
  }

  /** After a failure nothing is known any more. */
  clear(): void {
    this.#rows.clear();
    this.#size = 0;
    this.#isComplete = false;
  }
}

/** Texts are mostly one byte a character; an object and its place in the map take about 150. */
function sizeOf(key: string, row: StoredRow | null): number {
  let size = 150 + key.length;
  for (const name in row) {
    const value = row[name];
    size += typeof value === 'string' ? 24 + value.length : 8;
  }
  return size;
}
