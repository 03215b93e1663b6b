/** Compares live tables with rebuilt ones in one snapshot, and runs statements that only read. */
import { EvstoreError } from '../../../domain/errors.js';
import type { Statement, StoredRow, StoredValue } from '../../../domain/read-model.js';
import { assertOnePosition, matchColumns } from '../../shared/match-columns.js';
import { toInteger, toOptional, toText, toTimestamp } from '../../shared/rows.js';
import type { CatalogColumn, ChangedRow, ComparedTable, Comparison, Rebuild, TableDifferences } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { sqlState } from '../connection/errors.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { Parameter, RawRow } from '../connection/values.js';
import { qualify, refused, renderStatement } from '../read-models/read-model.js';
import { searchPath } from '../schema/schema-name.js';

/** The approximate number of characters in one fetch. */
const fetchedLimit = 1_000_000;
const mostFetched = 500;
const lockTimeoutMs = 5_000;
const writesInReadOnly = '25006';

interface Column extends CatalogColumn {
  readonly typeOid: number;
  readonly collation: number;
  readonly hasEquality: boolean;
}

interface Pair extends ComparedTable {
  readonly live: string;
  readonly built: string;
  /** Names of columns whose values are compared, and whose keys are matched, as text; booleans as 1 and 0. */
  readonly asText: ReadonlySet<string>;
  /** Types of the live columns by name. */
  readonly liveTypes: ReadonlyMap<string, string>;
}

export function compareTables(database: Database, rebuild: Rebuild): AsyncIterable<Comparison> {
  // Times come in one spelling, and the plan is made for the complete result.
  const prelude = `${lockTimeout(lockTimeoutMs)}; set local timezone = 'UTC'; set local cursor_tuple_fraction = 1`;
  return database.snapshot((session) => compareWithin(session, rebuild), prelude);
}

async function* compareWithin(session: Session, rebuild: Rebuild): AsyncGenerator<Comparison> {
  // Before the snapshot is taken: the lock keeps the names with their tables.
  const names = rebuild.tables.flatMap(({ live, built }) => [
    qualify(session.schema, live),
    qualify(session.schema, built),
  ]);
  await lockNames(session, rebuild.projection, names);
  const [row] = await session.ask('comparison-positions', [rebuild.id]);
  const live = toOptional(row?.[0], toInteger);
  const position = assertOnePosition(rebuild.projection, live, Number(row?.[1] ?? 0), row?.[2] ?? 'gone');
  yield { kind: 'position', position };
  for (const { live, built } of rebuild.tables) {
    const columns = [await readColumns(session, live), await readColumns(session, built)] as const;
    const table = matchColumns(live, ...columns);
    yield table;
    const pair = {
      ...table,
      live: qualify(session.schema, live),
      built: qualify(session.schema, built),
      asText: findTexts(...columns),
      liveTypes: new Map(columns[0].map(({ name, type }) => [name, type])),
    };
    yield* findDifferences(session, pair);
    const [[rows] = []] = await session.query(`select count(*) from ${pair.live}`);
    const [[rebuiltRows] = []] = await session.query(`select count(*) from ${pair.built}`);
    yield { kind: 'counts', table: live, live: toInteger(rows), rebuilt: toInteger(rebuiltRows) };
  }
}

async function lockNames(session: Session, projection: string, names: readonly string[]): Promise<void> {
  try {
    await session.script(`lock table ${names.join(', ')} in access share mode`);
  } catch (error) {
    if (sqlState(error) !== '42P01') throw error;
    throw new EvstoreError('E_SUPERSEDED', `the tables of ${projection} have changed`, {
      why: 'One of them was just renamed or dropped.',
      next: 'evstore projections',
      cause: error,
    });
  }
}

async function readColumns(session: Session, table: string): Promise<readonly Column[]> {
  const rows = await session.ask('table-columns', [session.schema, table]);
  return rows.map((row) => ({
    name: toText(row[0]),
    type: toText(row[1]),
    keyPlace: toOptional(row[2], toInteger),
    typeOid: toInteger(row[3]),
    collation: toInteger(row[4]),
    hasEquality: row[5] === 't',
  }));
}

/** Returns the columns whose values cannot be compared by =, or whose two types cannot. */
function findTexts(live: readonly Column[], built: readonly Column[]): ReadonlySet<string> {
  const alike = (a: Column, b: Column | undefined) => a.typeOid === b?.typeOid && a.collation === b.collation;
  const texts = built.filter((column) => {
    const other = live.find(({ name }) => name === column.name);
    return !column.hasEquality || !alike(column, other);
  });
  return new Set(texts.map(({ name }) => name));
}

