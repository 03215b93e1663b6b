/** Recognises projections, and finds the faults of their shape: sentences to print after "file: export". */
import { isTableName } from '../../domain/names.js';
import type { ColumnType } from '../../domain/read-model.js';
import { findSimilar } from '../../domain/similar.js';
import { parseDuration } from '../../domain/timestamp.js';
import { indexColumns, toColumnName, toList } from './columns.js';
import type { Projection } from './definition.js';
import { findUpcasterFaults } from './upcaster.js';
import { describeValue, isPromise } from './values.js';

type Properties = Readonly<Record<string, unknown>>;
type Faults = readonly string[];

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

/** Types whose equal values may be written differently, or that cannot be compared. */
const unfitForKeys: ReadonlySet<unknown> = new Set<ColumnType>(['json', 'numeric', 'real']);

/** Postgres has these in every table; SQLite refuses them too, so that a definition fits either. */
const systemColumns: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

const legalName = 'lower-case letters a to z, digits and _, at most 63, and no name of evstore or of the engine';

/**
 * Returns true for an object with a name and a version, with handlers and a table, or with the functions of an external
 * projection, faults or not.
 */
export function looksLikeProjection(value: unknown): boolean {
  if (!isProperties(value) || isOther(value) || 'startOn' in value || 'react' in value) return false;
  if (typeof value.name === 'string' && typeof value.version === 'number') return true;
  if (value.kind === 'table' || value.kind === 'sql') return 'on' in value;
  if (value.kind === 'external' || ('write' in value && 'promote' in value)) return true;
  return 'on' in value && ('table' in value || 'tables' in value);
}

/**
 * Returns true for a default export with any part of a projection, and for one that is all its file exports and no
 * function, or object of functions: ignoring it would hide a mistake.
 */
export function isMeantAsProjection(value: unknown, isOnly: boolean): boolean {
  if (typeof value !== 'object' || value === null) return isOnly && typeof value !== 'function';
  if (isPromise(value)) return isOnly;
  const isHelpers = Object.values(value).every((part) => typeof part === 'function');
  if (isOther(value)) return false;
  if (isOnly && !isHelpers) return true;
  return ['on', 'table', 'tables', 'promote'].some((part) => Object.hasOwn(value, part));
}

/** A saga, an aggregate or a reaction, which have names and versions, too. */
function isOther(value: object): boolean {
  return 'kind' in value && ['saga', 'aggregate', 'reaction'].includes(String(value.kind));
}

/** Marks a value that looks like a projection with its kind. Plain objects of the right shape are accepted too. */
export function toProjection(value: object): Projection {
  return { ...value, kind: kindOf(value) } as Projection;
}

/** Returns the faults in the order of reading; none for a valid projection. */
export function findShapeFaults(value: unknown): Faults {
  if (!isProperties(value) || isPromise(value)) return [`value is ${describeValue(value)}: it takes an object`];
  const kind = kindOf(value);
  const misspelt = findMisspelt(value, [...commonKeys, ...keysOf[kind]]);
  if (kind === 'external') return [...misspelt, ...commonFaults(value), ...externalFaults(value)];
  const ofTables = kind === 'sql' ? sqlFaults(value) : tableFaults(value);
  return [...misspelt, ...commonFaults(value), ...ofTables, ...handlerFaults(value), ...inlineFaults(value)];
}

const commonKeys = ['kind', 'name', 'version', 'codeHash', 'category', 'upcasters', 'roundNumbers'];
const keysOf: Readonly<Record<Projection['kind'], readonly string[]>> = {
  table: ['mode', 'table', 'key', 'on', 'validate'],
  sql: ['mode', 'tables', 'partitionBy', 'create', 'on', 'validate'],
  external: ['types', 'open', 'write', 'promote', 'drop', 'count', 'timeout'],
};

/** Returns the properties that are ignored and were probably meant as another: a filter that is ignored is silent. */
export function findMisspelt(value: object, known: readonly string[]): Faults {
  return Object.keys(value).flatMap((key) => {
    const meant = known.includes(key)
      ? undefined
      : findSimilar(
          key,
          known.filter((each) => !Object.hasOwn(value, each)),
        );
    return meant === undefined ? [] : [`property ${key} is unknown, and ${meant} was probably meant`];
  });
}

