/**
 * The sql tag for projections. A value put into the template becomes a parameter, a quoted identifier or a nested statement,
 * and never SQL text.
 */
import { EvstoreError } from '../../domain/errors.js';
import { JsonValueFault, writeJson } from '../../domain/json-value.js';
import { deriveName } from '../../domain/names.js';
import type { Statement, StatementPart, StoredValue } from '../../domain/read-model.js';

/**
 * Marks the objects this module makes. It is a symbol because event data may have a property of any name, and must not be
 * taken for SQL; it is registered because the user's file may load another copy of evstore.
 */
const made = Symbol.for('evstore.sql');

/** A name that is quoted in SQL. */
export interface Identifier {
  readonly name: string;
}

/** A table by its physical name: the live table or a built table. */
export interface TableIdentifier extends Identifier {
  /** Returns the name of an index of this table, which is swapped with the table. */
  readonly index: (name: string) => Identifier;
}

/** Values for the template: objects become JSON text, a Date RFC 3339 text, and undefined null. A BigInt has 64 bits. */
export type SqlValue =
  | Identifier
  | Statement
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | readonly unknown[]
  | { readonly [property: string]: unknown };

/** @throws E_INVALID_INPUT for a value that no column can hold: NaN, a function, a symbol, an invalid Date, a longer BigInt */
export function sql(texts: TemplateStringsArray, ...values: readonly SqlValue[]): Statement {
  const parts: StatementPart[] = [];
  texts.forEach((text, index) => {
    if (text !== '') parts.push({ kind: 'text', text });
    if (index < values.length) parts.push(...toParts(values[index]));
  });
  return mark({ parts });
}

/** Returns the identifiers handlers get as `t`. @param physical maps a name readers use to the table to write */
export function toTableIdentifiers(
  tables: readonly string[],
  physical: (name: string) => string,
): Readonly<Record<string, TableIdentifier>> {
  return Object.fromEntries(
    tables.map((table) => {
      const name = physical(table);
      const index = (suffix: string): Identifier => mark({ name: deriveName(name, `_${suffix}`) });
      return [table, mark({ name, index })];
    }),
  );
}

export function isStatement(value: unknown): value is Statement {
  return isMade(value) && 'parts' in value;
}

function isIdentifier(value: unknown): value is Identifier {
  return isMade(value) && 'name' in value;
}

function isMade(value: unknown): value is object {
  return typeof value === 'object' && value !== null && made in value;
}

function mark<T extends object>(value: T): T {
  return Object.defineProperty(value, made, { value: true });
}

function toParts(value: unknown): readonly StatementPart[] {
  if (isIdentifier(value)) return [{ kind: 'identifier', name: value.name }];
  if (isStatement(value)) return value.parts;
  return [{ kind: 'value', value: toStored(value) }];
}

function toStored(value: unknown): StoredValue | bigint {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'bigint' && value === BigInt.asIntN(64, value)) return value;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  if (typeof value === 'object' && !(value instanceof Date)) return toJson(value);
  throw new EvstoreError('E_INVALID_INPUT', `sql cannot hold ${describe(value)}`, {
    why:
      typeof value === 'bigint'
        ? 'A BigInt has 64 bits on every engine. Write longer numbers as text.'
        : 'Values are text, numbers, booleans, dates, JSON and null.',
  });
}

function toJson(value: object): StoredValue {
  try {
    return writeJson(value) ?? null;
  } catch (error) {
    if (!(error instanceof JsonValueFault)) throw error;
    throw new EvstoreError('E_INVALID_INPUT', 'sql cannot hold this object', { why: `It takes ${error.message}.` });
  }
}

function describe(value: unknown): string {
  return value instanceof Date ? 'an invalid date' : `${typeof value} ${String(value)}`;
}
