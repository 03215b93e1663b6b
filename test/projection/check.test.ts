import { describe, expect, it } from 'vitest';
import { type Checkable, checkProjection, type ProjectionCheck } from '../../src/projection/check-handlers/check.js';
import { defineProjection, defineSqlProjection, type TableProjection } from '../../src/projection/define/definition.js';
import { sql } from '../../src/projection/define/sql-tag.js';
import { defineUpcaster } from '../../src/projection/define/upcaster.js';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent, makeEvents } from '../support/events.js';
import { expectedRows, orderSql, orderSummary, placeOrders, prepare } from './orders.js';

function check(store: Store, definition: Parameters<typeof prepare>[0], rowLimit?: number): Promise<ProjectionCheck> {
  return checkProjection({
    store,
    projection: prepare(definition) as Checkable,
    signal: new AbortController().signal,
    progress: () => {},
    ...(rowLimit !== undefined && { rowLimit }),
  });
}

/** A handler of OrderPlaced that does something it should not. */
function withHandler(on: TableProjection['on'], changes: Partial<TableProjection> = {}): TableProjection {
  return defineProjection({
    name: 'tried',
    version: 1,
    category: 'Order',
    table: { columns: { orderId: 'text', value: 'json' }, key: 'orderId' },
    on,
    ...changes,
  });
}

forEachEngine((engine) => {
  describe('a check', () => {
    it('finds no fault in pure handlers, counts events without a handler, and writes nothing', async () => {
      await withTestStore(engine, async ({ store }) => {
        await placeOrders(store, 60);
        await append(
          store,
          'Order-1',
          makeEvents(3, () => ({ type: 'OrderShipped' })),
        );
        await append(
          store,
          'Customer-1',
          makeEvents(2, () => ({ type: 'CustomerNamed' })),
        );
        const summary = await check(store, orderSummary);
        expect(summary).toMatchObject({
          position: 65,
          events: 60,
          rows: { checked: (await expectedRows(store)).length },
          faults: [],
          // Of its category only.
          unhandled: [{ type: 'OrderShipped', events: 3 }],
          safe: true,
        });
        expect(summary.handlers.map(({ type, calls }) => [type, calls])).toEqual(
          expect.arrayContaining([
            ['OrderPlaced', 55],
            ['OrderRemoved', 5],
          ]),
        );
        expect(await check(store, orderSql)).toMatchObject({
          events: 60,
          rows: null,
          faults: [],
          unhandled: [
            { type: 'OrderShipped', events: 3 },
            { type: 'CustomerNamed', events: 2 },
          ],
          safe: true,
        });
        expect(await store.projections.list()).toEqual([]);
        expect(await store.projections.checkpoints()).toEqual([]);
      });
    });

    it('reports an empty log as safe', async () => {
      await withTestStore(engine, async ({ store }) => {
        expect(await check(store, orderSummary)).toMatchObject({ position: 0, events: 0, safe: true });
      });
    });
  });
});

const misdeeds: readonly (readonly [string, TableProjection, object])[] = [
  [
    'an error, with the first position and its message, going on behind it',
    withHandler({
      OrderPlaced: (row, { data }) => {
        if (data.total % 2 === 1) throw new TypeError(`no ${data.total}`);
        return { value: (row?.value ?? 0) + 1 };
      },
    }),
    {
      kind: 'error',
      part: 'on.OrderPlaced',
      type: 'OrderPlaced',
      events: 3,
      firstPosition: 2,
      message: 'TypeError: no 1',
    },
  ],
  [
    'what is no row',
    withHandler({ OrderPlaced: () => ({ other: 1 }) as never }),
    { kind: 'error', events: 6, firstPosition: 1, message: expect.stringContaining('no such column') },
  ],
  [
    'the clock',
    withHandler({ OrderPlaced: () => ({ value: new Date() > new Date(0) }) }),
    { kind: 'clock', events: 6 },
  ],
  ['chance', withHandler({ OrderPlaced: () => ({ value: Math.random() < 2 }) }), { kind: 'random', events: 6 }],
  [
    'a changed event',
    withHandler({
      OrderPlaced: (_row, { data }) => {
        data.total = 0;
        return {};
      },
    }),
    { kind: 'mutation', events: 5, firstPosition: 2, message: 'changes the event it was given' },
  ],
  [
    'a changed row',
    withHandler({
      OrderPlaced: (row) => {
        if (row !== null) (row as { value: unknown }).value = { ...row.value, more: 1 };
        return row ?? { value: {} };
      },
    }),
    { kind: 'mutation', events: 1, firstPosition: 6, message: 'changes the row it was given' },
  ],
  [
    'a key that reads the clock',
    withHandler({ OrderPlaced: () => ({}) }, { key: ({ streamId }) => (Date.now() > 0 ? streamId : '') }),
    { kind: 'clock', part: 'key', message: 'uses Date.now' },
  ],
  [
    'an upcaster that counts',
    withHandler(
      { OrderPlaced: (_row, { data }) => ({ value: data }) },
      {
        upcasters: [defineUpcaster({ type: 'OrderPlaced', from: 1, to: 2, up: counting() })],
      },
    ),
    { kind: 'unstable', part: 'upcasters', events: 6 },
  ],
];

function counting(): (data: object) => object {
  let times = 0;
  return (data) => {
    times += 1;
    return { ...data, times };
  };
}

it.each(misdeeds)('finds %s', async (_what, definition, fault) => {
  await withTestStore('sqlite', async ({ store }) => {
    await placeOrders(store, 6, 5);
    const { faults, safe } = await check(store, definition);
    expect(faults).toMatchObject([fault]);
    expect(safe).toBe(false);
  });
});

it('finds handlers that depend on more than their arguments, in rows and in statements', async () => {
  await withTestStore('sqlite', async ({ store }) => {
    await placeOrders(store, 4);
    let times = 0;
    const unstable = { kind: 'unstable', part: 'on.OrderPlaced', events: 4, firstPosition: 1 };
    const rows = withHandler({
      OrderPlaced: () => {
        times += 1;
        return { value: times };
      },
    });
    expect((await check(store, rows)).faults).toMatchObject([unstable]);
    const statements = defineSqlProjection({
      ...orderSql,
      on: {
        OrderPlaced: ({ streamId }, t) => {
          times += 1;
          return sql`insert into ${t.order_sql} values (${streamId}, 1, ${times})`;
        },
      },
    });
    expect((await check(store, statements)).faults).toMatchObject([unstable]);
    const wrong = defineSqlProjection({ ...orderSql, on: { OrderPlaced: () => 'delete from t' as never } });
    expect((await check(store, wrong)).faults).toMatchObject([{ kind: 'error', events: 4 }]);
  });
});

it('checks a share of the keys when there are too many, and says how many there are', async () => {
  await withTestStore('sqlite', async ({ store }) => {
    for (let index = 0; index < 600; index += 1) {
      await append(store, `Order-${index}`, [makeEvent({ data: `{"total":${index}}` })]);
    }
    const { rows, faults } = await check(store, orderSummary, 100);
    expect(rows?.checked).toBeLessThanOrEqual(100);
    expect(rows?.checked).toBeGreaterThan(20);
    expect(rows?.estimate).toBeGreaterThan(400);
    expect(rows?.estimate).toBeLessThan(800);
    expect(faults).toEqual([]);
  });
});
