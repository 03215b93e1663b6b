/** What a swap would change, beside runners and writers, on real stores. */
import { describe, expect, it } from 'vitest';
import type { ColumnType } from '../../src/domain/read-model.js';
import { type DiffOptions, type DiffReport, diffReady } from '../../src/projection/compare/diff.js';
import { defineProjection, defineSqlProjection } from '../../src/projection/define/definition.js';
import { sql, type TableIdentifier } from '../../src/projection/define/sql-tag.js';
import { toInlineProjection } from '../../src/projection/fold/deferred-fold.js';
import { planRebuilds, rebuildPlanned } from '../../src/projection/rebuild/rebuild.js';
import { runProjections } from '../../src/projection/run/run.js';
import { swapReady } from '../../src/projection/swap/swap.js';
import type { Comparison, Store } from '../../src/store/store.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent } from '../support/events.js';
import { type RebuildOptions, rebuildProjection } from '../support/rebuild.js';
import { actualRows, expectedRows, orderSql, orderSummary, placeOrders, prepare, runOnce } from './orders.js';

const first = prepare(orderSummary);
const second = prepare({ ...orderSummary, version: 2 });

function rebuildOptions(store: Store, changes: Partial<RebuildOptions> = {}): RebuildOptions {
  return {
    store,
    projection: second,
    owner: 'host:9',
    mode: 'auto',
    swap: false,
    verify: 'none',
    lockTimeoutMs: 500,
    maxWaitMs: 10_000,
    keepOldMs: 3_600_000,
    signal: new AbortController().signal,
    progress: () => {},
    ...changes,
  };
}

function diff(store: Store, changes: Partial<DiffOptions> = {}): Promise<DiffReport> {
  const signal = new AbortController().signal;
  return diffReady({ store, projection: second, owner: 'host:8', maxWaitMs: 10_000, samples: 10, signal, ...changes });
}

/** Sixty events, run by the first version, and a rebuild of the second that is ready. */
async function prepareShop({ store }: TestStore, projection = second): Promise<void> {
  await placeOrders(store, 60);
  await runOnce(store, [first]);
  await rebuildProjection(rebuildOptions(store, { projection }));
}

/** The store, with something done once the comparison has its snapshot. */
function duringComparison(store: Store, work: () => Promise<unknown>): Store {
  const projections = new Proxy(store.projections, {
    get: (target, name) => {
      const member = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'compareTables') return member.bind(target);
      return async function* (...args: Parameters<typeof target.compareTables>): AsyncGenerator<Comparison> {
        for await (const item of target.compareTables(...args)) {
          yield item;
          if (item.kind === 'position') await work();
        }
      };
    },
  });
  return { ...store, projections, close: () => store.close() };
}

