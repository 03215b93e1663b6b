/** Rows of a live table recomputed alongside runners and writers, on real stores. */
import { describe, expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import { CatchUp } from '../../src/projection/catch-up/catch-up.js';
import { defineProjection } from '../../src/projection/define/definition.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import { type RepairOptions, type RepairReport, repairRows } from '../../src/projection/repair/repair.js';
import { runProjections } from '../../src/projection/run/run.js';
import type { Store } from '../../src/store/store.js';
import { verifyStore } from '../../src/verify/verify.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent, readAll } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { checkpointOf, positionOf, takeLease } from '../support/read-models.js';
import { spawnWorker } from '../support/workers/spawn.js';
import { actualRows, expectedRows, orderSql, orderSummary, placeOrders, prepare, runOnce } from './orders.js';

allowMoreTime('a process is started and killed three times in one case');

const orders = prepare(orderSummary);

interface Sale {
  readonly customers?: readonly string[];
  /** So many customers, numbered. */
  readonly many?: number;
}

function customersOf({ customers, many = 0 }: Sale): readonly string[] {
  return customers ?? Array.from({ length: many }, (_, index) => String(index));
}

/** A row for each customer and day, of the events of many streams. */
const byCustomer = prepare(
  defineProjection({
    name: 'by_customer',
    version: 1,
    table: { columns: { customerId: 'text', day: 'integer', events: 'integer' }, key: ['customerId', 'day'] },
    key: ({ data }) => customersOf(data).map((customerId) => ({ customerId, day: data.day })),
    on: {
      Sold: (row) => ({ events: (row?.events ?? 0) + 1 }),
      Refunded: (row) => (row === null || row.events === 1 ? null : { events: (row.events ?? 0) - 1 }),
    },
  }),
);

function repair(store: Store, changes: Partial<RepairOptions>): Promise<RepairReport> {
  return repairRows({
    store,
    projection: orders,
    scope: { kind: 'category', category: 'Order' },
    owner: 'host:9',
    dryRun: false,
    samples: 10,
    maxWaitMs: 20_000,
    signal: new AbortController().signal,
    ...changes,
  });
}

const stream = (streamId: string) => ({ kind: 'stream', streamId }) as const;
const keys = (...texts: string[]) => ({ kind: 'keys', keys: texts }) as const;

async function sell(store: Store, count: number, first = 0): Promise<void> {
  for (let index = first; index < first + count; index += 1) {
    const type = index % 5 === 4 ? 'Refunded' : 'Sold';
    const customers = [`c${index % 3}`, `c${(index + 1) % 4}`];
    const data = JSON.stringify({ customers: [...new Set(customers)], day: index % 2 });
    await append(store, `Shop-${index % 6}`, [makeEvent({ type, data })]);
  }
}

async function soldRows(test: TestStore): Promise<Record<string, unknown>[]> {
  const rows = await test.raw.query('select customer_id, day, events from by_customer order by customer_id, day');
  return rows.map((row) => ({ ...row, day: Number(row.day), events: Number(row.events) }));
}

/** No event was skipped or proved twice. */
async function expectProved(store: Store): Promise<void> {
  const { findings } = await verifyStore(store, { progress: () => {}, signal: new AbortController().signal });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
}

forEachEngine((engine) => {
  describe('repair', () => {
    it('recomputes the rows of a stream, previews them with --dry-run, and changes nothing else', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        await runOnce(test.store, [orders]);
        await placeOrders(test.store, 20, 10, 60);
        const right = await expectedRows(test.store, 60);
        await test.raw.query("update order_summary set total = -1 where order_id in ('Order-6', 'Order-7')");
        const spoiled = await actualRows(test);
        const [before] = await test.store.projections.cursors();
        const dry = await repair(test.store, { scope: stream('Order-6'), dryRun: true });
        expect(dry).toMatchObject({ dryRun: true, position: 60, keys: 1, rows: { changed: 1, columns: { total: 1 } } });
        expect(dry.rows.samples.changed).toMatchObject([
          { key: { order_id: 'Order-6' }, columns: { total: { live: -1 } } },
        ]);
        expect(await actualRows(test)).toEqual(spoiled);
        const done = await repair(test.store, { scope: stream('Order-6') });
        expect(done).toMatchObject({ ...dry, dryRun: false });
        const expected = right.map((row) => (row.order_id === 'Order-7' ? { ...row, total: -1 } : row));
        expect(await actualRows(test)).toEqual(expected);
        const [after] = await test.store.projections.cursors();
        expect(after).toEqual(before);
        expect(await repair(test.store, {})).toMatchObject({ keys: 10, rows: { added: 0, removed: 0, changed: 1 } });
        expect(await actualRows(test)).toEqual(right);
        expect(await repair(test.store, {})).toMatchObject({ rows: { added: 0, removed: 0, changed: 0 } });
        await runOnce(test.store, [orders]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await expectProved(test.store);
      });
    });

    it('by key: adds missing rows, and removes rows without events', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        await runOnce(test.store, [orders]);
        await test.raw.query("delete from order_summary where order_id = 'Order-6'");
        await test.raw.query("insert into order_summary values ('Order-x', 1, 1), ('Order-y', 1, 1)");
        const report = await repair(test.store, {
          scope: keys('Order-6', 'Order-x', '{"orderId":"Order-y"}', 'Order-7'),
        });
        expect(report).toMatchObject({ keys: 4, rows: { live: 3, rebuilt: 2, added: 1, removed: 2, changed: 0 } });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await expectProved(test.store);
      });
    });

    it('finds the streams of a row whose key spells the stream id differently', async () => {
      await withTestStore(engine, async (test) => {
        const spellings = {
          uuid: ['550E8400-E29B-41D4-A716-446655440000', '550e8400-e29b-41d4-a716-446655440000'],
          timestamp: ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00'],
        } as const;
        for (const type of ['uuid', 'timestamp'] as const) {
          const projection = prepare(
            defineProjection({
              name: `by_${type}`,
              version: 1,
              table: { columns: { id: type, events: 'integer' }, key: 'id' },
              on: { [type]: (row: { readonly events: number | null } | null) => ({ events: (row?.events ?? 0) + 1 }) },
            }),
          );
          // Two streams, one row.
          for (const streamId of spellings[type]) await append(test.store, streamId, [makeEvent({ type })]);
          await runOnce(test.store, [projection]);
          for (const scope of spellings[type].flatMap((each) => [stream(each), keys(each)])) {
            const report = await repair(test.store, { projection, scope });
            expect(report).toMatchObject({ keys: 1, events: 2, rows: { live: 1, rebuilt: 1, removed: 0, changed: 0 } });
          }
          const rows = await test.raw.query(`select events from ${projection.name}`);
          expect(rows.map(({ events }) => Number(events))).toEqual([2]);
        }
      });
    });

    it('does not remove a row that no event is about, unless its stream has no events', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        await append(test.store, 'Order-viewed', [makeEvent({ type: 'OrderViewed' })]);
        await sell(test.store, 10);
        await runOnce(test.store, [orders, byCustomer]);
        await test.raw.query("insert into order_summary values ('Order-viewed', 1, 1), ('Order-x', 1, 1)");
        await test.raw.query("insert into by_customer values ('cx', 1, 1)");
        const refused = await errorOf('E_CHECK_FAILED', repair(test.store, { scope: keys('Order-viewed') }));
        expect(refused.next).toBe('evstore rebuild order_summary');
        const scope = keys('{"customerId":"cx","day":1}');
        await errorOf('E_CHECK_FAILED', repair(test.store, { projection: byCustomer, scope }));
        await errorOf('E_CHECK_FAILED', repair(test.store, { projection: byCustomer, scope, dryRun: true }));
        expect(await repair(test.store, { scope: keys('Order-x') })).toMatchObject({ events: 0, rows: { removed: 1 } });
        const left = await test.raw.query(
          "select order_id from order_summary where order_id in ('Order-viewed', 'Order-x')",
        );
        expect(left).toEqual([{ order_id: 'Order-viewed' }]);
      });
    });

    it('follows rows through every stream they depend on', async () => {
      await withTestStore(engine, async (test) => {
        await sell(test.store, 60);
        await runOnce(test.store, [byCustomer]);
        const right = await soldRows(test);
        expect(right.length).toBeGreaterThan(4);
        await test.raw.query('update by_customer set events = 99');
        await test.raw.query("delete from by_customer where customer_id = 'c1'");
        const projection = byCustomer;
        const one = await repair(test.store, { projection, scope: keys('{"customer_id":"c1","day":1}') });
        expect(one.rows).toMatchObject({ added: 1, removed: 0, changed: 0 });
        await repair(test.store, { projection, scope: stream('Shop-1') });
        await repair(test.store, { projection, scope: { kind: 'category', category: 'Shop' } });
        expect(await soldRows(test)).toEqual(right);
        await expectProved(test.store);
      });
    });

    it('replays no event that was parked or skipped', async () => {
      await withTestStore(engine, async (test) => {
        const picky = prepare({
          ...orderSummary,
          on: {
            ...orderSummary.on,
            OrderPlaced: (...[row, event]: Parameters<typeof orderSummary.on.OrderPlaced>) => {
              if (event.data.total === 16) throw new Error('not this one');
              return orderSummary.on.OrderPlaced(row, event);
            },
          },
        });
        await placeOrders(test.store, 40);
        const { name, version, codeHash, model } = picky;
        await test.store.projections.register({ name, version, codeHash, model });
        const lease = await takeLease(test.store, checkpointOf(name));
        const signal = new AbortController().signal;
        const policy = { onError: 'skip', retries: 0 } as const;
        const catchUp = new CatchUp(test.store, picky, { lease, physical: String, position: 0, signal, policy });
        for await (const _step of catchUp.steps(40));
        expect(catchUp).toMatchObject({ position: 40, aside: 1 });
        const right = await actualRows(test);
        await test.raw.query('update order_summary set events = 0');
        await repair(test.store, { projection: picky });
        expect(await actualRows(test)).toEqual(right);
      });
    });

    it('repeats the merge until it is made when its answer was lost', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        await runOnce(test.store, [orders]);
        await test.raw.query('update order_summary set events = 0');
        let lost = 0;
        const projections = new Proxy(test.store.projections, {
          get: (target, name) => {
            const member = Reflect.get(target, name);
            if (typeof member !== 'function') return member;
            if (name !== 'apply' || lost > 0) return member.bind(target);
            return async (...args: Parameters<typeof target.apply>) => {
              await target.apply(...args);
              lost += 1;
              throw new EvstoreError('E_CONNECT', 'nobody answered the COMMIT');
            };
          },
        });
        const rows = (await actualRows(test)).length;
        const report = await repair({ ...test.store, projections, close: async () => {} }, {});
        expect(lost).toBe(1);
        expect(report.rows.changed).toBe(rows);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('refuses SQL projections, other code, too many rows, and events that are about no row', async () => {
      await withTestStore(engine, async (test) => {
        const fails = (code: EvstoreError['code'], changes: Partial<RepairOptions>) =>
          errorOf(code, repair(test.store, changes));
        await fails('E_NOT_FOUND', {});
        await placeOrders(test.store, 10);
        const statements = prepare(orderSql);
        await runOnce(test.store, [orders, statements]);
        expect((await fails('E_USAGE', { projection: statements })).message).toContain('order_sql');
        const inline = prepare({ ...orderSummary, name: 'inline_orders', mode: 'inline' });
        expect((await fails('E_USAGE', { projection: inline })).message).toContain('inline_orders');
        const newer: PreparedProjection = prepare({ ...orderSummary, version: 2 });
        expect((await fails('E_STALE_PROJECTION', { projection: newer })).next).toBe('evstore rebuild order_summary');
        const other = prepare({ ...orderSummary, on: { OrderRemoved: () => null } } as never);
        await fails('E_STALE_PROJECTION', { projection: other });
        expect((await fails('E_NOT_FOUND', { scope: stream('Order-99') })).exitCode).toBe(6);
        await fails('E_NOT_FOUND', { scope: { kind: 'category', category: 'Shop' } });
        await fails('E_USAGE', { scope: keys('{"order":1}') });
        await fails('E_USAGE', { scope: keys('{"orderId":1}') });
        await fails('E_USAGE', { scope: keys('{') });
        await runOnce(test.store, [byCustomer]);
        await fails('E_USAGE', { projection: byCustomer, scope: keys('c1') });
        const many = 100_001;
        await append(test.store, 'Shop-1', [makeEvent({ type: 'Sold', data: JSON.stringify({ many, day: 1 }) })]);
        await runOnce(test.store, [byCustomer]);
        const tooMany = await fails('E_USAGE', { projection: byCustomer, scope: stream('Shop-1') });
        expect(tooMany.next).toBe('evstore rebuild by_customer');
        const given = keys(...customersOf({ many }).map((customerId) => JSON.stringify({ customerId, day: 1 })));
        await fails('E_USAGE', { projection: byCustomer, scope: given });
      });
    });

    it('alongside a runner and a writer no event is lost or doubled', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 40);
        await sell(test.store, 20);
        await runOnce(test.store, [orders, byCustomer]);
        const stopping = new AbortController();
        const running = runProjections({
          store: await test.open(),
          projections: [orders, byCustomer],
          owner: 'host:1',
          once: false,
          ttlMs: 900,
          batchSize: 7,
          signal: stopping.signal,
          report: () => {},
        });
        const writing = Promise.all([placeOrders(await test.open(), 150, 10, 40), sell(await test.open(), 100, 20)]);
        let isWriting = true;
        const written = writing.then(() => {
          isWriting = false;
        });
        let repairs = 0;
        for (; isWriting || repairs < 4; repairs += 1) {
          await test.raw.query("update order_summary set total = -1 where order_id = 'Order-7'");
          await repair(test.store, { scope: repairs % 2 === 0 ? stream('Order-7') : keys('Order-7', 'Order-8') });
          await repair(test.store, { dryRun: true });
          await repair(test.store, { projection: byCustomer, scope: stream('Shop-2') });
        }
        await written;
        await runOnce(test.store, [orders, byCustomer], { owner: 'host:2', ttlMs: 900 });
        stopping.abort();
        await running;
        await repair(test.store, { scope: stream('Order-7') });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        const sold = (await readAll(test.store)).filter(({ streamId }) => streamId.startsWith('Shop-'));
        expect(sold).toHaveLength(120);
        const before = await soldRows(test);
        const all = await repair(test.store, { projection: byCustomer, scope: { kind: 'category', category: 'Shop' } });
        expect(all.rows).toMatchObject({ added: 0, removed: 0, changed: 0 });
        expect(await soldRows(test)).toEqual(before);
        await expectProved(test.store);
      });
    });

    it('killed at any moment, it has merged all rows or none', async () => {
      const random = makeRandom(freshSeed());
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 200, 40);
        await runOnce(test.store, [orders]);
        const right = await expectedRows(test.store);
        const position = await positionOf(test.store, 'order_summary');
        for (let round = 0; round < 3; round += 1) {
          const worker = spawnWorker('repair', [test.url]);
          await worker.printed(1 + random.below(8));
          await worker.kill();
          const rows = await actualRows(test);
          const spoiled = rows.filter(({ events }) => events === -1).length;
          expect([0, right.length], `seed ${random.seed}`).toContain(spoiled);
          if (spoiled === 0) expect(rows).toEqual(right);
          expect(await positionOf(test.store, 'order_summary')).toBe(position);
          await repair(test.store, {});
          expect(await actualRows(test)).toEqual(right);
        }
        // The lease of a killed process runs out by itself; the test does not wait for it.
        await test.raw.query('update subscription_checkpoints set lease_expires_at = null, owner = null');
        await placeOrders(test.store, 10, 40, 200);
        await runOnce(test.store, [orders]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await expectProved(test.store);
      });
    });
  });
});
