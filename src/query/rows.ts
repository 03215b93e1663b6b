/** The rows of a projection's tables as they are now: look at them, filter, sort and count them. */
import { EvstoreError } from '../domain/errors.js';
import { splitMembers } from '../domain/raw-json.js';
import type { StoredRow, TableSpec } from '../domain/read-model.js';
import { findSimilar, selectByName } from '../domain/similar.js';
import { compareValues, createRowTest, parseRowCondition } from '../domain/where/row.js';
import type { Store, TableColumn, TableDescription } from '../store/store.js';

export type Side = 'live' | 'built' | 'old';

export interface TableChoice {
  readonly projection: string;
  readonly side: Side;
  /** The name readers use; needed where there are several tables. */
  readonly table?: string | undefined;
  /** Finds what the code says about the table; asked only where the database does not know the types. */
  readonly findSpec?: (table: string) => Promise<TableSpec | undefined>;
}

export interface ChosenTable {
  readonly projection: string;
  readonly side: Side;
  /** In the database. */
  readonly table: string;
  readonly columns: readonly TableColumn[];
  readonly key: readonly TableColumn[];
  /** Nothing tells the types that the engine stores alike. */
  readonly isVague: boolean;
}

export interface RowsOptions {
  readonly store: Store;
  /** As typed: a value, or a JSON object of all columns of the key. */
  readonly keys?: readonly string[];
  readonly where?: string | undefined;
  readonly sort?: { readonly column: string; readonly descending: boolean } | undefined;
  readonly limit: number;
  /** Reads the table to its end, so that `matched` is known. */
  readonly counts?: boolean;
  /** Counts all rows of the table, however many there are. */
  readonly exact?: boolean;
  readonly now: Date;
  /** Called before every row of a large table is read. @param rows about how many; null when unknown */
  readonly startsLong: (rows: number | null) => Promise<void>;
  readonly progress: (rows: number) => void;
  readonly signal: AbortSignal;
}

export interface RowList {
  readonly projection: string;
  readonly side: Side;
  readonly table: string;
  readonly key: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly StoredRow[];
  /** Rows that fit the keys and the condition; null unless all rows were looked at. */
  readonly matched: number | null;
  /** There are more than `rows`. */
  readonly truncated: boolean;
  /** All rows of the table; null when it is large and nothing tells how many. */
  readonly total: number | null;
  /** `total` was not counted. */
  readonly estimated: boolean;
  /** Keys that no row has. */
  readonly missing: readonly string[];
}

const vague =
  'SQLite stores booleans as 0 and 1, and decimals, times and JSON as text; the code of the projection (see --projections) tells them apart.';
/** Counting this many rows takes milliseconds. */
const fewRows = 10_000;

/**
 * Finds a table of a projection that ran once.
 * @throws E_NOT_FOUND for an unknown projection, or one without such a table
 * @throws E_USAGE for several tables, and for rows outside the database
 */
export async function chooseTable(store: Store, choice: TableChoice): Promise<ChosenTable> {
  const { projection, side } = choice;
  const named = await findTables(store, projection, side);
  const [live, table] = pickTable(named, choice);
  let description: TableDescription = await store.tables.describe(table);
  const spec = description.isExact ? undefined : await choice.findSpec?.(live);
  if (spec !== undefined) description = await store.tables.describe(table, spec);
  const isVague = !description.isExact && spec === undefined;
  const { columns } = description;
  const key = columns.filter(({ keyPlace }) => keyPlace !== null).sort((a, b) => (a.keyPlace ?? 0) - (b.keyPlace ?? 0));
  return { projection, side, table, columns, key, isVague };
}

/**
 * @throws E_USAGE for a condition, a column or a key that does not fit the table
 * @throws the signal's reason
 */
