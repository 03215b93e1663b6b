/** Names the row that an index cannot hold. Postgres names the index at most. */
import { EvstoreError } from '../../../domain/errors.js';
import { deriveName } from '../../../domain/names.js';
import { groupDigits } from '../../../domain/numbers.js';
import type { StoredRow, TableSpec } from '../../../domain/read-model.js';
import { count } from '../../../domain/words.js';
import { sqlState } from '../connection/errors.js';

/** Also the state of a row that is too long for its table; see `nameLongRow`. */
const programLimit = '54000';
/** Of a row of an index, after compression. */
export const mostIndexedBytes = 2_704;

export function isTooLong(error: unknown): boolean {
  return sqlState(error) === programLimit;
}

interface Index {
  readonly name: string;
  readonly columns: readonly string[];
}

/** Lists the indexes that the definition of a read model makes on this table. */
export function indexesOf(spec: TableSpec, table: string): readonly Index[] {
  const secondary = spec.indexes.map(({ columns }, at) => ({ name: deriveName(table, `_idx${at + 1}`), columns }));
  return [{ name: deriveName(table, '_pkey'), columns: spec.key }, ...secondary];
}

/** Returns an error that names the row of a batch. The message of Postgres may be in any language: only names count. */
export function nameLongRow(cause: unknown, spec: TableSpec, table: string, rows: readonly StoredRow[]): unknown {
  const message = cause instanceof Error ? cause.message : '';
  const indexes = indexesOf(spec, table);
  const named = indexes.filter(({ name }) => message.includes(name));
  const found = (named.length > 0 ? named : indexes)
    .flatMap((index) => rows.map((row) => ({ index, row, bytes: sizeOf(row, index.columns) })))
    .reduce<Found | undefined>(
      (most, each) => (most !== undefined && most.bytes >= each.bytes ? most : each),
      undefined,
    );
  // What is shorter than that has another reason: an index that was added by hand, or a row that fits no page.
  if (found === undefined || found.bytes <= mostIndexedBytes) return cause;
  return tooLongForIndex({ ...found, key: spec.key.map((name) => [name, found.row[name] ?? null]) }, cause);
}

interface Found {
  readonly index: Index;
  readonly row: StoredRow;
  readonly bytes: number;
}

export interface LongRow {
  /** Undefined where the caller names it. */
  readonly projection?: string;
  readonly index: Index;
  readonly bytes: number;
  readonly key: readonly (readonly [column: string, value: unknown])[];
  /** Further rows that do not fit; 0 when that is unknown. */
  readonly others?: number;
}

/** @param next the command that repeats the work once the code has changed */
export function tooLongForIndex(
  { projection, index, bytes, key, others = 0 }: LongRow,
  cause: unknown,
  next?: string,
): EvstoreError {
  const row = key.map(([column, value]) => `${column} ${shorten(JSON.stringify(value))}`).join(', ');
  const columns = index.columns.join(', ');
  const of = projection === undefined ? '' : ` of ${projection}`;
  const more = others === 0 ? '' : ` ${count(others, 'more row')} may be too long.`;
  return new EvstoreError(
    'E_INVALID_INPUT',
    `the row${of} with ${row} is too long for index ${index.name} on ${columns}`,
    {
      why:
        `It has ${groupDigits(bytes)} bytes there, and Postgres indexes at most ${groupDigits(mostIndexedBytes)} after compression.${more} ` +
        `In the projection, shorten the value, or index another column, such as a hash of it, instead of ${columns}.`,
      next,
      details: { index: index.name, columns: index.columns, bytes, key: Object.fromEntries(key) },
      cause,
    },
  );
}

/** A key may be the value that is too long. */
function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function sizeOf(row: StoredRow, columns: readonly string[]): number {
  return columns.reduce((sum, name) => sum + Buffer.byteLength(String(row[name] ?? '')), 0);
}
