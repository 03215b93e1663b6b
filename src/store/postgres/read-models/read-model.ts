/** Writes and reads the tables and rows of read models, from portable types to those of Postgres. */
import { deriveName } from '../../../domain/names.js';
import type {
  Changes,
  ColumnSpec,
  ColumnType,
  Statement,
  StoredRow,
  StoredValue,
  TableSpec,
} from '../../../domain/read-model.js';
import { lostTable } from '../../shared/lost-table.js';
import { toBigInteger, toInteger, toTimestamp } from '../../shared/rows.js';
import { keyColumns, refusedWrite, refuseForbidden } from '../../shared/statements.js';
import { copyLine } from '../connection/copy-text.js';
import type { Session } from '../connection/database.js';
import { sqlState } from '../connection/errors.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { Parameter, RawRow } from '../connection/values.js';
import { isTooLong, mostIndexedBytes, nameLongRow } from './index-limit.js';

/** The most rows in one statement, so that the size of a message is bounded. */
const rowsPerStatement = 5000;
const undefinedTable = '42P01';

/** json, not jsonb, so that its text is returned as it was written. */
const columnTypes: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  integer: 'integer',
  bigint: 'bigint',
  real: 'double precision',
  numeric: 'numeric',
  boolean: 'boolean',
  json: 'json',
  timestamp: 'timestamptz',
  uuid: 'uuid',
};

export function qualify(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}

/** Returns the statement that creates the table with its primary key under the given name. */
export function createTable(schema: string, spec: TableSpec, table: string): string {
  const columns = spec.columns.map((column) => {
    const isKey = spec.key.includes(column.name);
    return `${quoteIdentifier(column.name)} ${columnTypes[column.type]}${isKey ? ' not null' : ''}`;
  });
  const key = `constraint ${quoteIdentifier(deriveName(table, '_pkey'))} primary key (${listColumns(spec.key)})`;
  return `create table ${qualify(schema, table)} (${[...columns, key].join(', ')})`;
}

/** Returns the statements of the secondary indexes. Their names are derived from the table's, so that a swap renames them. */
export function createIndexes(schema: string, spec: TableSpec, table: string): readonly string[] {
  return spec.indexes.map(({ columns, unique }, index) => {
    const kind = unique ? 'unique index' : 'index';
    const name = quoteIdentifier(deriveName(table, `_idx${index + 1}`));
    return `create ${kind} ${name} on ${qualify(schema, table)} (${listColumns(columns)})`;
  });
}

/** Selects the row that takes the most bytes in an index, as stored, if it does not fit: bytes, how many, key. */
export function longestRow(schema: string, table: string, key: readonly string[], columns: readonly string[]): string {
  const size = columns.map((name) => `coalesce(pg_column_size(${quoteIdentifier(name)}), 0)`).join(' + ');
  return `select size, count(*) over (), ${key.map((name) => `${quoteIdentifier(name)}::text`).join(', ')}
    from (select ${size} as size, ${listColumns(key)} from ${qualify(schema, table)}) as sized
    where size > ${mostIndexedBytes} order by size desc limit 1`;
}

export async function applyChanges(session: Session, changes: Changes): Promise<void> {
  if (changes.kind === 'statements') {
    for (const statement of changes.statements) await runStatement(session, statement);
    return;
  }
  const { spec, table, inserts = [], upserts, deletes } = changes;
  const key = keyColumns(spec);
  for (const rows of slices(deletes)) {
    await refused(() => session.query(deleteRows(session.schema, spec, table), toArrays(key, rows)));
  }
  try {
    for (const rows of slices(upserts)) {
      await refused(() => session.query(upsertRows(session.schema, spec, table), toArrays(spec.columns, rows)));
    }
    if (inserts.length > 0) {
      await refused(() => session.copyIn(copyRows(session.schema, spec, table), toLines(spec.columns, inserts)));
    }
  } catch (error) {
    throw isTooLong(error) ? nameLongRow(error, spec, table, [...upserts, ...inserts]) : error;
  }
}

/** @throws E_NOT_FOUND when the table does not exist */
export async function readRows(
  session: Session,
  table: string,
  spec: TableSpec,
  keys: readonly StoredRow[],
): Promise<readonly StoredRow[]> {
  const found: StoredRow[] = [];
  try {
    for (const slice of slices(keys)) {
      const rows = await session.query(selectRows(session.schema, spec, table), toArrays(keyColumns(spec), slice));
      for (const row of rows) found.push(toStoredRow(spec.columns, row));
    }
  } catch (error) {
    throw sqlState(error) === undefinedTable ? lostTable(table, error) : error;
  }
  return found;
}