export async function listRows(chosen: ChosenTable, options: RowsOptions): Promise<RowList> {
  const { projection, side, table, columns, key } = chosen;
  const { store, where, sort, limit, now, signal } = options;
  const condition =
    where === undefined ? undefined : parseRowCondition(where, columns, now, chosen.isVague ? vague : undefined);
  const sorted = sort === undefined ? undefined : { ...findColumn(columns, sort.column), descending: sort.descending };
  const keys = (options.keys ?? []).map((text) => ({ text, texts: parseKey(chosen, text) }));
  const total = await countRows(store, table, options);
  const readsAll = sorted !== undefined || options.counts === true;
  // An exact count has said so already.
  const isLong = keys.length === 0 && (readsAll || condition !== undefined) && (total.rows ?? fewRows + 1) > fewRows;
  if (isLong && total.estimated) await options.startsLong(total.rows);
  const best = new Best(limit, sorted, key);
  const isWanted = condition === undefined ? () => true : createRowTest(condition, columns);
  let [looked, isComplete] = [0, true];
  const query = {
    columns,
    order: readsAll ? ('any' as const) : ('key' as const),
    ...(keys.length > 0 && { keys: keys.map(({ texts }) => texts) }),
    ...(condition !== undefined && { candidates: condition }),
  };
  for await (const page of store.tables.read(table, query)) {
    signal.throwIfAborted();
    for (const row of page) if (isWanted(row)) best.add(row);
    looked += page.length;
    options.progress(looked);
    if (readsAll || best.count <= limit) continue;
    isComplete = false;
    break;
  }
  const rows = best.rows();
  return {
    projection,
    side,
    table,
    key: key.map(({ name }) => name),
    columns: columns.map(({ name, type, kind }) => ({ name, type: kind === 'other' || kind === 'any' ? type : kind })),
    rows,
    matched: isComplete ? best.count : null,
    truncated: best.count > rows.length,
    total: total.rows,
    estimated: total.estimated,
    missing: condition === undefined && limit >= keys.length ? findMissing(keys, rows, key) : [],
  };
}

/** Keeps the first rows, or those that come first when they are sorted; equal ones are in the order of the key. */
class Best {
  readonly #limit: number;
  readonly #compare: ((one: StoredRow, other: StoredRow) => number) | undefined;
  #rows: StoredRow[] = [];
  count = 0;

  constructor(
    limit: number,
    sorted: (TableColumn & { readonly descending: boolean }) | undefined,
    key: readonly TableColumn[],
  ) {
    this.#limit = limit;
    if (sorted === undefined) return;
    this.#compare = (one, other) => compareBy(sorted, one, other) || compareByKey(key, one, other);
  }

