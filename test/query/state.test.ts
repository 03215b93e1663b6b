/** The state of a row as of a moment is what the same events make of it, folded by nothing of the product's. */
import { expect, test } from 'vitest';
import type { Projection } from '../../src/projection/define/definition.js';
import { defineProjection } from '../../src/projection/define/definition.js';
import type { Point } from '../../src/query/moment.js';
import { stateAt, stateDiff, stateHistory } from '../../src/query/state.js';
import type { Store } from '../../src/store/store.js';
import { expectedRows, orderSql, orderSummary, placeOrders, prepare } from '../projection/orders.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';

const ask = (store: Store, projection: Projection, streamId: string, exact = false) => ({
  store,
  projection: prepare(projection),
  streamId,
  exact,
  exactCommand: 'evstore state --exact',
  progress: () => {},
  signal: new AbortController().signal,
});

/** A row for each customer, made by the events of many orders. */
const customers = defineProjection({
  name: 'customers',
  version: 1,
  category: 'Order',
  table: { columns: { customer: 'text', orders: 'integer', total: 'bigint' }, key: 'customer' },
  key: ({ data }) => data.customer,
  on: {
    OrderPlaced: (row, { data }) => ({ orders: (row?.orders ?? 0) + 1, total: (row?.total ?? 0) + data.total }),
  },
});

async function placeForCustomers(store: Store, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const data = `{"customer":"c${index % 3}","total":${index}}`;
    const createdAt = new Date(Date.parse('2026-01-01T00:00:00Z') + index * 60_000).toISOString();
    await append(store, `Order-${index % 7}`, [makeEvent({ type: 'OrderPlaced', data, createdAt })]);
  }
}

