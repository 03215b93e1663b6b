/**
 * Events and current rows → changes, in memory. Whatever events do to a row until it is written, it is written once, and
 * not at all when it ends as it began.
 */
import type { RecordedEvent } from '../../domain/event.js';
import { type Part, wholeWork } from '../../domain/parts.js';
import type { RowChanges, Statement, StoredRow } from '../../domain/read-model.js';
import { type RowKey, type TableShape, toList, toRowKeys, toStoredRow } from '../define/columns.js';
import type { Event, TableProjection } from '../define/definition.js';
import { HandledEvent } from '../define/event.js';
import { toHandlerError } from '../define/handler-error.js';
import type { PreparedSqlProjection, PreparedTableProjection } from '../define/prepare.js';
import { isStatement, toTableIdentifiers } from '../define/sql-tag.js';
import { describeValue, ValueFault } from '../define/values.js';
import { type FoldedRow, type FoldedRows, GivenRows } from './folded-row.js';
import { isOwnKey } from './partition.js';

type Handler = TableProjection['on'][string];

/** An event with the rows it is about. */
export interface RoutedEvent {
  readonly recorded: RecordedEvent;
  readonly event: Event;
  readonly keys: readonly RowKey[];
}

/**
 * Which rows of a part an event is about.
 * @throws E_HANDLER when the projection's `key` throws or names no key
 */
export function routeEvent(
  projection: PreparedTableProjection,
  recorded: RecordedEvent,
  part: Part = wholeWork,
): RoutedEvent {
  const event = new HandledEvent(recorded, projection.definition.upcasters);
  if (handlerOf(projection.definition.on, recorded.type) === undefined) return { recorded, event, keys: [] };
  return { recorded, event, keys: toKeys(projection, recorded, nameRows(projection, recorded, event), part) };
}

/** What the projection says the event is about. @throws E_HANDLER when its `key` throws */
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

/** @param named by `nameRows` @throws E_HANDLER when that is no key */
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

/** What becomes of rows while events are folded into them. */
export class RowFold {
  readonly #projection: PreparedTableProjection;
  readonly #rows: FoldedRows;
  /** By event type. */
  readonly #handlers = new Map<string, Handler>();
  #touched: FoldedRow[] = [];

  /** @param rows of every key of the events to come */
  constructor(projection: PreparedTableProjection, rows: FoldedRows = new GivenRows()) {
    this.#projection = projection;
    this.#rows = rows;
  }

  /** @throws as `fold` */
  add({ recorded, event, keys }: RoutedEvent): void {
    const rows = keys.map((key) => this.#rows.find(key));
    this.fold(recorded, event, rows);
  }

  /**
   * @param rows those the event is about, none twice
   * @throws E_HANDLER when the handler throws, or returns what is no row: the rows are as they were before the event
   */
  fold(recorded: RecordedEvent, event: Event, rows: readonly FoldedRow[]): void {
    const { definition, shape, name } = this.#projection;
    const handler = this.#handlerOf(recorded.type);
    if (handler === undefined) return;
    const [only] = rows;
    try {
      if (only !== undefined && rows.length === 1) {
        this.#replace(only, foldInto(shape, only, event, handler));
        return;
      }
      const after = rows.map((row) => foldInto(shape, row, event, handler));
      for (const [index, row] of rows.entries()) this.#replace(row, after[index] ?? null);
    } catch (error) {
      throw toHandlerError(name, recorded, `on.${handlerName(definition.on, recorded.type)}`, error);
    }
  }

  /** What has become of the rows since the last time: for the table of that name, which is taken to have it from now on. */
  take(table: string): RowChanges {
    const inserts: StoredRow[] = [];
    const upserts: StoredRow[] = [];
    const deletes: StoredRow[] = [];
    for (const folded of this.#touched) {
      const { key, stored, row, isNew } = folded;
      folded.isTouched = false;
      folded.stored = row;
      if (row === null && stored !== null) deletes.push(key.columns);
      if (row === null || isSameRow(this.#projection.shape, stored, row)) continue;
      folded.isNew = false;
      if (isNew) inserts.push(row);
      else upserts.push(row);
    }
    this.#touched = [];
    return { kind: 'rows', spec: this.#projection.shape.spec, table, inserts, upserts, deletes };
  }

  /** What was folded since the last time is of no use: the rows are looked up anew. */
  forget(): void {
    this.#touched = [];
  }

  /** Every touched row as it is now. */
  *rows(): Generator<[string, StoredRow | null]> {
    for (const { key, row } of this.#touched) yield [key.text, row];
  }

  #handlerOf(type: string): Handler | undefined {
    let handler = this.#handlers.get(type);
    if (handler === undefined) {
      handler = handlerOf(this.#projection.definition.on, type);
      if (handler !== undefined) this.#handlers.set(type, handler);
    }
    return handler;
  }

  #replace(folded: FoldedRow, row: StoredRow | null): void {
    if (!folded.isTouched) this.#touched.push(folded);
    folded.isTouched = true;
    folded.row = row;
    this.#rows.changed(folded);
  }
}

/** The row after the event. */
function foldInto(shape: TableShape, folded: FoldedRow, event: Event, handler: Handler): StoredRow | null {
  const { key, row } = folded;
  const returned: unknown = handler(row === null ? null : shape.codec.load(row), event);
  if (returned === undefined) return row;
  return returned === null ? null : toStoredRow(shape, key, returned, row);
}

/**
 * The statements of one event of an sql projection.
 * @param physical maps a name readers use to the table to write
 * @throws E_HANDLER when the handler throws, or returns what is no statement
 */
export function statementsOf(
  projection: PreparedSqlProjection,
  recorded: RecordedEvent,
  physical: (name: string) => string,
): readonly Statement[] {
  const { definition, name } = projection;
  const handler = handlerOf(definition.on, recorded.type);
  if (handler === undefined) return [];
  try {
    const returned: unknown = handler(
      new HandledEvent(recorded, definition.upcasters),
      toTableIdentifiers(definition.tables, physical),
    );
    return toStatements(returned);
  } catch (error) {
    throw toHandlerError(name, recorded, `on.${handlerName(definition.on, recorded.type)}`, error);
  }
}

/**
 * What a handler of an sql projection returned.
 * @throws ValueFault
 */
export function toStatements(returned: unknown): readonly Statement[] {
  if (returned === undefined || returned === null) return [];
  const statements = toList(returned);
  const wrong = statements.find((each) => !isStatement(each));
  if (wrong !== undefined) throw new ValueFault(`statements made with sql, not ${describeValue(wrong)}`);
  return statements as readonly Statement[];
}

/** Own properties only: an event type may be called `constructor`. */
export function handlerOf<Handler>(on: Readonly<Record<string, Handler>>, type: string): Handler | undefined {
  const name = handlerName(on, type);
  return Object.hasOwn(on, name) ? on[name] : undefined;
}

export function handlerName(on: object, type: string): string {
  return Object.hasOwn(on, type) ? type : '*';
}

function isSameRow(shape: TableShape, before: StoredRow | null, after: StoredRow): boolean {
  return before !== null && shape.properties.every(({ name }) => before[name] === after[name]);
}
