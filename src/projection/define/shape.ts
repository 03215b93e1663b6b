/**
 * Whether a value is a projection, and what is wrong with one that almost is. Faults are sentences to print after
 * "file: export".
 */
import { isTableName } from '../../domain/names.js';
import type { ColumnType } from '../../domain/read-model.js';
import { indexColumns, toColumnName, toList } from './columns.js';
import type { Projection } from './definition.js';
import { findUpcasterFaults } from './upcaster.js';
import { describeValue } from './values.js';

type Properties = Readonly<Record<string, unknown>>;

const columnTypes: ReadonlySet<unknown> = new Set<ColumnType>([
  'text',
  'integer',
  'bigint',
  'real',
  'numeric',
  'boolean',
  'json',
  'timestamp',
  'uuid',
]);

/** Types whose equal values may be spelled differently, or that cannot be compared. */
const unfitForKeys: ReadonlySet<unknown> = new Set<ColumnType>(['json', 'numeric', 'real']);

const legalName = 'lower-case letters, digits and _, at most 63, and no name of evstore or of the engine';

/** An object with handlers and a table, or with what an external one has: meant as a projection, whether or not it is right. */
export function looksLikeProjection(value: unknown): value is object {
  if (!isProperties(value)) return false;
  if (value.kind === 'table' || value.kind === 'sql') return 'on' in value;
  if (value.kind === 'external' || ('write' in value && 'promote' in value)) return true;
  return 'on' in value && ('table' in value || 'tables' in value);
}

/** What a file of projections exports by default, when it has a part of one: passed over, it would be missed by nobody. */
export function isMeantAsProjection(value: unknown): value is object {
  return isProperties(value) && ['on', 'table', 'tables', 'promote'].some((part) => Object.hasOwn(value, part));
}

/** A value that looks like a projection, marked with its kind: plain objects of the right shape are taken too. */
export function toProjection(value: object): Projection {
  return { ...value, kind: kindOf(value) } as Projection;
}

/** What is wrong, in the order of reading; none for a right one. */
export function findShapeFaults(value: unknown): readonly string[] {
  if (!isProperties(value)) return [`a projection is an object, not ${describeValue(value)}`];
  return [
    ...commonFaults(value),
    ...(kindOf(value) === 'external'
      ? externalFaults(value)
      : [
          ...('tables' in value ? sqlFaults(value) : tableFaults(value)),
          ...handlerFaults(value),
          ...inlineFaults(value),
        ]),
  ];
}

function kindOf(value: object): Projection['kind'] {
  if ('write' in value || 'promote' in value) return 'external';
  return 'tables' in value ? 'sql' : 'table';
}

function commonFaults({ name, version, mode, category, upcasters, validate }: Properties): readonly string[] {
  const faults: string[] = [];
  if (typeof name !== 'string' || !isTableName(name))
    faults.push(`name is ${describeValue(name)}: it takes ${legalName}`);
  if (!isPositiveInteger(version)) faults.push(`version is ${describeValue(version)}: it takes a whole number from 1`);
  if (mode !== undefined && mode !== 'async' && mode !== 'inline') {
    faults.push(`mode is ${describeValue(mode)}: it takes async or inline`);
  }
  if (category !== undefined && (typeof category !== 'string' || category === '' || category.includes('-'))) {
    faults.push(`category is ${describeValue(category)}: it takes the part of a stream name before the first -`);
  }
  if (validate !== undefined && typeof validate !== 'function') {
    faults.push(`validate is ${describeValue(validate)}: it takes a function that returns statements`);
  }
  return [...faults, ...findUpcasterFaults(upcasters)];
}

function externalFaults(value: Properties): readonly string[] {
  const { types, count, mode } = value;
  const faults = (['open', 'write', 'promote', 'drop'] as const).flatMap((name) =>
    typeof value[name] === 'function' ? [] : [`${name} is ${describeValue(value[name])}: it takes a function`],
  );
  const areTypes = Array.isArray(types) && types.length > 0 && types.every((type) => typeof type === 'string' && type);
  if (types !== undefined && !areTypes) {
    faults.push(`types is ${describeValue(types)}: it takes a list of at least one event type`);
  }
  if (mode === 'inline')
    faults.push("mode is 'inline': rows outside the store cannot be written in the transaction of an append");
  if (count !== undefined && typeof count !== 'function') {
    faults.push(`count is ${describeValue(count)}: it takes a function`);
  }
  return faults;
}

