/** Writes and reads the tables and rows of read models, from portable types to those of SQLite. */
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
import { storedTimestamp } from '../../../domain/timestamp.js';
import { lostTable } from '../../shared/lost-table.js';
import type { RawValue } from '../../shared/rows.js';
import { toBigInteger, toInteger, toText, toTimestamp } from '../../shared/rows.js';
import { keyColumns, refusedWrite, refuseForbidden } from '../../shared/statements.js';
import type { Session } from '../connection/database.js';
import { resultCode } from '../connection/errors.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { Parameter, RawRow } from '../connection/values.js';

/** Text for values that must keep their digits. Times have six digits of a second, so that they sort as text. */
export const columnTypes: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  integer: 'integer',
  bigint: 'integer',
  real: 'real',
  numeric: 'text',
  boolean: 'integer',
  json: 'text',
  timestamp: 'text',
  uuid: 'text',
};

/** Returns the statement that creates the table with its primary key under the given name. */
export function createTable(spec: TableSpec, table: string): string {
  const columns = spec.columns.map((column) => {
    const isKey = spec.key.includes(column.name);
    return `${quoteIdentifier(column.name)} ${columnTypes[column.type]}${isKey ? ' not null' : ''}`;
  });
  const key = `primary key (${listColumns(spec.key)})`;
  return `create table ${quoteIdentifier(table)} (${[...columns, key].join(', ')}) strict`;
}

/** Returns the statements of the secondary indexes. SQLite cannot rename them: after a swap they keep the rebuild's number. */
export function createIndexes(spec: TableSpec, table: string): readonly string[] {
  return spec.indexes.map(({ columns, unique }, index) => {
    const kind = unique ? 'unique index' : 'index';
    const name = quoteIdentifier(deriveName(table, `_idx${index + 1}`));
    return `create ${kind} ${name} on ${quoteIdentifier(table)} (${listColumns(columns)})`;
  });
}

export function applyChanges(session: Session, changes: Changes): void {
  if (changes.kind === 'statements') {
    for (const statement of changes.statements) runStatement(session, statement);
    return;
  }
  const { spec, table, inserts = [], upserts, deletes } = changes;
  const key = keyColumns(spec);
  const deletion = deleteRow(spec, table);
  for (const row of deletes) refused(() => session.run(deletion, toParameters(key, row)));
  const upsert = upsertRow(spec, table);
  for (const row of upserts) refused(() => session.run(upsert, toParameters(spec.columns, row)));
  const insertion = insertRow(spec, table);
  for (const row of inserts) refused(() => session.run(insertion, toParameters(spec.columns, row)));
}

/** @throws E_NOT_FOUND when the table does not exist */
export function readRows(
  session: Session,
  table: string,
  spec: TableSpec,
  keys: readonly StoredRow[],
): readonly StoredRow[] {
  const selection = selectRow(spec, table);
  const columns = keyColumns(spec);
  try {
    return keys.flatMap((key) =>
      session.query(selection, toParameters(columns, key)).map((row) => toStoredRow(spec.columns, row)),
    );
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('no such table')) throw lostTable(table, error);
    throw error;
  }
}

const forbidden = /^(begin|commit|end|rollback|savepoint|release|attach|detach|pragma|vacuum)\b/i;

/**
 * Runs a statement of a projection.
 * @throws E_HANDLER when it ends the transaction it runs in, or SQLite refuses it
 */
export function runStatement(session: Session, statement: Statement): void {
  const parameters: Parameter[] = [];
  const text = renderStatement(statement, parameters);
  refuseForbidden(text, forbidden);
  refused(() => session.run(text, parameters));
}

/** Returns the text with placeholders, and adds their values to `parameters`. */
export function renderStatement({ parts }: Statement, parameters: Parameter[]): string {
  const texts = parts.map((part) => {
    if (part.kind === 'text') return part.text;
    if (part.kind === 'identifier') return quoteIdentifier(part.name);
    return `?${parameters.push(toExact(part.value))}`;
  });
  return texts.join('');
}

/** Attributes errors of read-model statements to the projection, not to the store. */
export function refused<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = resultCode(error) ?? '';
    if (!/^SQLITE_(ERROR|CONSTRAINT|MISMATCH|RANGE)/.test(code)) throw error;
    throw refusedWrite(error, { resultCode: code });
  }
}

function upsertRow(spec: TableSpec, table: string): string {
  const others = spec.columns.filter(({ name }) => !spec.key.includes(name)).map(({ name }) => quoteIdentifier(name));
  const action =
    others.length === 0 ? 'nothing' : `update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`;
  return `${insertRow(spec, table)} on conflict (${listColumns(spec.key)}) do ${action}`;
}

function insertRow(spec: TableSpec, table: string): string {
  const columns = listColumns(spec.columns.map(({ name }) => name));
  const values = spec.columns.map(() => '?').join(', ');
  return `insert into ${quoteIdentifier(table)} (${columns}) values (${values})`;
}

function deleteRow(spec: TableSpec, table: string): string {
  return `delete from ${quoteIdentifier(table)} where ${isKey(spec)}`;
}

function selectRow(spec: TableSpec, table: string): string {
  const columns = spec.columns.map(({ name, type }) => {
    const column = quoteIdentifier(name);
    // The driver would round it.
    const exact = `case when ${column} between ${-Number.MAX_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER} then ${column} else cast(${column} as text) end`;
    return type === 'bigint' ? exact : column;
  });
  return `select ${columns.join(', ')} from ${quoteIdentifier(table)} where ${isKey(spec)}`;
}

function isKey(spec: TableSpec): string {
  return spec.key.map((name) => `${quoteIdentifier(name)} = ?`).join(' and ');
}

function listColumns(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(', ');
}

function toParameters(columns: readonly ColumnSpec[], row: StoredRow): readonly Parameter[] {
  return columns.map(({ name, type }) => {
    const value = row[name] ?? null;
    return type === 'timestamp' && typeof value === 'string' ? storedTimestamp(value) : toParameter(value);
  });
}

/** The driver binds every number as a fraction: 12 would be 12.0 in a text, and 7 / 2 would be 3.5. */
function toExact(value: StoredValue | bigint): Parameter {
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? BigInt(value as number) : (value as Parameter);
}

function toParameter(value: StoredValue): Parameter {
  return typeof value === 'boolean' ? Number(value) : value;
}

function toStoredRow(columns: readonly ColumnSpec[], row: RawRow): StoredRow {
  return Object.fromEntries(columns.map(({ name, type }, index) => [name, toStoredValue(type, row[index] ?? null)]));
}

/** @throws E_CORRUPT when another program stored another type there */
function toStoredValue(type: ColumnType, value: RawValue): StoredValue {
  if (value === null) return null;
  if (type === 'integer') return toInteger(value);
  if (type === 'bigint') return toBigInteger(value);
  if (type === 'real' && typeof value === 'number') return value;
  if (type === 'boolean') return toInteger(value) !== 0;
  return type === 'timestamp' ? toTimestamp(value) : toText(value);
}
