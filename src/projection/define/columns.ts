/** The columns of a table projection: properties in code, columns in the database. Converts keys and rows between them. */
import { toSnakeCase } from '../../domain/names.js';
import type { ColumnSpec, IndexSpec, StoredRow, StoredValue, TableSpec } from '../../domain/read-model.js';
import type { TableProjection } from './definition.js';
import { type CodecColumn, compileRowCodec, type RowCodec, type RowValue } from './row-codec.js';
import { ColumnFault, describeValue, fromStoredValue, toStoredValue, ValueFault } from './values.js';

export interface TableShape {
  readonly spec: TableSpec;
  /** Property ↔ column, in the order of the definition. */
  readonly properties: readonly Property[];
  readonly keyProperties: readonly Property[];
  /** The key is one text column. */
  readonly isKeyedByText: boolean;
  readonly codec: RowCodec;
}

interface Property extends ColumnSpec {
  /** The name in code. */
  readonly property: string;
  readonly isKey: boolean;
}

/** The key of a row: its columns, and a text that identifies it within the table. */
export interface RowKey {
  readonly text: string;
  readonly columns: StoredRow;
}

/** @param definition its shape is checked already */
export function toTableShape(definition: TableProjection): TableShape {
  const { table } = definition;
  const keys = toList<string>(table.key);
  const properties = Object.entries(table.columns).map(([property, type]): Property => {
    return { property, name: toColumnName(property), type: type as ColumnSpec['type'], isKey: keys.includes(property) };
  });
  const keyProperties = keys.flatMap((key) => properties.filter(({ property }) => property === key));
  return {
    properties,
    keyProperties,
    isKeyedByText: keyProperties.length === 1 && keyProperties.every(({ type }) => type === 'text' || type === 'uuid'),
    codec: compileRowCodec(properties.map(toCodecColumn), (value) => assertColumns(properties, value)),
    spec: {
      name: table.name ?? definition.name,
      columns: properties.map(({ name, type }) => ({ name, type })),
      key: keys.map(toColumnName),
      indexes: (table.indexes ?? []).map(toIndexSpec),
    },
  };
}

/** camelCase → snake_case; names in snake_case are unchanged. */
export function toColumnName(property: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(property) ? property : toSnakeCase(property);
}

export function toList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

/** Returns the columns of an index in any of its forms. */
export function indexColumns(
  index: string | readonly string[] | { readonly columns: readonly string[] },
): readonly string[] {
  return typeof index === 'object' && 'columns' in index ? index.columns : toList<string>(index);
}

/**
 * Returns the keys in what `key(event)` returned; none for null and undefined.
 * @throws ValueFault
 */
export function toRowKeys(shape: TableShape, value: unknown): readonly RowKey[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) return [toRowKey(shape, value)];
  const keys = value.map((each) => toRowKey(shape, each));
  return [...new Map(keys.map((key) => [key.text, key])).values()];
}

function toRowKey(shape: TableShape, value: unknown): RowKey {
  const [only, ...others] = shape.keyProperties;
  if (only !== undefined && others.length === 0 && !isPlainObject(value)) {
    const stored = toKeyValue(only, value);
    return { text: String(stored), columns: { [only.name]: stored } };
  }
  const names = () => shape.keyProperties.map(({ property }) => property).join(', ');
  if (!isPlainObject(value)) throw new ValueFault(`an object of ${names()}, not ${describeValue(value)}`);
  for (const name of Object.keys(value)) {
    if (shape.keyProperties.some(({ property }) => property === name)) continue;
    throw new ValueFault(`an object of ${names()}, not one with ${name}`);
  }
  return asRowKey(shape.keyProperties.map((each) => [each.name, toKeyValue(each, value[each.property])]));
}

/** Returns the key of a stored row. */
export function keyOf(shape: TableShape, row: StoredRow): RowKey {
  return asRowKey(shape.keyProperties.map(({ name }) => [name, row[name] ?? null]));
}

function asRowKey(pairs: readonly (readonly [string, StoredValue])[]): RowKey {
  const columns = Object.fromEntries(pairs);
  const [only, ...others] = pairs;
  const text = only !== undefined && others.length === 0 ? String(only[1]) : writeKey({ columns });
  return { text, columns };
}

/** Returns the text whose hash decides the part of a row. It must never change. */
export function writeKey({ columns }: Pick<RowKey, 'columns'>): string {
  return JSON.stringify(Object.values(columns));
}

function toKeyValue(property: Property, value: unknown): StoredValue {
  const stored = storeValue(property, value);
  if (stored === null) throw new ColumnFault(property.property, `a value in the key, not ${describeValue(value)}`);
  return stored;
}

/**
 * Converts what a handler returned into the row of that key. Columns left out are null.
 * @param before the row until now
 * @throws ColumnFault for a property that is not a column, a value of the wrong type, or a changed key
 */
export function toStoredRow({ codec }: TableShape, key: RowKey, value: unknown, before: StoredRow | null): StoredRow {
  if (isPlainObject(value)) return codec.store(value, key.columns, before);
  throw new ValueFault(`a row, null or undefined, not ${describeValue(value)}`);
}

function toCodecColumn(column: Property): CodecColumn {
  const { property, name, type, isKey } = column;
  return {
    property,
    name,
    isStoredAsIs: type !== 'json',
    isReadAsIs: type !== 'json' && type !== 'bigint',
    store: isKey ? (value, key) => keepKey(column, key, value) : (value) => storeValue(column, value),
    load: (value) => fromStoredValue(type, value),
  };
}

function keepKey(property: Property, key: StoredRow, given: unknown): StoredValue {
  const kept = key[property.name] ?? null;
  if (given === undefined || given === kept || storeValue(property, given) === kept) return kept;
  throw new ColumnFault(property.property, `the key of its row, ${describeValue(kept)}, not ${describeValue(given)}`);
}

function storeValue(property: Property, value: unknown): StoredValue {
  try {
    return toStoredValue(property.type, value);
  } catch (error) {
    throw error instanceof ValueFault ? new ColumnFault(property.property, error.message) : error;
  }
}

function toIndexSpec(
  index: string | readonly string[] | { readonly columns: readonly string[]; readonly unique?: boolean },
): IndexSpec {
  const unique = typeof index === 'object' && 'unique' in index && index.unique === true;
  return { columns: indexColumns(index).map(toColumnName), unique };
}

/** @throws ColumnFault */
function assertColumns(properties: readonly Property[], value: RowValue): void {
  for (const name of Object.keys(value)) {
    if (properties.some(({ property }) => property === name)) continue;
    throw new ColumnFault(name, 'no value: the table has no such column');
  }
}

/** An object literal: not a date, the promise of an async handler, or an instance of a class. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