function sqlFaults({ tables, create, partitionBy }: Properties): readonly string[] {
  const faults: string[] = [];
  if (partitionBy !== undefined && partitionBy !== 'stream') {
    faults.push(`partitionBy is ${describeValue(partitionBy)}: it takes 'stream', or is left out`);
  }
  if (!Array.isArray(tables) || tables.length === 0) {
    faults.push(`tables is ${describeValue(tables)}: it takes a list of at least one name`);
  } else {
    for (const table of tables) {
      if (typeof table !== 'string' || !isTableName(table)) {
        faults.push(`tables has ${describeValue(table)}: a table's name takes ${legalName}`);
      }
    }
    if (new Set(tables).size < tables.length) faults.push('tables names a table twice');
  }
  if (typeof create !== 'function')
    faults.push('create is missing: it is a function that returns the statements that make the tables');
  return faults;
}

/**
 * An append locks its own stream and no other. If events of several streams changed one row, appends to these streams
 * would have to wait for each other.
 */
function inlineFaults({ mode, tables, key, partitionBy }: Properties): readonly string[] {
  if (mode !== 'inline') return [];
  const leaveOut =
    'mode is inline, which takes rows of one stream each: leave out mode, so that evstore run writes the rows,';
  if (tables === undefined) {
    return key === undefined ? [] : [`${leaveOut} or leave out key, so that the stream id is the key`];
  }
  const state = "or state partitionBy: 'stream' if no row is made from events of several streams";
  return partitionBy === 'stream' ? [] : [`${leaveOut} ${state}`];
}

function tableFaults({ name, table, key }: Properties): readonly string[] {
  if (!isProperties(table)) return [`table is ${describeValue(table)}: it takes { columns, key }`];
  const faults: string[] = [];
  const tableName = table.name ?? name;
  if (table.name !== undefined && (typeof tableName !== 'string' || !isTableName(tableName))) {
    faults.push(`table.name is ${describeValue(tableName)}: it takes ${legalName}`);
  }
  if (key !== undefined && typeof key !== 'function')
    faults.push(`key is ${describeValue(key)}: it takes a function of the event`);
  const columns = table.columns;
  if (!isProperties(columns) || Object.keys(columns).length === 0) {
    return [...faults, `table.columns is ${describeValue(columns)}: it takes { property: type }`];
  }
  return [
    ...faults,
    ...columnFaults(columns),
    ...keyFaults(columns, table.key),
    ...indexFaults(columns, table.indexes),
  ];
}

function columnFaults(columns: Properties): readonly string[] {
  const faults: string[] = [];
  const properties = new Map<string, string>();
  for (const [property, type] of Object.entries(columns)) {
    const column = toColumnName(property);
    if (!/^[a-z][a-z0-9_]{0,62}$/.test(column))
      faults.push(`table.columns has '${property}', which is not a column name`);
    if (!columnTypes.has(type)) {
      faults.push(`column ${property} is ${describeValue(type)}: it takes ${[...columnTypes].join(', ')}`);
    }
    const other = properties.get(column);
    if (other !== undefined) faults.push(`${other} and ${property} are both the column ${column}`);
    properties.set(column, property);
  }
  return faults;
}

function keyFaults(columns: Properties, key: unknown): readonly string[] {
  const keys = toList(key);
  if (keys.length === 0 || key === undefined) return ['table.key is missing: it takes one column or several'];
  const faults = keys.flatMap((each) => {
    if (typeof each !== 'string' || !Object.hasOwn(columns, each))
      return [`table.key has ${describeValue(each)}, which is not a column`];
    return unfitForKeys.has(columns[each])
      ? [`table.key has ${each}, and ${columns[each]} cannot be the type of a key`]
      : [];
  });
  return new Set(keys).size < keys.length ? [...faults, 'table.key names a column twice'] : faults;
}

function indexFaults(columns: Properties, indexes: unknown): readonly string[] {
  if (indexes === undefined) return [];
  if (!Array.isArray(indexes)) return [`table.indexes is ${describeValue(indexes)}: it takes a list`];
  return indexes.flatMap((index) => {
    const names = isProperties(index) && !Array.isArray(index.columns) ? [undefined] : indexColumns(index);
    if (names.length === 0) return ['table.indexes has an index without a column'];
    return names
      .filter((name) => typeof name !== 'string' || !Object.hasOwn(columns, name))
      .map((name) => `table.indexes has ${describeValue(name)}, which is not a column`);
  });
}

function handlerFaults({ on }: Properties): readonly string[] {
  if (!isProperties(on)) return [`on is ${describeValue(on)}: it takes { EventType: handler }`];
  return Object.entries(on).flatMap(([type, handler]) =>
    typeof handler === 'function' ? [] : [`on.${type} is ${describeValue(handler)}: it takes a function`],
  );
}

function isPositiveInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < 2 ** 31;
}

function isProperties(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
