/** What the engines share in reading tables for people. */
import { EvstoreError } from '../../domain/errors.js';
import type { StoredRow, StoredValue } from '../../domain/read-model.js';
import type { TableColumn } from '../table-reader.js';

/** Returns the columns of the primary key in its order. */
export function keyColumnsOf(columns: readonly TableColumn[]): readonly TableColumn[] {
  return columns.filter(({ keyPlace }) => keyPlace !== null).sort((a, b) => (a.keyPlace ?? 0) - (b.keyPlace ?? 0));
}

export function toNamedRow<Value>(
  columns: readonly TableColumn[],
  values: readonly Value[],
  convert: (column: TableColumn, value: Value | undefined) => StoredValue,
): StoredRow {
  return Object.fromEntries(columns.map((column, at) => [column.name, convert(column, values[at])]));
}

export function noSuchTable(table: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `there is no table ${table}`, {
    why: 'It was dropped or renamed, by a swap or outside evstore.',
    next: 'evstore projections',
    details: { table },
  });
}

export function wrongKey(table: string, cause: unknown): EvstoreError {
  return new EvstoreError('E_USAGE', `that is not a key of ${table}`, {
    why: cause instanceof Error ? `The database says: ${cause.message}.` : undefined,
    details: { table },
    cause,
  });
}
