/** Finds the rows that a repair recomputes. */

import { EvstoreError } from '../../domain/errors.js';
import type { EventFilter } from '../../domain/event.js';
import { parseJson } from '../../domain/json-value.js';
import { groupDigits } from '../../domain/numbers.js';
import type { StatementPart, StoredRow } from '../../domain/read-model.js';
import type { Store } from '../../store/store.js';
import { type RowKey, type TableShape, toRowKeys } from '../define/columns.js';
import { isKeyedByStream, type PreparedTableProjection } from '../define/prepare.js';
import { ValueFault } from '../define/values.js';
import { routeEvent } from '../fold/row-fold.js';
import { Slices } from '../fold/slices.js';

/** The rows that events of a stream or of a category are about, or the rows with these keys, as typed. */
export type RepairScope =
  | { readonly kind: 'stream'; readonly streamId: string; readonly until?: string | undefined }
  | { readonly kind: 'category'; readonly category: string }
  | { readonly kind: 'keys'; readonly keys: readonly string[] };

/** Key columns by their text. */
export type Keys = ReadonlyMap<string, StoredRow>;

/** More rows would keep the runner waiting too long. */
const mostKeys = 100_000;

/**
 * @param to position up to which events are looked at
 * @throws E_NOT_FOUND when no event is about any row, and no live row is of that scope
 * @throws E_USAGE for too many rows, and for a key that does not fit the table
 */
export async function collectKeys(
  store: Store,
  projection: PreparedTableProjection,
  scope: RepairScope,
  to: number,
  signal: AbortSignal,
): Promise<Keys> {
  if (scope.kind === 'keys' && scope.keys.length > mostKeys) throw tooMany(projection.name);
  if (scope.kind === 'keys') return new Map(scope.keys.map((text) => toEntry(parseKey(projection.shape, text))));
  const keys = new Map<string, StoredRow>();
  const filter = narrowFilter(projection.filter, scope);
  const slices = new Slices();
  if (filter !== undefined && to > 0) {
    for await (const { events } of store.log.readAll({ ...filter, to })) {
      signal.throwIfAborted();
      for (const event of events) {
        if (slices.isOver) await slices.next();
        for (const key of routeEvent(projection, event).keys) keys.set(...toEntry(key));
      }
      if (keys.size > mostKeys) throw tooMany(projection.name);
    }
  }
  if (isKeyedByStream(projection)) {
    // Rows of streams whose events are gone: nothing else names them.
    for (const key of await findLiveKeys(store, projection, scope)) keys.set(...toEntry(key));
    if (keys.size > mostKeys) throw tooMany(projection.name);
  }
  if (keys.size > 0) return keys;
  const what = scope.kind === 'stream' ? `stream ${scope.streamId}` : `category ${scope.category}`;
  throw new EvstoreError('E_NOT_FOUND', `no event of ${what} is about a row of ${projection.name}`, {
    why: `Up to position ${groupDigits(to)} it has no event of a type that the projection handles.`,
    next: 'evstore streams',
  });
}

/** Returns the keys of live rows that streams of this scope have, where the key is the id of the stream. */
async function findLiveKeys(
  { projections }: Store,
  { shape, filter }: PreparedTableProjection,
  scope: Exclude<RepairScope, { kind: 'keys' }>,
): Promise<readonly RowKey[]> {
  const [column] = shape.keyProperties;
  if (column === undefined) return [];
  const key = { kind: 'identifier', name: column.name } as const;
  const text = (sql: string) => ({ kind: 'text', text: sql }) as const;
  const value = (it: string) => ({ kind: 'value', value: it }) as const;
  const table = { kind: 'identifier', name: shape.spec.name } as const;
  const parts: StatementPart[] = [
    text('select '),
    key,
    text(' as "key" from '),
    table,
    text(' where '),
    key,
    text(' = '),
  ];
  if (scope.kind === 'stream') parts.push(value(scope.streamId));
  else {
    if ((filter.category ?? scope.category) !== scope.category) return [];
    const start = `${scope.category}-`;
    parts.push(value(scope.category), text(' or substr('), key, text(`, 1, ${[...start].length}) = `), value(start));
  }
  const rows = await projections.select({ parts }, mostKeys + 1);
  return rows.flatMap((row) => toRowKeys(shape, (parseJson(row) as { readonly key: unknown }).key));
}

/** Reads a JSON object of the key's columns, or the plain value of its only column. @throws E_USAGE */
function parseKey(shape: TableShape, text: string): RowKey {
  const names = shape.keyProperties.map(({ property }) => property).join(', ');
  try {
    const [key] = toRowKeys(shape, text.startsWith('{') ? parseObject(shape, text) : parsePlain(shape, text));
    if (key !== undefined) return key;
    throw new ValueFault('a value');
  } catch (error) {
    if (!(error instanceof ValueFault) && !(error instanceof SyntaxError)) throw error;
    const { message } = error;
    const why = error instanceof ValueFault ? `It takes ${message}.` : `${message}.`;
    throw new EvstoreError('E_USAGE', `'${text}' is not a key of ${names}`, { why });
  }
}

/** Accepts the names of columns as in code and as in the database. */
function parseObject(shape: TableShape, text: string): Readonly<Record<string, unknown>> {
  const given = Object.entries(parseJson(text) as object);
  const named = given.map(([name, value]: [string, unknown]) => {
    const known = shape.keyProperties.find((each) => each.property === name || each.name === name);
    if (known === undefined) throw new ValueFault(`the columns of the key, and ${name} is none of them`);
    return [known.property, value] as const;
  });
  return Object.fromEntries(named);
}

function parsePlain({ keyProperties }: TableShape, text: string): unknown {
  const [only, ...others] = keyProperties;
  if (only === undefined || others.length > 0) {
    const names = keyProperties.map(({ property }) => `"${property}":…`).join(',');
    throw new ValueFault(`an object of all columns of the key, {${names}}`);
  }
  if (only.type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  return only.type === 'boolean' && (text === 'true' || text === 'false') ? text === 'true' : text;
}

/** Returns undefined when the projection handles no event of that scope. */
function narrowFilter(filter: EventFilter, scope: Exclude<RepairScope, { kind: 'keys' }>): EventFilter | undefined {
  if (scope.kind === 'stream') {
    return { ...filter, streamId: scope.streamId, ...(scope.until !== undefined && { until: scope.until }) };
  }
  const { category = scope.category } = filter;
  return category === scope.category ? { ...filter, category } : undefined;
}

function toEntry({ text, columns }: RowKey): [string, StoredRow] {
  return [text, columns];
}

function tooMany(name: string): EvstoreError {
  return new EvstoreError('E_USAGE', `this is about more than ${groupDigits(mostKeys)} rows of ${name}`, {
    why: 'For that many rows, a rebuild is faster and does not keep the runner waiting.',
    next: `evstore rebuild ${name}`,
  });
}
