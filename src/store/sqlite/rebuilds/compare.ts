/** Compares live tables with rebuilt ones in one snapshot, and runs statements that only read. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EvstoreError } from '../../../domain/errors.js';
import type { Statement, StoredRow, StoredValue } from '../../../domain/read-model.js';
import { assertOnePosition, matchColumns } from '../../shared/match-columns.js';
import { toInteger, toOptional, toText } from '../../shared/rows.js';
import type { CatalogColumn, ChangedRow, ComparedTable, Comparison, Rebuild, TableDifferences } from '../../store.js';
import type { Database } from '../connection/database.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { ExactRow, ExactValue, Parameter, Snapshot } from '../connection/values.js';
import { refused, renderStatement } from '../read-models/read-model.js';

/** Rows in a slice of a table, which is compared at once: the time it takes decides how many. */
const [fewestRows, mostRows] = [50, 2_000];
const [tooShortMs, tooLongMs] = [5, 15];

interface Column extends CatalogColumn {
  readonly mayBeNull: boolean;
}

interface Pair extends ComparedTable {
  readonly live: string;
  readonly built: string;
}

export function compareTables(database: Database, rebuild: Rebuild): AsyncIterable<Comparison> {
  return database.snapshot((snapshot) => compareWithin(snapshot, rebuild));
}

async function* compareWithin(snapshot: Snapshot, rebuild: Rebuild): AsyncGenerator<Comparison> {
  const [row] = snapshot.ask('comparison-positions', [rebuild.id]).map(toNumbers);
  const live = toOptional(row?.[0], toInteger);
  const state = toOptional(row?.[2], toText) ?? 'gone';
  const position = assertOnePosition(rebuild.projection, live, Number(row?.[1] ?? 0), state);
  yield { kind: 'position', position };
  for (const { live, built } of rebuild.tables) {
    const columns = [readColumns(snapshot, live), readColumns(snapshot, built)] as const;
    const table = matchColumns(live, ...columns);
    assertKeyed(snapshot, live, live, columns[0]);
    assertKeyed(snapshot, live, built, columns[1]);
    yield table;
    const pair = { ...table, live: quoteIdentifier(live), built: quoteIdentifier(built) };
    const liveRows = yield* findDifferences(snapshot, pair, 'live');
    const rebuilt = yield* findDifferences(snapshot, pair, 'built');
    yield { kind: 'counts', table: live, live: liveRows, rebuilt };
  }
}

function readColumns(snapshot: Snapshot, table: string): readonly Column[] {
  const rows = snapshot.ask('table-columns', [table]).map(toNumbers);
  return rows.map((row) => ({
    name: toText(row[0]),
    type: toText(row[1]),
    keyPlace: toOptional(row[2], toInteger),
    mayBeNull: row[3] === 1,
  }));
}

/**
 * SQLite allows null in primary keys, any number of times.
 * @throws E_CONFIG naming a column with null
 */
function assertKeyed(snapshot: Snapshot, table: string, physical: string, columns: readonly Column[]): void {
  const nullable = columns.filter(({ keyPlace, mayBeNull }) => keyPlace !== null && mayBeNull);
  for (const { name } of nullable) {
    const condition = `from ${quoteIdentifier(physical)} where ${quoteIdentifier(name)} is null limit 1`;
    if (snapshot.query(`select 1 ${condition}`).length === 0) continue;
    throw new EvstoreError('E_CONFIG', `table ${table} has null in its primary key`, {
      why: `Rows are compared by key, and ${physical} has rows whose ${name} is null.`,
      details: { table, column: name },
    });
  }
}

/**
 * Reads one side in the order of the key and looks up each row on the other. The live side yields removed and changed rows,
 * the built side added ones.
 * @returns the number of rows on the side
 */
async function* findDifferences(
  snapshot: Snapshot,
  pair: Pair,
  side: 'live' | 'built',
): AsyncGenerator<TableDifferences, number> {
  let after: ExactRow = [];
  let count = 0;
  for (let size = fewestRows; ; ) {
    const startedAt = performance.now();
    const [last] = snapshot.query(selectLast(pair, side, after.length > 0), [...after, size - 1]);
    const range = [...after, ...(last ?? [])];
    const parts = { isFirst: after.length === 0, isLast: last === undefined };
    const rows = snapshot.query(selectDifferences(pair, side, parts), range);
    count += last === undefined ? countRest(snapshot, pair, side, after) : size;
    if (rows.length > 0) yield toDifferences(pair, side, rows);
    if (last === undefined) return count;
    after = last;
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs > tooLongMs) size = Math.max(fewestRows, Math.floor(size / 2));
    else if (elapsedMs < tooShortMs) size = Math.min(mostRows, size * 2);
    await nextTurn();
  }
}

