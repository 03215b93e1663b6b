/** Counts equal changes: of a column, from one value to another. */
import type { StoredRow, StoredValue } from '../../domain/read-model.js';
import type { ChangedRow } from '../../store/store.js';
import { compareKeys } from './compare-keys.js';

export interface GroupedChange {
  readonly column: string;
  readonly live: StoredValue;
  readonly rebuilt: StoredValue;
  readonly rows: number;
  /** The first of their keys. */
  readonly example: StoredRow;
}

/** Keeps memory bounded: changes that differ in every row are not grouped. */
const mostPairs = 1_000;
const longestText = 200;
const mostGroups = 20;

export class ChangeGroups {
  readonly #groups = new Map<string, { -readonly [Name in keyof GroupedChange]: GroupedChange[Name] }>();

  add({ key, columns }: ChangedRow): void {
    for (const [column, { live, rebuilt }] of Object.entries(columns)) {
      if (isLong(live) || isLong(rebuilt)) continue;
      const pair = JSON.stringify([column, typeof live, String(live), typeof rebuilt, String(rebuilt)]);
      const group = this.#groups.get(pair);
      if (group !== undefined) {
        group.rows += 1;
        if (compareKeys(key, group.example) < 0) group.example = key;
      } else if (this.#groups.size < mostPairs)
        this.#groups.set(pair, { column, live, rebuilt, rows: 1, example: key });
    }
  }

  /** Of two rows or more, the largest first. A pair that is here is counted in full. */
  get result(): readonly GroupedChange[] {
    const groups = [...this.#groups.values()].filter(({ rows }) => rows > 1);
    return groups.sort((a, b) => b.rows - a.rows).slice(0, mostGroups);
  }
}

function isLong(value: StoredValue): boolean {
  return typeof value === 'string' && value.length > longestText;
}
