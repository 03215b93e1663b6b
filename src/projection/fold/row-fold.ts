/** Runs the handlers of an event: on the rows of a table projection, or for the statements of an sql projection. */
import type { RecordedEvent } from '../../domain/event.js';
import { type Part, wholeWork } from '../../domain/parts.js';
import type { Statement, StoredRow } from '../../domain/read-model.js';
import { type RowKey, type TableShape, toList, toRowKeys, toStoredRow } from '../define/columns.js';
import type { Event, TableProjection } from '../define/definition.js';
import { HandledEvent } from '../define/event.js';
import { toHandlerError } from '../define/handler-error.js';
import type { PreparedSqlProjection, PreparedTableProjection } from '../define/prepare.js';
import { isStatement, toTableIdentifiers } from '../define/sql-tag.js';
import { describeValue, ValueFault } from '../define/values.js';
import type { HeldRow, HeldRows } from './held-rows.js';
import { isOwnKey } from './partition.js';

export type Handler = TableProjection['on'][string];

/** An event with the keys of the rows it is about. */
export interface RoutedEvent {
  readonly recorded: RecordedEvent;
  readonly event: Event;
  readonly keys: readonly RowKey[];
}

/**
 * Finds the rows of a part that an event is about.
 * @throws E_HANDLER when the projection's `key` throws or returns something other than keys
 */
export function routeEvent(
  projection: PreparedTableProjection,
  recorded: RecordedEvent,
  part: Part = wholeWork,
): RoutedEvent {
  if (handlerOf(projection.definition.on, recorded.type) === undefined) {
    return { recorded, event: new HandledEvent(recorded), keys: [] };
  }
  const event = toHandledEvent(projection, recorded);
  return { recorded, event, keys: toKeys(projection, recorded, nameRows(projection, recorded, event), part) };
}

/** Returns the event as handlers get it. @throws E_HANDLER when its schema version is unknown */
export function toHandledEvent(
  { definition, name }: PreparedTableProjection | PreparedSqlProjection,
  recorded: RecordedEvent,
): Event {
  try {
    return new HandledEvent(recorded, definition);
  } catch (error) {
    throw toHandlerError(name, recorded, 'upcasters', error);
  }
}

/** Returns what the projection's `key` returns. @throws E_HANDLER when it throws */
export function nameRows(
  { definition, name }: PreparedTableProjection,
  recorded: RecordedEvent,
  event: Event,
): unknown {
  if (definition.key === undefined) return recorded.streamId;
  try {
    return definition.key(event);
  } catch (error) {
    throw toHandlerError(name, recorded, 'key', error);
  }
}

/** @param named what `nameRows` returned @throws E_HANDLER when that is not a key */
export function toKeys(
  { shape, name }: PreparedTableProjection,
  recorded: RecordedEvent,
  named: unknown,
  part: Part,
): readonly RowKey[] {
  try {
    const keys = toRowKeys(shape, named);
    return part.of === 1 ? keys : keys.filter((key) => isOwnKey(key, part));
  } catch (error) {
    throw toHandlerError(name, recorded, 'key', error);
  }
}

/**
 * Folds an event into the rows it is about.
 * @throws E_HANDLER when the handler throws or returns something other than a row; the rows are then unchanged
 */
export function foldEvent(projection: PreparedTableProjection, { recorded, event, keys }: RoutedEvent, rows: HeldRows) {
  const handler = handlerOf(projection.definition.on, recorded.type);
  if (handler === undefined) return;
  const found = keys.map((key) => rows.find(key));
  foldInto(projection, recorded, event, handler, found, rows);
}

/** As `foldEvent`. @param about the rows the event is about, each once */
export function foldInto(
  { definition, shape, name }: PreparedTableProjection,
  recorded: RecordedEvent,
  event: Event,
  handler: Handler,
  about: readonly HeldRow[],
  rows: HeldRows,
): void {
  const [only] = about;
  try {
    if (only !== undefined && about.length === 1) {
      rows.replace(only, rowAfter(shape, only, event, handler));
      return;
    }
    const after = about.map((row) => rowAfter(shape, row, event, handler));
    for (const [index, row] of about.entries()) rows.replace(row, after[index] ?? null);
  } catch (error) {
    throw toHandlerError(name, recorded, `on.${handlerName(definition.on, recorded.type)}`, error);
  }
}

function rowAfter(shape: TableShape, { key, row }: HeldRow, event: Event, handler: Handler): StoredRow | null {
  const returned: unknown = handler(row === null ? null : shape.codec.load(row), event);
  if (returned === undefined) return row;
  return returned === null ? null : toStoredRow(shape, key, returned, row);
}

/**
 * Returns the statements an sql projection makes of an event.
 * @param physical maps a name readers use to the table to write
 * @throws E_HANDLER when the handler throws or returns something other than statements
 */
export function statementsOf(
  projection: PreparedSqlProjection,
  recorded: RecordedEvent,
  physical: (name: string) => string,
): readonly Statement[] {
  const { definition, name } = projection;
  const handler = handlerOf(definition.on, recorded.type);
  if (handler === undefined) return [];
  const event = toHandledEvent(projection, recorded);
  try {
    const returned: unknown = handler(event, toTableIdentifiers(definition.tables, physical));
    return toStatements(returned);
  } catch (error) {
    throw toHandlerError(name, recorded, `on.${handlerName(definition.on, recorded.type)}`, error);
  }
}

/** Checks what a handler of an sql projection returned. @throws ValueFault */
export function toStatements(returned: unknown): readonly Statement[] {
  if (returned === undefined || returned === null) return [];
  const statements = toList(returned);
  const wrong = statements.find((each) => !isStatement(each));
  if (wrong !== undefined) throw new ValueFault(`statements made with sql, not ${describeValue(wrong)}`);
  return statements as readonly Statement[];
}

/** Looks at own properties only, because an event type may be called `constructor`. */
export function handlerOf<Handler>(on: Readonly<Record<string, Handler>>, type: string): Handler | undefined {
  const name = handlerName(on, type);
  return Object.hasOwn(on, name) ? on[name] : undefined;
}

export function handlerName(on: object, type: string): string {
  return Object.hasOwn(on, type) ? type : '*';
}
