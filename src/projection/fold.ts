/**
 * Events and current rows → changes, in memory. Whatever a batch does to a row, it is written once, and not at all when
 * it ends as it began.
 */
import type { RecordedEvent } from '../domain/event.js';
import { type Part, wholeWork } from '../domain/parts.js';
import type { Changes, Statement, StoredRow } from '../domain/read-model.js';
import { fromStoredRow, type RowKey, type TableShape, toList, toRowKeys, toStoredRow } from './columns.js';
import type { Event } from './definition.js';
import { toEvent } from './event.js';
import { toHandlerError } from './handler-error.js';
import { isOwnKey } from './partition.js';
import type { PreparedSqlProjection, PreparedTableProjection } from './prepare.js';
import { isStatement, toTableIdentifiers } from './sql-tag.js';
import { describeValue, ValueFault } from './values.js';

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
  const { definition, shape, name } = projection;
  const event = toEvent(recorded, definition.upcasters);
  if (handlerOf(definition.on, recorded.type) === undefined) return { recorded, event, keys: [] };
  try {
    const value = definition.key === undefined ? recorded.streamId : definition.key(event);
    return { recorded, event, keys: toRowKeys(shape, value).filter((key) => isOwnKey(key, part)) };
  } catch (error) {
    throw toHandlerError(name, recorded, 'key', error);
  }
}

/** Row of each key by its text; null where none exists. */
export type Rows = ReadonlyMap<string, StoredRow | null>;

interface TouchedRow {
  readonly key: RowKey;
  readonly before: StoredRow | null;
  after: StoredRow | null;
}

/** The rows of one batch while its events are folded into them. */
export class RowFold {
  readonly #projection: PreparedTableProjection;
  readonly #current: Rows;
  readonly #touched = new Map<string, TouchedRow>();

  /** @param current holds every key of the events to come */
  constructor(projection: PreparedTableProjection, current: Rows) {
    this.#projection = projection;
    this.#current = current;
  }

  /** @throws E_HANDLER when the handler throws, or returns what is no row: the rows are as they were before the event */
  add({ recorded, event, keys }: RoutedEvent): void {
    const { definition, shape, name } = this.#projection;
    const handler = handlerOf(definition.on, recorded.type);
    if (handler === undefined) return;
    const rows = keys.map((key) => this.#touch(key));
    const before = rows.map(({ after }) => after);
    try {
      for (const touched of rows) {
        const row = touched.after === null ? null : fromStoredRow(shape, touched.after);
        const returned: unknown = handler(row, event);
        if (returned === undefined) continue;
        touched.after = returned === null ? null : toStoredRow(shape, touched.key, returned);
      }
    } catch (error) {
      rows.forEach((touched, index) => {
        touched.after = before[index] ?? null;
      });
      throw toHandlerError(name, recorded, `on.${handlerName(definition.on, recorded.type)}`, error);
    }
  }

  /** What has become of the rows: for the table of that name. */
  changes(table: string): Extract<Changes, { kind: 'rows' }> {
    const upserts: StoredRow[] = [];
    const deletes: StoredRow[] = [];
    for (const { key, before, after } of this.#touched.values()) {
      if (after === null && before !== null) deletes.push(key.columns);
      if (after !== null && !isSameRow(this.#projection.shape, before, after)) upserts.push(after);
    }
    return { kind: 'rows', spec: this.#projection.shape.spec, table, upserts, deletes };
  }

  /** Every touched row as it is now. */
  *rows(): Generator<[string, StoredRow | null]> {
    for (const [text, { after }] of this.#touched) yield [text, after];
  }

  #touch(key: RowKey): TouchedRow {
    let touched = this.#touched.get(key.text);
    if (touched === undefined) {
      const before = this.#current.get(key.text) ?? null;
      touched = { key, before, after: before };
      this.#touched.set(key.text, touched);
    }
    return touched;
  }
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
      toEvent(recorded, definition.upcasters),
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