  add(row: StoredRow): void {
    this.count += 1;
    if (this.#compare === undefined && this.#rows.length >= this.#limit) return;
    this.#rows.push(row);
    if (this.#rows.length >= 2 * this.#limit + 1_000) this.#rows = this.rows();
  }

  rows(): StoredRow[] {
    return (this.#compare === undefined ? this.#rows : this.#rows.sort(this.#compare)).slice(0, this.#limit);
  }
}

/** Null comes last in either direction. */
function compareBy(
  { name, kind, descending }: TableColumn & { readonly descending: boolean },
  one: StoredRow,
  other: StoredRow,
): number {
  const [a = null, b = null] = [one[name], other[name]];
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return descending ? compareValues(kind, b, a) : compareValues(kind, a, b);
}

function compareByKey(key: readonly TableColumn[], one: StoredRow, other: StoredRow): number {
  for (const column of key) {
    const order = compareBy({ ...column, descending: false }, one, other);
    if (order !== 0) return order;
  }
  return 0;
}

/** Returns pairs of the name that readers use and the one in the database. */
async function findTables(
  { projections }: Store,
  projection: string,
  side: Side,
): Promise<readonly (readonly [string, string])[]> {
  const records = await projections.list();
  const [record] = selectByName(records, [projection], ({ name }) => name);
  if (record !== undefined && record.target !== null) {
    throw new EvstoreError('E_USAGE', `the rows of ${projection} are not in this database`, {
      why: `It is external: its rows are in ${record.target}.`,
      next: 'evstore projections',
    });
  }
  const rebuilds = await projections.rebuilds(projection);
  if (side === 'built') {
    const built = rebuilds.find(({ state }) => state === 'filling' || state === 'ready');
    if (built !== undefined) return built.tables.map(({ live, built: name }) => [live, name]);
    throw noSide(projection, 'built', 'It has no rebuild that is unfinished.');
  }
  if (side === 'old') {
    const swapped = rebuilds.find(({ state, old }) => state === 'swapped' && old !== null);
    if (swapped !== undefined) return swapped.tables.map(({ live, old }) => [live, old]);
    throw noSide(projection, 'old', 'No swap keeps the table that it replaced.');
  }
  if (record !== undefined && record.tables.length > 0) return record.tables.map((table) => [table, table]);
  throw noSide(projection, 'live', 'It keeps no tables.');
}

function noSide(projection: string, side: Side, why: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `${projection} has no ${side} table`, { why, next: 'evstore projections' });
}

function pickTable(
  named: readonly (readonly [string, string])[],
  { projection, table }: TableChoice,
): readonly [string, string] {
  const names = named.map(([live]) => live);
  if (table !== undefined) {
    const found = named.find((pair) => pair.includes(table));
    if (found !== undefined) return found;
    const meant = findSimilar(table, names);
    throw new EvstoreError('E_NOT_FOUND', `${projection} has no table ${table}`, {
      why: meant === undefined ? `It has ${names.join(', ')}.` : `Did you mean ${meant}?`,
    });
  }
  const [only, ...others] = named;
  if (only !== undefined && others.length === 0) return only;
  throw new EvstoreError('E_USAGE', `${projection} has several tables`, {
    why: `Choose one with --table: ${names.join(', ')}.`,
    details: { tables: names },
  });
}

function findColumn(columns: readonly TableColumn[], name: string): TableColumn {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = columns.map((column) => column.name);
  const meant = findSimilar(name, names);
  throw new EvstoreError('E_USAGE', `there is no column ${name}`, {
    why: meant === undefined ? `There are: ${names.join(', ')}.` : `Did you mean ${meant}?`,
    details: { column: name, columns: names },
  });
}

function parseKey({ table, key }: ChosenTable, text: string): readonly string[] {
  const [only, ...others] = key;
  if (only === undefined) {
    throw new EvstoreError('E_USAGE', `table ${table} has no primary key`, { why: 'Filter it with --where.' });
  }
  const isObject = text.startsWith('{');
  const shape = `{${key.map(({ name }) => `"${name}":…`).join(',')}}`;
  const wrong = new EvstoreError('E_USAGE', `'${text}' is not a key of ${table}`, {
    why: `Give ${others.length > 0 ? '' : 'a value, or '}a JSON object of the columns of its key: ${shape}.`,
  });
  const plain = others.length === 0 ? new Map([[only.name, text]]) : undefined;
  const given = isObject ? readObject(text) : plain;
  if (given === undefined) throw wrong;
  const texts = key.map(({ name }) => given.get(name));
  if (given.size !== key.length) throw wrong;
  return texts.map((each, at) => {
    const isWhole = key[at]?.kind === 'integer' || key[at]?.kind === 'bigint';
    if (each === undefined || (isWhole && !/^-?\d+$/.test(each))) throw wrong;
    return each;
  });
}

/** Returns the texts of the members: strings without quotes, everything else as it is written. */
function readObject(text: string): ReadonlyMap<string, string> | undefined {
  try {
    const members = splitMembers(text);
    return (
      members &&
      new Map([...members].map(([name, json]) => [name, json.startsWith('"') ? JSON.parse(json) : json.trim()]))
    );
  } catch {
    return undefined;
  }
}

async function countRows({ tables }: Store, table: string, { exact = false, startsLong }: RowsOptions) {
  const counted = await tables.countUpTo(table, fewRows + 1);
  if (counted <= fewRows) return { rows: counted, estimated: false };
  const known = await tables.estimate(table);
  const about = known === null ? null : Math.max(known, counted);
  if (!exact) return { rows: about, estimated: true };
  await startsLong(about);
  return { rows: await tables.countUpTo(table, Number.MAX_SAFE_INTEGER), estimated: false };
}

/** A key may be spelled differently from the stored value, so only their number tells for sure. */
function findMissing(
  keys: readonly { readonly text: string; readonly texts: readonly string[] }[],
  rows: readonly StoredRow[],
  key: readonly TableColumn[],
): readonly string[] {
  const different = [...new Map(keys.map((each) => [JSON.stringify(each.texts), each])).values()];
  if (rows.length >= different.length) return [];
  const found = new Set(rows.map((row) => JSON.stringify(key.map(({ name }) => String(row[name])))));
  return different.filter(({ texts }) => !found.has(JSON.stringify(texts))).map(({ text }) => text);
}