function kindOf(value: object): Projection['kind'] {
  if ('write' in value || 'promote' in value) return 'external';
  return 'tables' in value ? 'sql' : 'table';
}

function commonFaults(value: Properties): Faults {
  const { name, version, codeHash, mode, category, upcasters, roundNumbers, validate } = value;
  const isMode = mode === undefined || mode === 'async' || mode === 'inline';
  const isCategory =
    category === undefined || (typeof category === 'string' && category !== '' && !category.includes('-'));
  const isHash =
    codeHash === undefined || (typeof codeHash === 'string' && codeHash.length > 0 && codeHash.length <= 200);
  return [
    ...expect(isLegalName(name), 'name', name, legalName),
    ...expect(isPositiveInteger(version), 'version', version, 'a whole number from 1'),
    ...expect(isHash, 'codeHash', codeHash, 'text of 1 to 200 characters'),
    ...expect(isMode, 'mode', mode, 'async or inline'),
    ...expect(isCategory, 'category', category, 'the part of a stream name before the first -'),
    ...expectFunction('validate', validate, 'a function that returns statements'),
    ...findUpcasterFaults(upcasters),
    ...expect(['undefined', 'boolean'].includes(typeof roundNumbers), 'roundNumbers', roundNumbers, 'true or false'),
  ];
}

function externalFaults(value: Properties): Faults {
  const { types, count, mode, timeout } = value;
  const areTypes = Array.isArray(types) && types.length > 0 && types.every((type) => typeof type === 'string' && type);
  return [
    ...(['open', 'write', 'promote', 'drop'] as const).flatMap((name) =>
      expect(typeof value[name] === 'function', name, value[name], 'a function'),
    ),
    ...expect(types === undefined || areTypes, 'types', types, 'a list of at least one event type'),
    ...(mode === 'inline'
      ? ["mode is 'inline': rows outside the store cannot be written in the transaction of an append"]
      : []),
    ...expectFunction('count', count, 'a function'),
    ...expect(timeout === undefined || isDuration(timeout), 'timeout', timeout, 'a duration such as 30s'),
  ];
}

function sqlFaults({ tables, create, partitionBy }: Properties): Faults {
  const isPartition = partitionBy === undefined || partitionBy === 'stream';
  return [
    ...expect(isPartition, 'partitionBy', partitionBy, "'stream', or is left out"),
    ...(Array.isArray(tables) && tables.length > 0
      ? nameFaults(tables)
      : [`tables is ${describeValue(tables)}: it takes a list of at least one name`]),
    ...(typeof create === 'function'
      ? []
      : ['create is missing: it is a function that returns the statements that create the tables']),
  ];
}

function nameFaults(tables: readonly unknown[]): Faults {
  const faults = tables
    .filter((table) => !isLegalName(table))
    .map((table) => `tables has ${describeValue(table)}: the name of a table takes ${legalName}`);
  return new Set(tables).size < tables.length ? [...faults, 'tables names a table twice'] : faults;
}

/**
 * An append locks its own stream and no other. If events of several streams changed one row, appends to these streams
 * would have to wait for each other.
 */
function inlineFaults({ mode, table, tables, key, partitionBy }: Properties): Faults {
  if (mode !== 'inline') return [];
  const leaveOut =
    'mode is inline, which takes rows of one stream each: leave out mode, so that evstore run writes the rows,';
  if (tables === undefined) {
    return key === undefined
      ? inlineKeyFaults(table)
      : [`${leaveOut} or leave out key, so that the stream id is the key`];
  }
  const state = "or state partitionBy: 'stream' if no row is made from events of several streams";
  return partitionBy === 'stream' ? [] : [`${leaveOut} ${state}`];
}

