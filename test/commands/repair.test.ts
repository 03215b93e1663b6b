/** `evstore repair`, on a shop. */
import { expect, test } from 'vitest';
import { actualRows, expectedRows, placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { tamper } from '../support/tamper.js';
import { withShop } from './shop.js';

test('repairs the rows of a stream, of a category or by key; prints text, JSON or a number', () =>
  withShop('sqlite', async ({ test, evstore, report }) => {
    await placeOrders(test.store, 30);
    expect((await evstore('repair', 'order_summary', '--stream', 'Order-6')).code).toBe(6);
    await evstore('run', '--once');
    await test.raw.query("update order_summary set total = -1 where order_id in ('Order-6', 'Order-7')");
    await test.raw.query("insert into order_summary values ('Order-x', 1, 1)");
    const dry = await evstore('repair', 'order_summary', '--stream', 'Order-6', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain('~ order_id="Order-6"\n  - total: -1\n  + total: ');
    expect(dry.stdout).toContain('1 row would be written: 0 added, 0 removed, 1 changed');
    expect(await report('repair', 'order_summary', '--stream', 'Order-6')).toMatchObject({
      projection: 'order_summary',
      dryRun: false,
      position: 30,
      keys: 1,
      rows: { table: 'order_summary', changed: 1, columns: { total: 1 } },
    });
    const byKey = await evstore('repair', 'order_summary', '--key', 'Order-x', '--key', 'Order-7', '-q');
    expect(byKey).toMatchObject({ code: 0, stdout: '2\n' });
    expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    const category = await evstore('repair', 'order_summary', '--category', 'Order');
    expect(category.stdout).toContain('no row was wrong');
    expect(await test.store.projections.rebuilds()).toEqual([]);
    const mistyped = await evstore('repair', 'order_summary', '--key', 'Order-none');
    expect(mistyped).toMatchObject({ code: 6, stderr: expect.stringContaining('has no such row') });
    for (const other of [['--category', 'Order'], ['--key', 'Order-7'], ['another'], ['--no-swap']]) {
      expect((await evstore('repair', 'order_summary', '--stream', 'Order-6', ...other)).code).toBe(2);
    }
    const unnamed = await evstore('repair', 'order_summary');
    expect(unnamed.code).toBe(2);
    expect(unnamed.stderr).toContain('Give --stream, --category or --key.');
    expect((await evstore('rebuild', 'order_summary', '--stream', 'Order-6')).code).toBe(2);
  }));

forEachEngine((engine) => {
  test('a stream whose events are gone: its row is removed, by stream or by category, and verify leads to the end', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 10);
      await evstore('run', '--once');
      await tamper(test, "delete from events where stream_id in ('Order-1', 'Order-2', 'Order-3')");
      const dry = await evstore('repair', 'order_summary', '--stream', 'Order-1', '--dry-run');
      expect(dry.code).toBe(0);
      expect(dry.stdout).toContain('- order_id="Order-1"');
      expect(dry.stdout).toContain('1 row would be written: 0 added, 1 removed, 0 changed');
      expect(dry.stderr).toContain('count from the start with: evstore rebuild order_summary');
      const verdict = async () => (await evstore('verify')).stdout;
      expect(await verdict()).toContain('vanished-events');

      expect(await report('repair', 'order_summary', '--stream', 'Order-1')).toMatchObject({
        events: 0,
        rows: { removed: 1 },
        auditEnded: true,
      });
      expect(await verdict()).not.toContain('vanished-events');
      expect(await report('repair', 'order_summary', '--category', 'Order')).toMatchObject({ rows: { removed: 2 } });
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      expect((await evstore('repair', 'order_summary', '--stream', 'Order-1')).code).toBe(6);
      await placeOrders(test.store, 5, 5, 10);
      await evstore('run', '--once');
      expect(await verdict()).not.toContain('error');
      expect((await test.store.projections.cursors())[0]?.audit).toMatchObject({ after: 10, events: 5 });
    }));

  test('verify: after a rebuild the old table still counts vanished events, and gc ends that', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 30);
      await evstore('run', '--once');
      await tamper(test, "delete from events where stream_id = 'Order-1'");
      await evstore('rebuild', 'order_summary');
      const { stdout } = await evstore('verify');
      expect(stdout).toMatch(/vanished-events\trebuild 1 of order_summary\t.*\tevstore gc --now/);
      await evstore('gc', '--now', '--yes');
      expect((await evstore('verify')).stdout).not.toContain('error');
    }));
});
