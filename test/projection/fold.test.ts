import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import type { StoredRow } from '../../src/domain/read-model.js';
import { defineProjection, type Projection } from '../../src/projection/define/definition.js';
import {
  isTableProjection,
  type PreparedTableProjection,
  prepareProjection,
} from '../../src/projection/define/prepare.js';
import { HeldRows } from '../../src/projection/fold/held-rows.js';
import { foldEvent, routeEvent } from '../../src/projection/fold/row-fold.js';
import { errorOf } from '../support/events.js';

function prepare(definition: Projection): PreparedTableProjection {
  const prepared = prepareProjection(definition);
  if (!isTableProjection(prepared)) throw new Error('not a table projection');
  return prepared;
}

function event(position: number, streamId: string, type: string, data: unknown = {}): RecordedEvent {
  return {
    globalPosition: position,
    streamId,
    version: 1,
    type,
    schemaVersion: 1,
    id: `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`,
    data: JSON.stringify(data),
    metadata: '{}',
    streamType: 'Order',
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}

/** Folds one batch onto the rows, as the database would have them afterwards. */
function foldBatch(
  projection: PreparedTableProjection,
  events: readonly RecordedEvent[],
  rows = new Map<string, StoredRow>(),
) {
  const routed = events.map((each) => routeEvent(projection, each));
  const held = new HeldRows(projection.shape, { isEmpty: false });
  for (const key of routed.flatMap(({ keys }) => keys)) {
    if (held.get(key.text) === undefined) held.learn(key, rows.get(key.text) ?? null);
  }
  for (const each of routed) foldEvent(projection, each, held);
  return held.takeChanges('t');
}

const counter = prepare(
  defineProjection({
    name: 'counters',
    version: 1,
    table: { columns: { id: 'text', count: 'integer', note: 'json' }, key: 'id' },
    on: {
      Counted: (row, { data }) => ({ ...row, count: (row?.count ?? 0) + (data.by ?? 1) }),
      Noted: (row, { data }) => (row === null ? undefined : { ...row, note: data }),
      Removed: () => null,
    },
  }),
);

describe('a batch', () => {
  it('writes each touched row once', () => {
    const { upserts, deletes } = foldBatch(counter, [
      event(1, 'a', 'Counted'),
      event(2, 'b', 'Counted'),
      event(3, 'a', 'Counted'),
    ]);
    expect(upserts).toEqual([
      { id: 'a', count: 2, note: null },
      { id: 'b', count: 1, note: null },
    ]);
    expect(deletes).toEqual([]);
  });

  it('writes nothing for a row that comes and goes, or ends as it began', () => {
    expect(foldBatch(counter, [event(1, 'a', 'Counted'), event(2, 'a', 'Removed')])).toMatchObject({
      upserts: [],
      deletes: [],
    });
    const rows = new Map([['a', { id: 'a', count: 1, note: null }]]);
    const back = [event(1, 'a', 'Removed'), event(2, 'a', 'Counted')];
    expect(foldBatch(counter, back, rows)).toMatchObject({ upserts: [], deletes: [] });
  });

  it('deletes a row that was there, by its key', () => {
    const rows = new Map([['a', { id: 'a', count: 1, note: null }]]);
    expect(foldBatch(counter, [event(1, 'a', 'Removed')], rows)).toMatchObject({ upserts: [], deletes: [{ id: 'a' }] });
  });

  it('leaves a row unchanged for undefined, and skips events without a handler', () => {
    expect(foldBatch(counter, [event(1, 'a', 'Noted'), event(2, 'a', 'constructor')]).upserts).toEqual([]);
  });

  it('gives each handler a copy of the row, so that changing it has no other effect', () => {
    const careless = prepare({
      ...counter.definition,
      on: {
        Spoilt: (row: { count: number } | null) => {
          if (row !== null) row.count = 99;
          return undefined;
        },
        ...counter.definition.on,
      },
    } as Projection);
    const { upserts } = foldBatch(careless, [
      event(1, 'a', 'Counted'),
      event(2, 'a', 'Spoilt'),
      event(3, 'a', 'Counted'),
    ]);
    expect(upserts).toEqual([{ id: 'a', count: 2, note: null }]);
  });

  it('gives the same rows in batches of any size as event by event', () => {
    const steps = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c'),
        type: fc.constantFrom('Counted', 'Counted', 'Noted', 'Removed', 'Other'),
        by: fc.integer({ min: -3, max: 3 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (given, size) => {
        const naive = new Map<string, { count: number; note: unknown }>();
        for (const { key, type, by } of given) {
          const row = naive.get(key);
          if (type === 'Counted') naive.set(key, { note: row?.note ?? null, count: (row?.count ?? 0) + by });
          if (type === 'Noted' && row !== undefined) naive.set(key, { ...row, note: { by } });
          if (type === 'Removed') naive.delete(key);
        }
        const rows = new Map<string, StoredRow>();
        const events = given.map(({ key, type, by }, index) => event(index + 1, key, type, { by }));
        for (let start = 0; start < events.length; start += size) {
          const { upserts, deletes } = foldBatch(counter, events.slice(start, start + size), rows);
          for (const row of upserts) rows.set(String(row.id), row);
          for (const key of deletes) expect(rows.delete(String(key.id))).toBe(true);
        }
        const folded = [...rows.values()].map(({ id, count, note }) => [id, { count, note: JSON.parse(String(note)) }]);
        expect(Object.fromEntries(folded)).toEqual(Object.fromEntries(naive));
      }),
    );
  });
});

describe('keys', () => {
  const daily = (key: unknown) =>
    prepare({
      ...defineProjection({
        name: 'daily',
        version: 1,
        table: { columns: { customer: 'text', dayNumber: 'integer', sold: 'integer' }, key: ['customer', 'dayNumber'] },
        on: { '*': (row) => ({ sold: (row?.sold ?? 0) + 1 }) },
      }),
      key: () => key,
    } as Projection);

  it('may be several columns, stored in snake_case', () => {
    const { upserts } = foldBatch(daily({ customer: 'ada', dayNumber: 1 }), [event(1, 's', 'Sold')]);
    expect(upserts).toEqual([{ customer: 'ada', day_number: 1, sold: 1 }]);
  });

  it('may be an array, which names each row once', () => {
    const days = [1, 2, 1].map((dayNumber) => ({ customer: 'ada', dayNumber }));
    expect(foldBatch(daily(days), [event(1, 's', 'Sold')]).upserts).toHaveLength(2);
  });

  it('null, undefined and an empty array name no row', () => {
    for (const none of [null, undefined, []])
      expect(foldBatch(daily(none), [event(1, 's', 'Sold')]).upserts).toEqual([]);
  });

  it.each([
    'ada',
    { customer: 'ada' },
    { customer: 'ada', dayNumber: null },
    [{ customer: 1, dayNumber: 1 }],
    { customer: 'ada', dayNumber: 1, sold: 1 },
  ])('refuses %o', async (key) => {
    const error = await errorOf('E_HANDLER', (async () => foldBatch(daily(key), [event(7, 's', 'Sold')]))());
    expect(error.why).toMatch(/^key(:| returns)/);
    expect(error.details).toMatchObject({ projection: 'daily', globalPosition: 7 });
  });
});

describe('what a handler returns', () => {
  const returning = (value: unknown) => prepare({ ...counter.definition, on: { Counted: () => value } } as Projection);
  const failure = (value: unknown) =>
    errorOf('E_HANDLER', (async () => foldBatch(returning(value), [event(9, 'a', 'Counted')]))());

  it('may leave columns out and repeat the key', () => {
    expect(foldBatch(returning({ id: 'a' }), [event(1, 'a', 'Counted')]).upserts).toEqual([
      { id: 'a', count: null, note: null },
    ]);
  });

  it.each([
    [{ id: 'b' }, 'id', "takes the key of its row, 'a', not 'b'"],
    [{ colour: 'red' }, 'colour', 'takes no value: the table has no such column'],
    [{ count: 'two' }, 'count', "takes a whole number of 32 bits, not 'two'"],
  ])('%o is an error that names the column', async (value, column, text) => {
    const error = await failure(value);
    expect(error.message).toBe('projection counters failed on Counted at position 9');
    expect(error.why).toContain(`on.Counted: column ${column} ${text}.`);
    expect(error.details).toMatchObject({ projection: 'counters', type: 'Counted', globalPosition: 9, column });
  });

  it.each([1, 'row', [{}], new Date(0), Promise.resolve({})])('%o is not a row', async (value) => {
    expect((await failure(value)).code).toBe('E_HANDLER');
  });
});
