/** Read models for programs: rows by key, and waiting until they contain what was written. */
import { expect, test } from 'vitest';
import { type EventStore, openStore } from '../../src/library/event-store.js';
import { defineProjection, defineSqlProjection } from '../../src/projection/define/definition.js';
import { prepareAll } from '../../src/projection/define/prepare.js';
import { sql } from '../../src/projection/define/sql-tag.js';
import { runProjections } from '../../src/projection/run/run.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { errorOf } from '../support/events.js';

const orders = defineProjection({
  name: 'orders',
  version: 1,
  table: {
    columns: {
      ...{
        orderId: 'text',
        total: 'bigint',
        price: 'numeric',
        isPaid: 'boolean',
        items: 'json',
        placedAt: 'timestamp',
      },
    },
    key: 'orderId',
  },
  on: {
    OrderPlaced: (_row, { data, createdAt }) => ({
      ...{ total: data.total, price: data.price, isPaid: false, items: data.items, placedAt: createdAt },
    }),
    OrderPaid: (row) => ({ ...row, isPaid: true }),
  },
});

const places = defineProjection({
  name: 'places',
  version: 1,
  table: { columns: { hall: 'text', number: 'integer', taken: 'boolean' }, key: ['hall', 'number'] },
  key: ({ data }) => ({ hall: data.hall, number: data.number }),
  on: { PlaceTaken: () => ({ taken: true }) },
});

const counts = defineSqlProjection({
  name: 'counts',
  version: 1,
  tables: ['counts'],
  create: (t) => sql`create table ${t.counts} (type text primary key)`,
  on: {},
});

async function withLibrary(place: TestStore, body: (store: EventStore) => Promise<void>): Promise<void> {
  const store = await openStore(place.url);
  try {
    await body(store);
  } finally {
    await store.close();
  }
}

async function runOnce({ store }: TestStore, projection: Parameters<typeof prepareAll>[0][number]): Promise<void> {
  const [result] = await runProjections({
    ...{ store, projections: prepareAll([projection]), once: true, owner: 'test' },
    signal: new AbortController().signal,
    report: () => {},
  });
  if (result?.error) throw result.error;
}

const big = 9_007_199_254_740_993n;