/** Two stream ids may be one UUID or one time, each in its spelling: both streams would change one row. */
function inlineKeyFaults(table: unknown): Faults {
  if (!isProperties(table) || !isProperties(table.columns)) return [];
  const { columns } = table;
  const types = toList(table.key).map((each) => (isColumn(columns, each) ? columns[each] : undefined));
  if (types.some((type) => !columnTypes.has(type)) || (types.length === 1 && types[0] === 'text')) return [];
  return [
    `mode is inline, and its key is ${types.join(', ')}: an inline row has the stream id as its key, in one column of type text, because other types do not keep its spelling`,
  ];
}

function tableFaults({ table, key }: Properties): Faults {
  if (!isProperties(table)) return [`table is ${describeValue(table)}: it takes { columns, key }`];
  const { name, columns, key: tableKey, indexes } = table;
  const faults = [
    ...expect(name === undefined || isLegalName(name), 'table.name', name, legalName),
    ...expectFunction('key', key, 'a function of the event'),
  ];
  if (!isProperties(columns) || Object.keys(columns).length === 0) {
    return [...faults, `table.columns is ${describeValue(columns)}: it takes { property: type }`];
  }
  return [...faults, ...columnFaults(columns), ...keyFaults(columns, tableKey), ...indexFaults(columns, indexes)];
}

function columnFaults(columns: Properties): Faults {
  const properties = new Map<string, string>();
  return Object.entries(columns).flatMap(([property, type]) => {
    const column = toColumnName(property);
    const other = properties.get(column);
    properties.set(column, property);
    return [
      ...(/^[a-z][a-z0-9_]{0,62}$/.test(column) ? [] : [`table.columns has '${property}', which is not a column name`]),
      ...(systemColumns.has(column) ? [`table.columns has '${property}', which Postgres keeps for itself`] : []),
      ...expect(columnTypes.has(type), `column ${property}`, type, [...columnTypes].join(', ')),
      ...(other === undefined ? [] : [`${other} and ${property} are both the column ${column}`]),
    ];
  });
}

function keyFaults(columns: Properties, key: unknown): Faults {
  const keys = toList(key);
  if (keys.length === 0 || key === undefined) return ['table.key is missing: it takes one column or several'];
  const faults = keys.flatMap((each) => {
    if (!isColumn(columns, each)) return [`table.key has ${describeValue(each)}, which is not a column`];
    return unfitForKeys.has(columns[each])
      ? [`table.key has ${each}, and ${columns[each]} cannot be the type of a key`]
      : [];
  });
  return new Set(keys).size < keys.length ? [...faults, 'table.key names a column twice'] : faults;
}

function indexFaults(columns: Properties, indexes: unknown): Faults {
  if (indexes === undefined) return [];
  if (!Array.isArray(indexes)) return [`table.indexes is ${describeValue(indexes)}: it takes a list`];
  return indexes.flatMap((index) => {
    const names = isProperties(index) && !Array.isArray(index.columns) ? [undefined] : indexColumns(index);
    if (names.length === 0) return ['table.indexes has an index without a column'];
    return names
      .filter((name) => !isColumn(columns, name))
      .map((name) => `table.indexes has ${describeValue(name)}, which is not a column`);
  });
}

function handlerFaults({ on }: Properties): Faults {
  if (!isProperties(on)) return [`on is ${describeValue(on)}: it takes { EventType: handler }`];
  return Object.entries(on).flatMap(([type, handler]) =>
    expect(typeof handler === 'function', `on.${type}`, handler, 'a function'),
  );
}

function expect(isRight: boolean, name: string, value: unknown, takes: string): Faults {
  return isRight ? [] : [`${name} is ${describeValue(value)}: it takes ${takes}`];
}

function expectFunction(name: string, value: unknown, takes: string): Faults {
  return expect(value === undefined || typeof value === 'function', name, value, takes);
}

function isDuration(value: unknown): boolean {
  try {
    return typeof value === 'string' && parseDuration(value) > 0;
  } catch {
    return false;
  }
}

function isLegalName(value: unknown): boolean {
  return typeof value === 'string' && isTableName(value);
}

function isColumn(columns: Properties, name: unknown): name is string {
  return typeof name === 'string' && Object.hasOwn(columns, name);
}

function isPositiveInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value < 2 ** 31;
}

function isProperties(value: unknown): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
