/** Adds up what a comparison finds: counts, and samples of each kind of difference. */
import { setImmediate } from 'node:timers/promises';
import { jsonEquals } from '../../domain/json.js';
import type { StoredRow, StoredValue } from '../../domain/read-model.js';
import type { ChangedRow, ComparedTable, Comparison, TableDifferences } from '../../store/store.js';
import { isTableProjection, type PreparedProjection } from '../define/prepare.js';
import { compareKeys } from './compare-keys.js';
import { ChangeGroups, type GroupedChange } from './group-changes.js';

export interface TableDiff {
  /** The name readers use. */
  readonly table: string;
  /** Rows. */
  readonly live: number;
  readonly rebuilt: number;
  /** Rows that only the rebuilt table has. */
  readonly added: number;
  /** Rows that only the live table has. */
  readonly removed: number;
  /** Rows of one key whose values differ. */
  readonly changed: number;
  /** Column → rows in which it differs; columns that differ nowhere are left out. */
  readonly columns: Readonly<Record<string, number>>;
  /** Equal changes of several rows, the largest first. */
  readonly changes: readonly GroupedChange[];
  /** Columns the other table lacks: they are not compared. */
  readonly onlyLive: readonly string[];
  readonly onlyRebuilt: readonly string[];
  readonly samples: {
    /** Keys. */
    readonly added: readonly StoredRow[];
    readonly removed: readonly StoredRow[];
    readonly changed: readonly ChangedRow[];
  };
}

/** @param samples kept of each kind and table */
export async function addUp(
  items: AsyncIterable<Comparison>,
  projection: PreparedProjection,
  samples: number,
  signal: AbortSignal,
): Promise<readonly TableDiff[]> {
  const tables: TableSum[] = [];
  for await (const item of items) {
    signal.throwIfAborted();
    const sum = tables.at(-1);
    if (item.kind === 'table') tables.push(new TableSum(item, declaredKinds(item, projection), samples));
    else if (item.kind === 'differences') await sum?.add(item);
    else if (item.kind === 'counts') sum?.count(item.live, item.rebuilt);
  }
  return tables.map((sum) => sum.result);
}

/** How two values of a column are compared: as JSON, as decimals (true is 1, false 0), or as text. */
type Kind = 'json' | 'number' | 'text';
type Kinds = ReadonlyMap<string, Kind>;

/** Returns the kinds by the types that the code declares, because SQLite does not know them; or by those of the table. */
function declaredKinds({ table, columns }: ComparedTable, projection: PreparedProjection): Kinds {
  const known =
    isTableProjection(projection) && projection.shape.spec.name === table ? projection.shape.spec.columns : [];
  return new Map([...columns, ...known].map(({ name, type }) => [name, kindOf(type)]));
}

function kindOf(type: string): Kind {
  if (/^jsonb?$/.test(type)) return 'json';
  return /^(small|big)?(int|serial)|^(integer|real|float|double|numeric|decimal|bool)/.test(type) ? 'number' : 'text';
}

/** The engines compare in their own way, so each difference that they find is checked by one rule. */
function isSameValue(kind: Kind, live: StoredValue, rebuilt: StoredValue): boolean {
  if (live === null || rebuilt === null) return live === rebuilt;
  const [a, b] = [spell(live), spell(rebuilt)];
  return a === b || (kind !== 'text' && jsonEquals(a, b));
}

/** SQLite stores true as 1. */
function spell(value: NonNullable<StoredValue>): string {
  return String(typeof value === 'boolean' ? Number(value) : value);
}

/** Adds up the differences of one table. */
export class TableSum {
  readonly #table: ComparedTable;
  readonly #kinds: Kinds;
  readonly #limit: number;
  readonly #samples = { added: [] as StoredRow[], removed: [] as StoredRow[], changed: [] as ChangedRow[] };
  readonly #columns = new Map<string, number>();
  readonly #groups = new ChangeGroups();
  readonly #counts = { live: 0, rebuilt: 0, added: 0, removed: 0, changed: 0 };

  /** @param kinds without them, every difference counts */
  constructor(table: ComparedTable, kinds: Kinds, limit: number) {
    this.#table = table;
    this.#kinds = kinds;
    this.#limit = limit;
  }

  get result(): TableDiff {
    const { table, columns, onlyLive, onlyRebuilt } = this.#table;
    const differing = columns.flatMap(({ name }) => {
      const rows = this.#columns.get(name) ?? 0;
      return rows === 0 ? [] : [[name, rows] as const];
    });
    const counts = { ...this.#counts, columns: Object.fromEntries(differing) };
    return { table, ...counts, changes: this.#groups.result, onlyLive, onlyRebuilt, samples: this.#samples };
  }

  count(live: number, rebuilt: number): void {
    this.#counts.live = live;
    this.#counts.rebuilt = rebuilt;
  }

  async add({ added, removed, changed }: TableDifferences): Promise<void> {
    this.#keep('added', added);
    this.#keep('removed', removed);
    const hasJson = [...this.#kinds.values()].includes('json');
    for (const row of changed) {
      this.#addChanged([row].map((each) => this.#withoutSame(each)).filter(({ columns }) => hasAny(columns)));
      // Comparing large documents takes long: other work gets its turn.
      if (hasJson) await setImmediate();
    }
  }

  #addChanged(rows: readonly ChangedRow[]): void {
    this.#keep('changed', rows);
    for (const row of rows) {
      this.#groups.add(row);
      for (const name in row.columns) this.#columns.set(name, (this.#columns.get(name) ?? 0) + 1);
    }
  }

  #keep<Kind extends 'added' | 'removed' | 'changed'>(kind: Kind, rows: readonly (StoredRow | ChangedRow)[]): void {
    this.#counts[kind] += rows.length;
    const kept = this.#samples[kind] as (StoredRow | ChangedRow)[];
    const keyOf = (row: StoredRow | ChangedRow) => (kind === 'changed' ? (row as ChangedRow).key : (row as StoredRow));
    // Each engine finds them in an order of its own.
    kept.push(...rows);
    kept.sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
    kept.splice(this.#limit);
  }

  #withoutSame({ key, columns }: ChangedRow): ChangedRow {
    const differing = Object.entries(columns).filter(([name, { live, rebuilt }]) => {
      const kind = this.#kinds.get(name);
      return kind === undefined || !isSameValue(kind, live, rebuilt);
    });
    return { key, columns: Object.fromEntries(differing) };
  }
}

function hasAny(columns: ChangedRow['columns']): boolean {
  return Object.keys(columns).length > 0;
}
