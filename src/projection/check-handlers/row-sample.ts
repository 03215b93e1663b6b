/**
 * Keeps the rows of a read model in memory, up to a limit. When there are too many, half of the keys are dropped for good,
 * chosen by their hash; the rows of the others are complete.
 */
import { hashKey } from '../../domain/parts.js';
import type { StoredRow } from '../../domain/read-model.js';

const defaultLimit = 50_000;

export class RowSample {
  readonly #limit: number;
  readonly #rows = new Map<string, StoredRow>();
  /** A key is kept when its hash is a multiple of this power of two. */
  #share = 1;

  constructor(limit = defaultLimit) {
    this.#limit = limit;
  }

  /** How many rows there are, estimated from the sample. */
  get estimate(): number {
    return this.#rows.size * this.#share;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** One key in this many is kept. */
  get share(): number {
    return this.#share;
  }

  holds(key: string): boolean {
    return this.#share === 1 || hashKey(key) % this.#share === 0;
  }

  /** Returns null when no row exists. @param key one it holds */
  get(key: string): StoredRow | null {
    return this.#rows.get(key) ?? null;
  }

  set(key: string, row: StoredRow | null): void {
    if (row === null) this.#rows.delete(key);
    else this.#rows.set(key, row);
    while (this.#rows.size > this.#limit) this.#halve();
  }

  #halve(): void {
    this.#share *= 2;
    for (const key of this.#rows.keys()) if (!this.holds(key)) this.#rows.delete(key);
  }
}