forEachEngine((engine) => {
  test('a row is found by its key, with the values that handlers see', () =>
    withTestStore(engine, (place) =>
      withLibrary(place, async (store) => {
        const createdAt = '2026-01-31T09:30:00.000Z';
        const data = { total: big, price: '10.50', items: [{ sku: 'a' }] };
        await store.append('Order-1', { type: 'OrderPlaced', data, createdAt });
        await runOnce(place, orders);
        const row = await store.rows(orders).get('Order-1');
        expect(row).toEqual({
          ...{ orderId: 'Order-1', total: big, price: '10.50', isPaid: false, items: [{ sku: 'a' }] },
          placedAt: expect.stringMatching(/^2026-01-31T09:30:00/),
        });
        const typed: string | null | undefined = row?.price;
        expect(typed).toBe('10.50');
        expect(await store.rows(orders).get('Order-2')).toBeUndefined();
        expect(await store.rows(orders).get({ orderId: 'Order-1' })).toMatchObject({ orderId: 'Order-1' });
      }),
    ));

  test('rows are found by a condition, in the order of their keys', () =>
    withTestStore(engine, (place) =>
      withLibrary(place, async (store) => {
        for (const [index, total] of [5, big, 7, 5].entries()) {
          await store.append(`Order-${index}`, { type: 'OrderPlaced', data: { total, price: null, items: null } });
        }
        await store.append('Order-3', { type: 'OrderPaid', data: {} });
        await runOnce(place, orders);
        const rows = store.rows(orders);
        const idsOf = async (...options: Parameters<typeof rows.find>) =>
          (await rows.find(...options)).map(({ orderId }) => orderId);
        expect(await idsOf()).toEqual(['Order-0', 'Order-1', 'Order-2', 'Order-3']);
        expect(await idsOf({ where: 'total = 5' })).toEqual(['Order-0', 'Order-3']);
        expect(await idsOf({ where: 'is_paid = true' })).toEqual(['Order-3']);
        expect(await idsOf({ where: 'total > 5', limit: 1 })).toEqual(['Order-1']);
        expect((await rows.find({ where: 'total > 100' }))[0]).toMatchObject({ total: big, items: null });
        await errorOf('E_USAGE', rows.find({ where: 'sum = 5' }));
        await errorOf('E_INVALID_INPUT', rows.find({ limit: 0 }));
      }),
    ));

  test('a key of several columns is an object of them, and what cannot be a key is refused', () =>
    withTestStore(engine, (place) =>
      withLibrary(place, async (store) => {
        for (const number of [10, 9]) await store.append('Hall-1', { type: 'PlaceTaken', data: { hall: 'a', number } });
        await runOnce(place, places);
        const rows = store.rows(places);
        expect(await rows.get({ hall: 'a', number: 9 })).toEqual({ hall: 'a', number: 9, taken: true });
        expect(await rows.get({ hall: 'b', number: 9 })).toBeUndefined();
        expect((await rows.find()).map(({ number }) => number)).toEqual([9, 10]);
        for (const key of [
          'a',
          { hall: 'a' },
          { hall: 'a', number: '9' },
          { hall: 'a', number: 9, x: 1 },
          null,
          undefined,
          [],
        ]) {
          await errorOf('E_INVALID_INPUT', rows.get(key as never));
        }
      }),
    ));

  test('a projection that never ran, one of other code, and one without keys are refused by name', () =>
    withTestStore(engine, (place) =>
      withLibrary(place, async (store) => {
        const error = await errorOf('E_NOT_FOUND', store.rows(orders).get('Order-1'));
        expect(error.next).toBe('evstore run orders');
        await errorOf('E_NOT_FOUND', store.rows(orders).find());
        await runOnce(place, orders);
        expect(await store.rows(orders).get('Order-1')).toBeUndefined();
        await errorOf('E_STALE_PROJECTION', store.rows({ ...orders, version: 2 }).get('Order-1'));
        expect(() => store.rows(counts as never)).toThrow('counts has no rows that can be read by key');
        expect(() => store.rows({ name: 'x' } as never)).toThrow();
      }),
    ));

  test('waitFor returns when the projection contains an event, a position, or everything', () =>
    withTestStore(engine, (place) =>
      withLibrary(place, async (store) => {
        await runOnce(place, orders);
        const data = { total: 1, price: null, items: null };
        const { events, globalPosition: position } = await store.append('Order-1', { type: 'OrderPlaced', data });
        const late = await errorOf('E_TIMEOUT', store.waitFor(orders, { position, timeoutMs: 0 }));
        expect(late.next).toBe('evstore run orders');
        const waiting = Promise.all([
          store.waitFor(orders, { position }),
          store.waitFor('orders', { event: String(events[0]?.id) }),
          store.waitFor('orders'),
        ]);
        await runOnce(place, orders);
        expect(await waiting).toEqual([position, position, position]);
        await errorOf('E_NOT_FOUND', store.waitFor('order'));
        for (const event of ['0190a6c2-0000-7000-8000-000000000000', 'x']) {
          await errorOf('E_NOT_FOUND', store.waitFor('orders', { event }));
        }
        await errorOf('E_INVALID_INPUT', store.waitFor('orders', { event: 'x', position }));
        await errorOf('E_INVALID_INPUT', store.waitFor(7 as never));
        const stopped = store.waitFor('orders', { position: 99, signal: AbortSignal.abort(new Error('stopped')) });
        await expect(stopped).rejects.toThrow('stopped');
      }),
    ));

  test('events are read as text, with every digit', () =>
    withTestStore(engine, (place) =>
      withLibrary(place, async (store) => {
        await place.raw.query(
          `insert into events (stream_id, event_type, event_data, metadata, version)
           values ('Order-1', 'OrderPlaced', '{"total": 1.10000000000000000000001, "n":1e400}', '{"a" :1}', 1)`,
        );
        const expected = { data: '{"total": 1.10000000000000000000001, "n":1e400}', metadata: '{"a" :1}', version: 1 };
        for (const events of [store.readAll({ text: true }), store.readStream('Order-1', { text: true })]) {
          const all = [];
          for await (const event of events) all.push(event);
          expect(all).toMatchObject([expected]);
        }
      }),
    ));
});