/** Selects the key of the last row of a slice; no row when fewer rows are left. */
function selectLast(pair: Pair, side: 'live' | 'built', isBounded: boolean): string {
  const keys = listKeys(pair, 't');
  const where = isBounded ? `where (${keys}) > (${placeholders(pair)})` : '';
  return `select ${keys} from ${pair[side]} as t ${where} order by ${keys} limit 1 offset ?`;
}

function countRest(snapshot: Snapshot, pair: Pair, side: 'live' | 'built', after: ExactRow): number {
  const where = after.length > 0 ? `where (${listKeys(pair, 't')}) > (${placeholders(pair)})` : '';
  const [row] = snapshot.query(`select count(*) from ${pair[side]} as t ${where}`, after);
  return Number(row?.[0] ?? 0);
}

/** Selects for each row its key, on the live side whether the other lacks it, and for each column whether it differs, with both values. */
function selectDifferences(
  pair: Pair,
  side: 'live' | 'built',
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
): string {
  const { key, columns } = pair;
  const keys = listKeys(pair, 't');
  const range = [
    ...(isFirst ? [] : [`(${keys}) > (${placeholders(pair)})`]),
    ...(isLast ? [] : [`(${keys}) <= (${placeholders(pair)})`]),
  ];
  const other = pair[side === 'live' ? 'built' : 'live'];
  const matched = key.map(({ name }) => `o.${quoteIdentifier(name)} = t.${quoteIdentifier(name)}`).join(' and ');
  if (side === 'built') {
    const where = [...range, `not exists (select 1 from ${other} as o where ${matched})`].join(' and ');
    return `select ${keys} from ${pair.built} as t where ${where} order by ${keys}`;
  }
  const isMissing = `o.${quoteIdentifier(key[0]?.name ?? '')} is null`;
  // The + keeps SQLite from converting one side to the type of the other.
  const differs = (name: string) => `+t.${quoteIdentifier(name)} collate binary is not +o.${quoteIdentifier(name)}`;
  const values = columns.flatMap(({ name }) => {
    const value = (alias: string) => `case when ${differs(name)} then ${alias}.${quoteIdentifier(name)} end`;
    return [differs(name), value('t'), value('o')];
  });
  const wanted = [isMissing, ...columns.map(({ name }) => differs(name))].join(' or ');
  const where = [...range, `(${wanted})`].join(' and ');
  return `select ${[keys, isMissing, ...values].join(', ')} from ${pair.live} as t left join ${other} as o on ${matched}
    where ${where} order by ${keys}`;
}

function listKeys({ key }: Pair, alias: string): string {
  return key.map(({ name }) => `${alias}.${quoteIdentifier(name)}`).join(', ');
}

function placeholders({ key }: Pair): string {
  return key.map(() => '?').join(', ');
}

function toDifferences(
  { table, key, columns }: Pair,
  side: 'live' | 'built',
  rows: readonly ExactRow[],
): TableDifferences {
  const keyOf = (row: ExactRow): StoredRow => Object.fromEntries(key.map(({ name }, at) => [name, toValue(row[at])]));
  if (side === 'built') return { kind: 'differences', table, added: rows.map(keyOf), removed: [], changed: [] };
  const isMissing = (row: ExactRow) => row[key.length] === 1n;
  const changed = rows.filter((row) => !isMissing(row));
  return {
    kind: 'differences',
    table,
    added: [],
    removed: rows.filter(isMissing).map(keyOf),
    changed: changed.map((row): ChangedRow => {
      const values = columns.map(({ name }, index) => {
        const at = key.length + 1 + 3 * index;
        const [isChanged, live, rebuilt] = row.slice(at, at + 3);
        return isChanged === 1n ? [[name, { live: toValue(live), rebuilt: toValue(rebuilt) }] as const] : [];
      });
      return { key: keyOf(row), columns: Object.fromEntries(values.flat()) };
    }),
  };
}

function toValue(value: ExactValue | undefined): StoredValue {
  if (value === undefined) return null;
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** For values that evstore wrote, which never exceed 2^53-1. */
function toNumbers(row: ExactRow): readonly (string | number | Buffer | null)[] {
  return row.map((value) => (typeof value === 'bigint' ? Number(value) : value));
}

/** A subquery cannot be another kind of statement. */
export async function select(database: Database, statement: Statement, limit: number): Promise<readonly string[]> {
  const parameters: Parameter[] = [];
  const text = renderStatement(statement, parameters).replace(/[\s;]+$/, '');
  const query = `select * from (\n${text}\n) as q limit ?${parameters.push(limit)}`;
  const rows = await database.retry(() => refused(() => single(() => database.selectExactly(query, parameters))));
  return rows.map((row) => {
    const values = Object.entries(row).map(([name, value]) => [name, toValue(value)] as const);
    return JSON.stringify(Object.fromEntries(values));
  });
}

/** The driver refuses a text with several statements. */
function single<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EvstoreError('E_HANDLER', 'only one SELECT statement is allowed', { cause: error });
  }
}