const forbidden = /^(begin|start|commit|end|rollback|abort|savepoint|release|prepare|set|reset|discard|vacuum)\b/i;

/**
 * Runs a statement of a projection; unqualified names are found by the search path of the transaction.
 * @throws E_HANDLER when it ends the transaction it runs in, or Postgres refuses it
 */
export async function runStatement(session: Session, statement: Statement): Promise<void> {
  const parameters: Parameter[] = [];
  const text = renderStatement(statement, parameters);
  refuseForbidden(text, forbidden);
  await refused(() => session.query(text, parameters));
}

/** Returns the text with placeholders, and adds their values to `parameters`. */
export function renderStatement({ parts }: Statement, parameters: Parameter[]): string {
  const texts = parts.map((part) => {
    if (part.kind === 'text') return part.text;
    if (part.kind === 'identifier') return quoteIdentifier(part.name);
    return `$${parameters.push(typeof part.value === 'bigint' ? String(part.value) : part.value)}`;
  });
  return texts.join('');
}

/** Attributes errors of read-model statements to the projection, except missing privileges. */
export async function refused<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const state = sqlState(error) ?? '';
    if (!/^(0A|2[1-3]|42(?!501)|P0)/.test(state)) throw error;
    throw refusedWrite(error, { sqlState: state });
  }
}

function upsertRows(schema: string, spec: TableSpec, table: string): string {
  const others = spec.columns.filter(({ name }) => !spec.key.includes(name)).map(({ name }) => quoteIdentifier(name));
  const action =
    others.length === 0 ? 'nothing' : `update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`;
  const columns = listColumns(spec.columns.map(({ name }) => name));
  return `insert into ${qualify(schema, table)} (${columns}) select * from ${unnest(spec.columns)}
    on conflict (${listColumns(spec.key)}) do ${action}`;
}

function copyRows(schema: string, spec: TableSpec, table: string): string {
  return `copy ${qualify(schema, table)} (${listColumns(spec.columns.map(({ name }) => name))}) from stdin`;
}

function deleteRows(schema: string, spec: TableSpec, table: string): string {
  return `delete from ${qualify(schema, table)} as t using ${unnest(keyColumns(spec))} where ${joinOnKey(spec)}`;
}

function selectRows(schema: string, spec: TableSpec, table: string): string {
  const columns = spec.columns.map(({ name, type }) => {
    const column = `t.${quoteIdentifier(name)}`;
    return type === 'timestamp' ? `to_json(${column} at time zone 'UTC') #>> '{}'` : `${column}::text`;
  });
  return `select ${columns.join(', ')} from ${qualify(schema, table)} as t
    join ${unnest(keyColumns(spec))} on ${joinOnKey(spec)}`;
}

function unnest(columns: readonly ColumnSpec[]): string {
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${columnTypes[type]}[]`);
  return `unnest(${arrays.join(', ')}) as k(${listColumns(columns.map(({ name }) => name))})`;
}

function joinOnKey(spec: TableSpec): string {
  return spec.key.map((name) => `t.${quoteIdentifier(name)} = k.${quoteIdentifier(name)}`).join(' and ');
}

function listColumns(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(', ');
}

function toArrays(columns: readonly ColumnSpec[], rows: readonly StoredRow[]): readonly Parameter[] {
  return columns.map(({ name }) => rows.map((row) => row[name] ?? null));
}

function* toLines(columns: readonly ColumnSpec[], rows: readonly StoredRow[]): Generator<string> {
  for (const row of rows) yield copyLine(columns.map(({ name }) => row[name] ?? null));
}

function* slices(rows: readonly StoredRow[]): Generator<readonly StoredRow[]> {
  for (let start = 0; start < rows.length; start += rowsPerStatement) yield rows.slice(start, start + rowsPerStatement);
}

function toStoredRow(columns: readonly ColumnSpec[], row: RawRow): StoredRow {
  return Object.fromEntries(columns.map(({ name, type }, index) => [name, toStoredValue(type, row[index] ?? null)]));
}

function toStoredValue(type: ColumnType, text: string | null): StoredValue {
  if (text === null) return null;
  if (type === 'integer') return toInteger(text);
  if (type === 'bigint') return toBigInteger(text);
  if (type === 'real') return Number(text);
  if (type === 'boolean') return text === 'true';
  return type === 'timestamp' ? toTimestamp(text) : text;
}