forEachEngine((engine) => {
  test('the row of a stream at each position is the one that its events up to there make', () =>
    withTestStore(engine, async ({ store }) => {
      await placeOrders(store, 60);
      for (let position = 0; position <= 60; position += 1) {
        const expected = (await expectedRows(store, position)).find((row) => row.order_id === 'Order-4') ?? null;
        const point: Point = { kind: 'position', position };
        const found = await stateAt(ask(store, orderSummary, 'Order-4'), point);
        expect(found.row).toEqual(position === 0 ? null : expected);
      }
      const now = await stateAt(ask(store, orderSummary, 'Order-4'), { kind: 'now' });
      expect(now).toMatchObject({ at: { version: 6, position: 60 }, held: 0, parked: 0, code: 'new', codeVersion: 1 });
    }));

  test('a version is one of the stream, and 0 is before its first event', () =>
    withTestStore(engine, async ({ store }) => {
      await placeOrders(store, 40);
      const at = (version: number) => stateAt(ask(store, orderSummary, 'Order-1'), { kind: 'version', version });
      expect((await at(0)).row).toBeNull();
      expect(await at(2)).toMatchObject({ at: { version: 2, position: 12 }, row: { events: 2, total: 1 + 11 } });
      await expect(at(9)).rejects.toMatchObject({
        code: 'E_NOT_FOUND',
        why: expect.stringContaining('last version is 4'),
      });
    }));

  test('a time includes what was recorded at it, to the microsecond', () =>
    withTestStore(engine, async ({ store }) => {
      for (const micros of ['000001', '000002', '999999']) {
        const createdAt = `2026-01-01T00:00:00.${micros}Z`;
        await append(store, 'Order-1', [makeEvent({ data: '{"total":1}', createdAt })]);
      }
      const at = async (time: string) => {
        const { row, at } = await stateAt(ask(store, orderSummary, 'Order-1'), { kind: 'time', time });
        return [row?.events ?? null, at.version];
      };
      expect(await at('2026-01-01T00:00:00.000Z')).toEqual([null, 0]);
      expect(await at('2026-01-01T00:00:00.000001Z')).toEqual([1, 1]);
      expect(await at('2026-01-01T00:00:00.999998Z')).toEqual([2, 2]);
      expect(await at('2026-01-01T00:00:00.999999Z')).toEqual([3, 3]);
    }));

  test('a row with a key of its own is made by the events of all streams about it', () =>
    withTestStore(engine, async ({ store }) => {
      await placeForCustomers(store, 42);
      const sums = (upTo: number) =>
        ['c0', 'c1', 'c2'].flatMap((customer, index) => {
          const all = Array.from({ length: upTo }, (_, each) => each).filter((each) => each % 3 === index);
          const isAbout = all.some((each) => each % 7 === 5);
          const total = all.reduce((sum, each) => sum + each, 0);
          return isAbout ? [{ customer, orders: all.length, total }] : [];
        });
      for (const position of [5, 6, 12, 13, 19, 20, 42]) {
        const found = await stateAt(ask(store, customers, 'Order-5'), { kind: 'position', position });
        expect([...found.rows].sort((a, b) => (String(a.customer) < String(b.customer) ? -1 : 1))).toEqual(
          sums(position),
        );
        expect(found.row === null).toBe(found.rows.length !== 1);
      }
      const time = '2026-01-01T00:12:00.000Z';
      const then = await stateAt(ask(store, customers, 'Order-5'), { kind: 'time', time });
      expect(then.rows).toHaveLength(2);
      expect(then.rows.reduce((sum, row) => sum + Number(row.orders), 0)).toBe(9);
    }));

  test('the history of a stream ends at its state; a limit keeps the last changes', () =>
    withTestStore(engine, async ({ store }) => {
      await placeOrders(store, 60);
      const options = ask(store, orderSummary, 'Order-0');
      const { history, omitted } = await stateHistory(options, { kind: 'now' });
      expect(omitted).toBe(0);
      const kinds = history.map(({ version, kind }) => `${version} ${kind}`);
      expect(kinds).toEqual(['1 added', '2 removed', '3 added', '4 changed', '5 changed', '6 changed']);
      for (const entry of history) {
        const { row } = await stateAt(options, { kind: 'version', version: entry.version });
        expect(entry.row).toEqual(row);
      }
      const last = await stateHistory(options, { kind: 'now' }, 2);
      expect(last.history).toEqual(history.slice(-2));
      expect(last.omitted).toBe(history.length - 2);
    }));

  test('a diff compares two points in either order, with rows of other streams where they share a key', () =>
    withTestStore(engine, async ({ store }) => {
      await placeForCustomers(store, 30);
      const from: Point = { kind: 'position', position: 1 };
      const to: Point = { kind: 'position', position: 12 };
      const there = await stateDiff(ask(store, customers, 'Order-4'), [from, to]);
      expect(there.rows).toHaveLength(2);
      for (const { before, after, kind, changes } of there.rows) {
        expect(kind).toBe(before === null ? 'added' : 'changed');
        expect(changes.orders).toEqual({ before: before?.orders ?? null, after: after?.orders });
      }
      const back = await stateDiff(ask(store, customers, 'Order-4'), [to, from]);
      expect(back.rows.map(({ before, after }) => [after, before])).toEqual(
        there.rows.map(({ before, after }) => [before, after]),
      );
    }));

  test('a projection of statements is refused by name, and a position beyond the log', () =>
    withTestStore(engine, async ({ store }) => {
      await placeOrders(store, 3);
      await expect(stateAt(ask(store, orderSql, 'Order-1'), { kind: 'now' })).rejects.toMatchObject({
        code: 'E_USAGE',
        message: 'the rows of order_sql cannot be replayed',
        next: 'evstore rows order_sql',
      });
      const beyond: Point = { kind: 'position', position: 4 };
      await expect(stateAt(ask(store, orderSummary, 'Order-1'), beyond)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    }));
});

test('a row that may depend on more events than are read unasked is not computed without --exact', () =>
  withTestStore('sqlite', async ({ store, raw }) => {
    await placeForCustomers(store, 3);
    await raw.query(`insert into events (id, stream_id, stream_type, event_type, event_data, metadata, version)
      with recursive n (i) as (select 1 union all select i + 1 from n where i < 100001)
      select printf('00000000-0000-4000-8000-%012d', i), 'Order-big', 'Order', 'OrderPlaced', '{"customer":"c1","total":1}', '{}', i from n`);
    await expect(stateAt(ask(store, customers, 'Order-1'), { kind: 'now' })).rejects.toMatchObject({
      code: 'E_USAGE',
      next: 'evstore state --exact',
    });
    const early = await stateAt(ask(store, customers, 'Order-1'), { kind: 'position', position: 3 });
    expect(early.row).toEqual({ customer: 'c1', orders: 1, total: 1 });
    const all = await stateAt(ask(store, customers, 'Order-1', true), { kind: 'now' });
    expect(all.row).toEqual({ customer: 'c1', orders: 100_002, total: 100_002 });
  }));