async function* findDifferences(session: Session, pair: Pair): AsyncGenerator<TableDifferences> {
  await session.script(`declare evstore_comparison no scroll cursor for ${selectDifferences(pair)}`);
  for (let wanted = 20; ; ) {
    const rows = await session.query(`fetch forward ${wanted} from evstore_comparison`);
    if (rows.length > 0) yield toDifferences(pair, rows);
    if (rows.length < wanted) break;
    const size = rows.reduce((sum, row) => row.reduce((all, value) => all + (value?.length ?? 0), sum), 0);
    const fitting = Math.floor((fetchedLimit * rows.length) / Math.max(1, size));
    wanted = Math.max(1, Math.min(mostFetched, wanted * 2, fitting));
  }
  await session.script('close evstore_comparison');
}

/** Selects for each row the side that lacks it, its key, and for each column whether it differs, with both values. */
function selectDifferences({ live, built, key, columns, asText, liveTypes }: Pair): string {
  const builtTypes = new Map([...key, ...columns].map(({ name, type }) => [name, type]));
  const value = (side: 'l' | 'r', name: string) => {
    const column = `${side}.${quoteIdentifier(name)}`;
    if (!asText.has(name)) return column;
    const isBoolean = (side === 'l' ? liveTypes : builtTypes).get(name) === 'boolean';
    return `${column}${isBoolean ? '::integer' : ''}::text collate "C"`;
  };
  const differs = (name: string) => `${value('l', name)} is distinct from ${value('r', name)}`;
  const first = quoteIdentifier(key[0]?.name ?? '');
  const [noLive, noBuilt] = [`l.${first} is null`, `r.${first} is null`];
  const isOneSided = `${noLive} or ${noBuilt}`;
  const selected = [
    `case when ${noLive} then 'added' when ${noBuilt} then 'removed' else 'changed' end`,
    ...key.map(({ name }) => `coalesce(l.${quoteIdentifier(name)}::text, r.${quoteIdentifier(name)}::text)`),
    ...columns.flatMap(({ name }) => {
      const isChanged = `not (${isOneSided}) and ${differs(name)}`;
      const text = (side: string) => `case when ${isChanged} then ${side}.${quoteIdentifier(name)}::text end`;
      return [isChanged, text('l'), text('r')];
    }),
  ];
  const matched = key.map(({ name }) => `${value('l', name)} = ${value('r', name)}`).join(' and ');
  const wanted = [isOneSided, ...columns.map(({ name }) => differs(name))].join(' or ');
  return `select ${selected.join(', ')} from ${live} as l full join ${built} as r on ${matched} where ${wanted}`;
}

function toDifferences({ table, key, columns, liveTypes }: Pair, rows: readonly RawRow[]): TableDifferences {
  const keyed = rows.map((row) => ({
    row,
    key: Object.fromEntries(key.map(({ name, type }, at) => [name, toValue(type, row[at + 1] ?? null)])),
  }));
  const keysOf = (kind: string): readonly StoredRow[] =>
    keyed.filter(({ row }) => row[0] === kind).map((each) => each.key);
  const changed = keyed.filter(({ row }) => row[0] === 'changed');
  return {
    kind: 'differences',
    table,
    added: keysOf('added'),
    removed: keysOf('removed'),
    changed: changed.map(({ row, key: rowKey }): ChangedRow => {
      const values = columns.map(({ name, type }, index) => {
        const at = 1 + key.length + 3 * index;
        const [isChanged, live = null, rebuilt = null] = row.slice(at, at + 3);
        return isChanged === 't'
          ? [[name, { live: toValue(liveTypes.get(name) ?? type, live), rebuilt: toValue(type, rebuilt) }] as const]
          : [];
      });
      return { key: rowKey, columns: Object.fromEntries(values.flat()) };
    }),
  };
}

function toValue(type: string, text: string | null): StoredValue {
  if (text === null) return null;
  if (type === 'boolean') return text === 'true';
  if (/^(smallint|integer|bigint)$/.test(type)) return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  if (/^(real|double precision)$/.test(type)) return Number.isFinite(Number(text)) ? Number(text) : text;
  return type.startsWith('timestamp with time zone') ? toTimestamp(text) : text;
}

/** A subquery cannot be another kind of statement, and a statement with parameters cannot be several. */
export async function select(database: Database, statement: Statement, limit: number): Promise<readonly string[]> {
  const parameters: Parameter[] = [];
  const text = renderStatement(statement, parameters).replace(/[\s;]+$/, '');
  const query = `select row_to_json(q) from (\n${text}\n) as q limit $${parameters.push(limit)}`;
  try {
    const rows = await database.transaction((session) => refused(() => session.query(query, parameters)), {
      prelude: `set transaction read only; ${searchPath(database.schema)}`,
    });
    return rows.map(([row]) => toText(row));
  } catch (error) {
    if (sqlState(error) !== writesInReadOnly) throw error;
    throw new EvstoreError('E_HANDLER', 'only one SELECT statement is allowed: this one would write', { cause: error });
  }
}
