/** Reads the tables of read models as they are, for people who look. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ColumnSpec, StoredRow, StoredValue, TableSpec } from '../../../domain/read-model.js';
import { storedTimestamp } from '../../../domain/timestamp.js';
import { writeRowCandidates } from '../../shared/row-candidates.js';
import { toInteger, toOptional, toText, toTimestamp } from '../../shared/rows.js';
import { keyColumnsOf, noSuchTable, toNamedRow } from '../../shared/tables.js';
import type { TableColumn, TableDescription, TableQuery, TableReader } from '../../store.js';
import type { Database } from '../connection/database.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { ExactValue, Snapshot } from '../connection/values.js';
import { columnTypes } from './read-model.js';

const rowsPerPage = 500;

export function openTableReader(database: Database): TableReader {
  return {
    describe: (table, spec) => describe(database, table, spec),
    async countUpTo(table, most) {
      const text = `select count(*) from (select 1 from ${quoteIdentifier(table)} limit ?1)`;
      const [row] = await database.read((session) => session.query(text, [most]));
      return toInteger(row?.[0]);
    },
    estimate: (table) => estimate(database, table),
    read: (table, query) => database.snapshot((snapshot) => readWithin(snapshot, table, query)),
  };
}

async function describe(database: Database, table: string, spec?: TableSpec): Promise<TableDescription> {
  const rows = await database.read((session) => session.ask('table-columns', [table]));
  if (rows.length === 0) throw noSuchTable(table);
  const columns = rows.map((row) => {
    const [name, type] = [toText(row[0]), toText(row[1])];
    const known = spec?.columns.find((column) => column.name === name);
    return { name, type, kind: kindOf(type, known), keyPlace: toOptional(row[2], toInteger) };
  });
  return { columns, isExact: false };
}

/** @param known from a projection, maybe of another version than the table */
function kindOf(type: string, known: ColumnSpec | undefined): TableColumn['kind'] {
  if (known !== undefined && columnTypes[known.type] === type) return known.type;
  if (/int/.test(type)) return 'bigint';
  if (/char|clob|text/.test(type)) return 'text';
  if (/real|floa|doub/.test(type)) return 'real';
  if (/^bool/.test(type)) return 'boolean';
  return type === 'json' ? 'json' : 'any';
}

/** The last row id: rows that were deleted before it are not counted off. */
async function estimate(database: Database, table: string): Promise<number | null> {
  try {
    const text = `select max(rowid) from ${quoteIdentifier(table)}`;
    const [row] = await database.read((session) => session.query(text));
    return toOptional(row?.[0], toInteger) ?? 0;
  } catch (error) {
    if (error instanceof Error && /no such column: rowid/.test(String(error.cause ?? error))) return null;
    throw error;
  }
}

async function* readWithin(snapshot: Snapshot, table: string, query: TableQuery): AsyncGenerator<readonly StoredRow[]> {
  const parameters: ExactValue[] = [];
  const text = selectRows(table, query, parameters);
  let page: StoredRow[] = [];
  for (const row of snapshot.each(text, parameters)) {
    page.push(toNamedRow(query.columns, row, toValue));
    if (page.length < rowsPerPage) continue;
    yield page;
    page = [];
    await nextTurn();
  }
  yield page;
}

function selectRows(
  table: string,
  { columns, keys, candidates, order: by }: TableQuery,
  parameters: ExactValue[],
): string {
  const place = (value: ExactValue) => `?${parameters.push(value)}`;
  const key = keyColumnsOf(columns);
  const wanted = keys?.map((texts) =>
    key.map((column, at) => `${quoteIdentifier(column.name)} = ${place(toKey(column, texts[at] ?? ''))}`).join(' and '),
  );
  const narrowed =
    candidates &&
    writeRowCandidates(candidates, columns, { column: quoteIdentifier, place, numbers: ['integer', 'bigint'] });
  const conditions = [
    ...(wanted === undefined ? [] : [wanted.join(' or ')]),
    ...(narrowed === undefined ? [] : [narrowed]),
  ];
  const where = conditions.length === 0 ? '' : ` where ${conditions.map((each) => `(${each})`).join(' and ')}`;
  const order =
    key.length === 0 || by === 'any' ? '' : ` order by ${key.map(({ name }) => quoteIdentifier(name)).join(', ')}`;
  const selected = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  return `select ${selected} from ${quoteIdentifier(table)}${where}${order}`;
}

/** As evstore stores it. SQLite itself turns digits into numbers. */
function toKey({ kind }: TableColumn, text: string): string {
  if (kind === 'boolean') return text === 'true' ? '1' : text === 'false' ? '0' : text;
  if (kind === 'uuid') return text.toLowerCase();
  if (kind !== 'timestamp') return text;
  try {
    return storedTimestamp(text);
  } catch {
    return text;
  }
}

/** Another program may have stored another type there: then the value comes as it is. */
function toValue({ kind }: TableColumn, value: ExactValue | undefined): StoredValue {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex')}'`;
  if (kind === 'boolean' && (value === 0n || value === 1n)) return value === 1n;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return kind === 'timestamp' ? toTimestamp(value) : value;
}