forEachEngine((engine) => {
  describe('diff', () => {
    it('counts rows added, removed and changed, by column, and writes no live row', async () => {
      await withTestStore(engine, async (test) => {
        await prepareShop(test);
        const none = await diff(test.store);
        expect(none).toMatchObject({ projection: 'order_summary', position: 60, differences: 0, faults: [] });
        const rows = (await actualRows(test)).length;
        expect(none.live).toEqual({ version: 1, rows });
        expect(none.rebuilt).toEqual({ version: 2, rows });
        await test.raw.query("delete from order_summary where order_id = 'Order-1'");
        await test.raw.query("insert into order_summary values ('Order-x', 1, 1), ('Order-y', 1, 1)");
        await test.raw.query("update order_summary set total = 7 where order_id in ('Order-6', 'Order-7')");
        await test.raw.query("update order_summary set events = 9 where order_id = 'Order-6'");
        const before = await actualRows(test);
        const found = await diff(test.store, { samples: 1 });
        expect(found).toMatchObject({ position: 60, differences: 5 });
        expect(found.tables).toMatchObject([
          { table: 'order_summary', added: 1, removed: 2, changed: 2, columns: { events: 1, total: 2 } },
        ]);
        const [table] = found.tables;
        expect(table?.samples.added).toEqual([{ order_id: 'Order-1' }]);
        expect(table?.samples.removed).toHaveLength(1);
        expect(table?.samples.changed).toHaveLength(1);
        expect(await actualRows(test)).toEqual(before);
      });
    });

    it('catches up the built table to the live position, not to the head', async () => {
      await withTestStore(engine, async (test) => {
        await prepareShop(test);
        await placeOrders(test.store, 40, 10, 60);
        expect(await diff(test.store)).toMatchObject({ position: 60, differences: 0 });
        await runOnce(test.store, [first]);
        await placeOrders(test.store, 5, 10, 100);
        expect(await diff(test.store)).toMatchObject({ position: 100, differences: 0 });
        await swapReady(rebuildOptions(test.store), second);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('lets the runner continue while rows are compared', async () => {
      await withTestStore(engine, async (test) => {
        await prepareShop(test);
        const stopping = new AbortController();
        const running = runProjections({
          store: await test.open(),
          projections: [first],
          owner: 'host:1',
          once: false,
          ttlMs: 900,
          signal: stopping.signal,
          report: () => {},
        });
        let passed = 0;
        const beside = duringComparison(test.store, async () => {
          await placeOrders(test.store, 30, 10, 60);
          const { safeHead } = await test.store.log.head();
          while (passed < safeHead) {
            const [checkpoint] = await test.store.projections.checkpoints();
            passed = checkpoint?.position ?? 0;
          }
        });
        const found = await diff(beside);
        expect(found).toMatchObject({ differences: 0, position: 60 });
        expect(passed).toBe(90);
        expect(await diff(test.store)).toMatchObject({ differences: 0, position: 90 });
        stopping.abort();
        await running;
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('waits for the runner to pass a rebuild that is ahead, and fails without a runner', async () => {
      await withTestStore(engine, async (test) => {
        await prepareShop(test);
        await placeOrders(test.store, 40, 10, 60);
        await test.store.projections.setCheckpoint('order_summary', 55);
        const error = await errorOf('E_TIMEOUT', diff(test.store, { maxWaitMs: 200 }));
        expect(error).toMatchObject({ exitCode: 7, details: { live: [55], rebuilt: 60 } });
        const abandoned = await errorOf('E_TIMEOUT', diff(test.store));
        expect(abandoned.next).toBe('evstore run order_summary --once');
        await test.store.projections.setCheckpoint('order_summary', 60);
        const waiting = diff(test.store);
        await runOnce(test.store, [first]);
        expect(await waiting).toMatchObject({ differences: 0 });
      });
    });

    it('waits until no row is ahead of the position: of an inline projection, or in parts', async () => {
      await withTestStore(engine, async (test) => {
        const inline = prepare({ ...orderSummary, mode: 'inline' });
        await placeOrders(test.store, 30);
        await runOnce(test.store, [inline]);
        const events = [makeEvent({ data: '{"total":5}' })];
        await test.store.log.append('Order-6', events, 'any', { inline: [toInlineProjection(inline)] });
        await rebuildProjection(rebuildOptions(test.store, { projection: inline }));
        await errorOf('E_SUPERSEDED', diff(test.store, { projection: inline, maxWaitMs: 200 }));
        await runOnce(test.store, [inline]);
        expect(await diff(test.store, { projection: inline })).toMatchObject({ position: 31, differences: 0 });
        await test.store.projections.divide('order_summary', 2);
        expect(await diff(test.store, { projection: inline })).toMatchObject({ position: 31, differences: 0 });
        await test.raw.query(
          "update subscription_checkpoints set last_position = 30 where subscription_id = 'order_summary#2/2'",
        );
        const error = await errorOf('E_TIMEOUT', diff(test.store, { projection: inline, maxWaitMs: 200 }));
        expect(error.details).toMatchObject({ live: [31, 30], rebuilt: 31 });
      });
    });

    it('is not found without a rebuild, and without live rows', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        const missing = await errorOf('E_NOT_FOUND', diff(test.store));
        expect(missing).toMatchObject({ exitCode: 6, next: 'evstore rebuild order_summary --no-swap' });
        await rebuildProjection(rebuildOptions(test.store));
        expect((await errorOf('E_NOT_FOUND', diff(test.store))).next).toBe('evstore swap order_summary');
        await errorOf('E_STALE_PROJECTION', diff(test.store, { projection: prepare({ ...orderSummary, version: 3 }) }));
      });
    });

    it('compares json by its value, and names columns of one side', async () => {
      await withTestStore(engine, async (test) => {
        const columns = { orderId: 'text', doc: 'json', gone: 'text' } as const;
        const before = defineProjection({
          name: 'docs',
          version: 1,
          table: { columns, key: 'orderId' },
          on: { OrderPlaced: (_row, { data }) => ({ doc: { a: data.total, b: [1.5] }, gone: 'x' }) },
        });
        const after = prepare(
          defineProjection({
            name: 'docs',
            version: 2,
            table: { columns: { orderId: 'text', fresh: 'integer', doc: 'json' }, key: 'orderId' },
            on: { OrderPlaced: (_row, { data }) => ({ doc: { b: [1.5], a: data.total }, fresh: 1 }) },
          }),
        );
        await placeOrders(test.store, 10);
        await runOnce(test.store, [prepare(before)]);
        await rebuildProjection(rebuildOptions(test.store, { projection: after }));
        const same = await diff(test.store, { projection: after });
        expect(same.tables).toMatchObject([{ changed: 0, columns: {}, onlyLive: ['gone'], onlyRebuilt: ['fresh'] }]);
        await test.raw.query(`update docs set doc = '{"b":[1.5],"a":-1}' where order_id = 'Order-2'`);
        await test.raw.query(`update docs set doc = null where order_id = 'Order-3'`);
        const found = await diff(test.store, { projection: after });
        expect(found.tables).toMatchObject([{ added: 0, removed: 0, changed: 2, columns: { doc: 2 } }]);
      });
    });

    it('compares a column whose type changed by its value, on both engines alike', async () => {
      await withTestStore(engine, async (test) => {
        const of = (version: number, columns: Record<string, ColumnType>, row: Record<string, unknown>) =>
          prepare({
            kind: 'table',
            name: 'typed',
            version,
            table: { columns: { orderId: 'text', ...columns }, key: 'orderId' },
            on: { OrderPlaced: () => row },
          });
        // Before, after, and whether that is another value.
        const cases: readonly (readonly [ColumnType, unknown, ColumnType, unknown, boolean])[] = [
          ['integer', 1, 'real', 1, false],
          ['integer', 1, 'numeric', '1.0', false],
          ['integer', 1, 'boolean', true, false],
          ['boolean', true, 'integer', 1, false],
          ['boolean', true, 'numeric', '1.00', false],
          ['boolean', true, 'integer', 2, true],
          ['numeric', '1.0', 'numeric', '1.00', false],
          ['numeric', '1.0', 'real', 1, false],
          ['real', 1.5, 'numeric', '1.51', true],
          ['integer', 1, 'text', '1', false],
          ['integer', 1, 'text', '1.0', true],
          ['real', 1, 'text', '1', false],
          ['boolean', true, 'text', 'true', true],
          ['boolean', true, 'text', '1', false],
          ['text', '1.0', 'integer', 1, false],
          ['text', 'one', 'integer', 1, true],
          ['text', 'a', 'json', 'a', true],
          ['text', '{"a":1}', 'json', { a: 1 }, false],
          ['uuid', '550e8400-e29b-41d4-a716-446655440000', 'text', '550e8400-e29b-41d4-a716-446655440000', false],
          ['integer', null, 'text', 'null', true],
        ];
        const column = (index: number) => `c${index}`;
        const side = (type: 0 | 2, value: 1 | 3) =>
          [
            Object.fromEntries(cases.map((each, index) => [column(index), each[type]])),
            Object.fromEntries(cases.map((each, index) => [column(index), each[value]])),
          ] as const;
        await append(test.store, 'Order-1');
        await runOnce(test.store, [of(1, ...side(0, 1))]);
        const projection = of(2, ...side(2, 3));
        await rebuildProjection(rebuildOptions(test.store, { projection }));
        const { tables } = await diff(test.store, { projection });
        const different = cases.flatMap((each, index) => (each[4] ? [[column(index), 1]] : []));
        expect(tables[0]?.columns).toEqual(Object.fromEntries(different));
      });
    });

    it('compares tables of SQL projections, and reports the faults that validate finds', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30);
        await runOnce(test.store, [prepare(orderSql)]);
        const projection = prepare(
          defineSqlProjection({
            ...orderSql,
            version: 2,
            validate: (t) => [sql`select order_id from ${t.order_sql} where total < 0`],
          }),
        );
        await rebuildProjection(rebuildOptions(test.store, { projection }));
        await test.raw.query('update order_sql set total = -5 where total > 20');
        const found = await diff(test.store, { projection });
        expect(found.tables).toMatchObject([
          { table: 'order_sql', added: 0, removed: 0, columns: { total: found.differences } },
        ]);
        expect(found.differences).toBeGreaterThan(0);
        expect(found.faults).toEqual([]);
        const [rebuild] = await test.store.projections.rebuilds();
        await test.raw.query(`update ${rebuild?.tables[0]?.built} set total = -1 where order_id = 'Order-2'`);
        expect((await diff(test.store, { projection })).faults).toEqual([{ order_id: 'Order-2' }]);
      });
    });
  });

  describe('rebuild', () => {
    const full = { swap: true, verify: 'full' } as const;

    it('--verify full swaps when nothing differs, also alongside a writer and a runner', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        await runOnce(test.store, [first]);
        const stopping = new AbortController();
        const running = runProjections({
          store: await test.open(),
          projections: [first],
          owner: 'host:1',
          once: false,
          ttlMs: 900,
          signal: stopping.signal,
          report: () => {},
        });
        const writer = placeOrders(await test.open(), 100, 10, 60);
        const report = await rebuildProjection(
          rebuildOptions(test.store, { ...full, batchSize: 20, projection: first }),
        );
        expect(report).toMatchObject({ outcome: 'swapped', diff: { differences: 0, maxDiff: 0 } });
        expect(report.diff?.position).toBeGreaterThanOrEqual(60);
        expect(report.diff?.position).toBeLessThanOrEqual(report.position);
        expect(report.rows).toEqual({ live: report.diff?.live.rows, rebuilt: report.diff?.rebuilt.rows });
        await writer;
        await runOnce(test.store, [first], { owner: 'host:2' });
        stopping.abort();
        await running;
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('--verify full over the limit keeps the live table, and a new one that is ready', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        await runOnce(test.store, [first]);
        await placeOrders(test.store, 40, 10, 60);
        await test.raw.query("update order_summary set total = 0 where order_id = 'Order-6'");
        await test.raw.query("delete from order_summary where order_id = 'Order-7'");
        const live = await actualRows(test);
        const error = await errorOf('E_CHECK_FAILED', rebuildProjection(rebuildOptions(test.store, full)));
        expect(error).toMatchObject({ exitCode: 1, next: 'evstore diff order_summary' });
        expect(error.details).toMatchObject({ position: 60, differences: 2, maxDiff: 0 });
        expect(error.why).toContain('evstore swap order_summary');
        expect(error.why).toContain('evstore abort order_summary');
        expect(await actualRows(test)).toEqual(live);
        const [rebuild] = await test.store.projections.rebuilds();
        expect(rebuild).toMatchObject({ state: 'ready', position: 60 });
        expect(await diff(test.store)).toMatchObject({ position: 60, differences: 2 });
        await errorOf('E_CHECK_FAILED', rebuildProjection(rebuildOptions(test.store, { ...full, maxDiff: 1 })));
        const done = await rebuildProjection(rebuildOptions(test.store, { ...full, maxDiff: 2 }));
        expect(done).toMatchObject({ outcome: 'swapped', position: 100, diff: { differences: 2, maxDiff: 2 } });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('--verify full has nothing to compare a first table with', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        const report = await rebuildProjection(rebuildOptions(test.store, full));
        expect(report).toMatchObject({ outcome: 'swapped', position: 20, diff: null });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('--no-swap stops at the live position, and so can be compared', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        await runOnce(test.store, [first]);
        await placeOrders(test.store, 40, 10, 60);
        expect(await rebuildProjection(rebuildOptions(test.store))).toMatchObject({ outcome: 'ready', position: 60 });
        expect(await diff(test.store)).toMatchObject({ position: 60, differences: 0 });
      });
    });

    it('several rebuilds in one pass each stop at the position of their live table', async () => {
      await withTestStore(engine, async (test) => {
        const other = prepare({ ...orderSummary, name: 'other' });
        await placeOrders(test.store, 30);
        await runOnce(test.store, [other]);
        await placeOrders(test.store, 30, 10, 30);
        await runOnce(test.store, [first]);
        const planned = await planRebuilds(test.store, [first, other], 'auto');
        const reports = await rebuildPlanned(rebuildOptions(test.store, { verify: 'full' }), planned);
        expect(reports).toMatchObject([
          { outcome: 'ready', position: 60, diff: { position: 60, differences: 0 } },
          { outcome: 'ready', position: 30, diff: { position: 30, differences: 0 } },
        ]);
      });
    });

    it('faults that validate finds refuse the swap', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        await runOnce(test.store, [first]);
        const live = await actualRows(test);
        const validate = (table: TableIdentifier) =>
          sql`select order_id, total from ${table} where order_id in (${'Order-6'}, ${'Order-7'})`;
        const projection = prepare({ ...orderSummary, version: 2, validate });
        const options = rebuildOptions(test.store, { projection, swap: true, verify: 'count' });
        const error = await errorOf('E_CHECK_FAILED', rebuildProjection(options));
        expect(error.why).toContain('"order_id":"Order-6"');
        expect(error.details.faults).toHaveLength(2);
        await errorOf('E_CHECK_FAILED', swapReady(options, projection));
        expect(await actualRows(test)).toEqual(live);
        expect(await test.store.projections.rebuilds()).toMatchObject([{ state: 'ready' }]);
        const erase = (table: TableIdentifier) => sql`delete from ${table}`;
        const writing = prepare({ ...orderSummary, version: 2, validate: erase });
        await errorOf('E_HANDLER', swapReady(options, writing));
        const broken = prepare({ ...orderSummary, version: 2, validate: () => 'select 1' as never });
        expect((await errorOf('E_HANDLER', swapReady(options, broken))).why).toContain('select 1');
        // No row depends on it: the same code without it, or with another one, is the same code.
        expect(await swapReady(options, second)).toMatchObject({ state: 'swapped' });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });
  });
});
