/** Tests a projection with the fold that runs it in production, over rows in memory. */
import { deepStrictEqual } from 'node:assert/strict';
import type { RecordedEvent } from '../domain/event.js';
import type { StoredRow } from '../domain/read-model.js';
import type { SqlProjection, TableProjection } from '../projection/define/definition.js';
import {
  isExternalProjection,
  isTableProjection,
  type PreparedProjection,
  type PreparedSqlProjection,
  type PreparedTableProjection,
  prepareProjection,
} from '../projection/define/prepare.js';
import { findShapeFaults } from '../projection/define/shape.js';
import { HeldRows } from '../projection/fold/held-rows.js';
import { foldEvent, routeEvent } from '../projection/fold/row-fold.js';
import { type GivenEvent, recordGiven } from './given.js';

export interface ProjectionScenario {
  /** Adds events, in the order of the log. */
  given(...events: readonly GivenEvent[]): ProjectionScenario;
  /** Returns the resulting rows in the order of their keys; properties are named as in the definition. */
  rows(): Promise<readonly TestedRow[]>;
  /**
   * Asserts the rows. Columns that an expected row leaves out are ignored.
   * @throws AssertionError with the difference
   */
  thenRows(expected: readonly TestedRow[]): Promise<void>;
}

/** Property → value, as a handler reads it. For an SQL projection: column → value. */
export type TestedRow = Readonly<Record<string, unknown>>;

/** @param table the table to read, for an SQL projection with several. Default: the first */
export function projectionScenario(projection: TableProjection | SqlProjection, table?: string): ProjectionScenario {
  const [fault] = findShapeFaults(projection);
  if (fault !== undefined) throw new TypeError(fault);
  const prepared = prepareProjection(projection);
  if (isExternalProjection(prepared)) throw new TypeError(`${projection.name} has no rows here: see externalScenario`);
  return new Scenario(prepared, table, []);
}

class Scenario implements ProjectionScenario {
  readonly #projection: PreparedTableProjection | PreparedSqlProjection;
  readonly #table: string | undefined;
  readonly #events: readonly GivenEvent[];

  constructor(
    projection: PreparedTableProjection | PreparedSqlProjection,
    table: string | undefined,
    events: readonly GivenEvent[],
  ) {
    this.#projection = projection;
    this.#table = table;
    this.#events = events;
  }

  given(...events: readonly GivenEvent[]): ProjectionScenario {
    return new Scenario(this.#projection, this.#table, [...this.#events, ...events]);
  }

  async rows(): Promise<readonly TestedRow[]> {
    const projection = this.#projection;
    const events = recordGiven(this.#events).filter((event) => isWanted(projection, event));
    if (isTableProjection(projection)) return foldRows(projection, events);
    const { querySqlProjection } = await import('./sql-rows.js');
    return querySqlProjection(projection, events, this.#table ?? projection.tables[0] ?? projection.name);
  }

  async thenRows(expected: readonly TestedRow[]): Promise<void> {
    const rows = await this.rows();
    // The driver's lists are of another realm in jest, where a list that `map` makes of them would be unlike any other.
    const seen = Array.from(rows, (row, index) => pick(row, expected[index] ?? row));
    deepStrictEqual(seen, expected);
  }
}

function foldRows(projection: PreparedTableProjection, events: readonly RecordedEvent[]): readonly TestedRow[] {
  const { shape } = projection;
  const rows = new HeldRows(shape, { isEmpty: true });
  for (const event of events) foldEvent(projection, routeEvent(projection, event), rows);
  return [...rows.touched()]
    .filter((entry): entry is [string, StoredRow] => entry[1] !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => ({ ...shape.codec.load(row) }));
}

export function isWanted({ filter }: PreparedProjection, { type, streamType }: RecordedEvent): boolean {
  return (filter.types?.includes(type) ?? true) && (filter.category === undefined || filter.category === streamType);
}

function pick(row: TestedRow, like: TestedRow): TestedRow {
  return Object.fromEntries(Object.keys(like).map((property) => [property, row[property]]));
}
