import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actualRows, expectedRows, orderSummary, placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { checkpointOf, takeLease } from '../support/read-models.js';
import { type Shop, withShop } from './shop.js';

/** The projection of the shop under another name; its table is called as said, or as the projection. */
function writeAs({ cwd }: Shop, name: string, table?: string): void {
  for (const file of readdirSync(join(cwd, 'projections'))) rmSync(join(cwd, 'projections', file));
  const { category, on, table: shape } = orderSummary;
  const definition = { name, version: 1, category, table: { ...shape, ...(table !== undefined && { name: table }) } };
  const source = `export default ${JSON.stringify(definition).slice(0, -1)}, on: { OrderPlaced: ${on.OrderPlaced}, OrderRemoved: () => null } };`;
  writeFileSync(join(cwd, 'projections/renamed.ts'), source);
}

async function startShop(shop: Shop): Promise<void> {
  await placeOrders(shop.test.store, 10);
  await shop.evstore('run', '--once');
}

forEachEngine((engine) => {
  test('forget: nothing of the projection is left, and its tables are kept or dropped', () =>
    withShop(engine, async (shop) => {
      const { test, evstore, report } = shop;
      const { projections } = test.store;
      await startShop(shop);
      await evstore('rebuild', 'order_summary');
      writeAs(shop, 'another');
      expect((await report('projections')).projections).toMatchObject([
        { name: 'another', state: 'new' },
        { name: 'order_summary', state: 'detached' },
      ]);
      const listed = await evstore('projections');
      expect(listed.stderr).toContain('evstore projections forget order_summary');
      expect(listed.stderr).toContain('evstore projections rename order_summary another');

      const unsure = await evstore('projections', 'forget', 'order_summary');
      expect(unsure.code).toBe(8);
      expect(unsure.stderr).toContain('Use --keep-tables or --drop-tables');
      const tables = ['order_summary', 'order_summary__old_1'];
      expect(await report('projections', 'forget', 'order_summary', '--drop-tables', '--dry-run')).toMatchObject({
        dryRun: true,
        dropped: tables,
      });
      expect(await projections.list()).toHaveLength(1);

      expect(await report('projections', 'forget', 'order_summary', '--keep-tables')).toMatchObject({ kept: tables });
      for (const list of [projections.list(), projections.checkpoints(), projections.cursors(), projections.parked()]) {
        expect(await list).toEqual([]);
      }
      expect((await projections.rebuilds()).map(({ state }) => state)).toEqual(['retired']);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      expect((await evstore('projections', 'forget', 'order_summary', '--keep-tables')).code).toBe(6);
      expect((await evstore('lag')).stderr).toContain('no projection has run');
    }));

  test('forget --drop-tables drops them, and the name can be used again', () =>
    withShop(engine, async (shop) => {
      const { test, evstore, report } = shop;
      await startShop(shop);
      await evstore('rebuild', 'order_summary');
      await test.raw.query('create view of_mine as select * from order_summary');
      const refused = await evstore('projections', 'forget', 'order_summary', '--drop-tables');
      expect(refused.code).toBe(10);
      expect(refused.stderr).toContain('of_mine');
      await test.raw.query('drop view of_mine');
      await report('projections', 'forget', 'order_summary', '--drop-tables');
      const taken = await test.store.projections.findTaken(['order_summary', 'order_summary__old_1']);
      expect(taken).toEqual([]);
      expect((await evstore('run', '--once')).code).toBe(0);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    }));

  test('on a terminal forget asks what to do with the tables', () =>
    withShop(engine, async (shop) => {
      const { test, evstoreWith } = shop;
      await startShop(shop);
      const forget = (answer: string) => evstoreWith({ tty: true, answer }, 'projections', 'forget', 'order_summary');
      expect((await forget('')).code).toBe(8);
      expect((await forget('y')).code).toBe(8);
      expect(await test.store.projections.list()).toHaveLength(1);
      expect((await forget('drop')).code).toBe(0);
      expect(await test.store.projections.findTaken(['order_summary'])).toEqual([]);
    }));

  test('forget and rename are refused while a process runs it, and while a rebuild is unfinished', () =>
    withShop(engine, async (shop) => {
      const { test, evstore } = shop;
      await startShop(shop);
      writeAs(shop, 'another', 'order_summary');
      const lease = await takeLease(test.store, checkpointOf('order_summary'), { owner: 'other:7', ttlMs: 60_000 });
      const attempts = [
        ['forget', 'order_summary', '--keep-tables'],
        ['rename', 'order_summary', 'another'],
      ];
      for (const attempt of attempts) {
        const refused = await evstore('projections', ...attempt);
        expect(refused.code).toBe(5);
        expect(refused.stderr).toContain('other:7 is running order_summary');
      }
      await test.store.projections.releaseLease(lease);
      shop.writeProjection();
      rmSync(join(shop.cwd, 'projections/renamed.ts'));
      await evstore('rebuild', 'order_summary', '--no-swap');
      writeAs(shop, 'another', 'order_summary');
      for (const attempt of attempts) {
        const refused = await evstore('projections', ...attempt);
        expect(refused.code).toBe(5);
        expect(refused.stderr).toContain('next: evstore abort order_summary');
      }
      expect((await evstore('abort', 'order_summary', '--yes')).code).toBe(0);
      for (const attempt of attempts.reverse()) {
        const done = await evstore(
          'projections',
          ...attempt.map((word) => (attempt[0] === 'forget' ? word.replace('order_summary', 'another') : word)),
        );
        expect(done).toMatchObject({ code: 0 });
      }
    }));

  test.each(['order_summary', undefined])(
    'rename: rows, position, parts, parked events and the way back stay; the table in the code is %s',
    (table) =>
      withShop(engine, async (shop) => {
        const { test, evstore, report } = shop;
        const { projections } = test.store;
        await startShop(shop);
        await evstore('rebuild', 'order_summary');
        await test.raw.query('create view of_mine as select * from order_summary');
        writeAs(shop, 'orders_by_id', table);
        const live = table ?? 'orders_by_id';
        if (table !== undefined) {
          const early = await evstore('run', '--once');
          expect(early.stderr).toContain('table order_summary belongs to the projection order_summary');
          expect(early.stderr).toContain('next: evstore projections rename order_summary orders_by_id');
        }
        const dry = await report('projections', 'rename', 'order_summary', 'orders_by_id', '--dry-run');
        expect(dry).toMatchObject({
          dryRun: true,
          tables: table === undefined ? { order_summary: 'orders_by_id' } : {},
        });
        await report('projections', 'rename', 'order_summary', 'orders_by_id');
        expect((await report('projections')).projections).toMatchObject([
          { name: 'orders_by_id', version: 1, position: 10, tables: [live], kept: [1] },
        ]);
        await placeOrders(test.store, 5, 5, 10);
        expect((await evstore('run', '--once')).code).toBe(0);
        const rows = await test.raw.query(`select * from ${live}`);
        expect(rows).toHaveLength((await expectedRows(test.store)).length);
        expect(await test.raw.query('select * from of_mine')).toHaveLength(rows.length);
        expect((await evstore('verify')).stdout).not.toContain('error');

        expect((await evstore('rollback', 'orders_by_id', '--yes')).code).toBe(0);
        expect((await evstore('swap', 'orders_by_id')).code).toBe(0);
        for (const _ of [1, 2]) expect((await evstore('rebuild', 'orders_by_id')).code).toBe(0);
        expect((await evstore('gc', '--now', '--yes')).code).toBe(0);
        expect(await test.raw.query('select * from of_mine')).toHaveLength(rows.length);
        expect(await projections.list()).toMatchObject([{ name: 'orders_by_id', tables: [live] }]);
      }),
  );

  test('rename takes the checkpoints of parts and the parked events along', () =>
    withShop(engine, async (shop) => {
      const { test, evstore, writeProjection } = shop;
      const { projections } = test.store;
      writeProjection(1, "() => { throw new Error('no') }");
      await placeOrders(test.store, 10);
      await evstore('run', '--once', '--on-error', 'park');
      const parked = await projections.parked();
      expect(parked.length).toBeGreaterThan(0);
      await projections.divide('order_summary', 3);
      writeAs(shop, 'renamed');
      expect((await evstore('projections', 'rename', 'order_summary', 'renamed')).code).toBe(0);
      const ids = (await projections.checkpoints()).map(({ subscriptionId }) => subscriptionId);
      expect(ids).toEqual(['renamed#1/3', 'renamed#2/3', 'renamed#3/3']);
      expect(await projections.parked({ projection: 'renamed' })).toHaveLength(parked.length);
      expect(await projections.parked({ projection: 'order_summary' })).toEqual([]);
    }));

  test('rename is refused when the code does not fit', () =>
    withShop(engine, async (shop) => {
      const { test, evstore } = shop;
      await startShop(shop);
      expect((await evstore('projections', 'rename', 'order_summary', 'unknown')).code).toBe(6);
      writeAs(shop, 'taken');
      await test.raw.query('create table taken (mine integer)');
      const foreign = await evstore('projections', 'rename', 'order_summary', 'taken');
      expect(foreign.code).toBe(2);
      expect(foreign.stderr).toContain('the projection taken needs the name taken, which something else has');
      await test.raw.query('drop table taken');
      await evstore('run', '--once');
      const twice = await evstore('projections', 'rename', 'order_summary', 'taken');
      expect(twice.code).toBe(2);
      expect(twice.stderr).toContain('there is a projection taken already');
      shop.writeProjection();
      const still = await evstore('projections', 'rename', 'order_summary', 'taken');
      expect(still.stderr).toContain('order-summary.ts still defines order_summary');
      expect(await test.store.projections.list()).toHaveLength(2);
    }));

  test('lag and checkpoints tell a projection without code from one that is behind', () =>
    withShop(engine, async (shop) => {
      const { evstore, report } = shop;
      await startShop(shop);
      expect((await report('lag', '--projections', 'projections/*.ts')).projections).toMatchObject([
        { status: 'idle' },
      ]);
      const behind = await evstore('checkpoints', 'reset', 'order_summary');
      expect(behind.stderr).toContain('rebuild them: evstore rebuild order_summary');
      writeAs(shop, 'another');
      const lag = await evstore('lag', '--projections', 'projections/*.ts');
      expect(lag.stdout).toContain('detached');
      expect(lag.stderr).toContain('remove it with: evstore projections forget order_summary');
      const detached = await evstore('checkpoints', 'reset', 'order_summary');
      expect(detached.stderr).toContain('remove it: evstore projections forget order_summary');
      expect(detached.stderr).not.toContain('evstore rebuild');
    }));
});
