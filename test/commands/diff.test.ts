import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actualRows, expectedRows, placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { withShop } from './shop.js';

forEachEngine((engine) => {
  test('diff: exit 6, 0 and 1, as text, as JSON, as a number', () =>
    withShop(engine, async ({ test, evstore, evstoreWith, report, writeProjection }) => {
      await placeOrders(test.store, 30);
      await evstore('run', '--once');
      const missing = await evstore('diff', 'order_summary');
      expect(missing.code).toBe(6);
      expect(missing.stderr).toContain('next: evstore rebuild order_summary --no-swap');
      writeProjection(2);
      await evstore('rebuild', 'order_summary', '--no-swap');

      const before = await test.store.projections.rebuilds();
      expect(await report('diff', 'order_summary', '--dry-run')).toEqual({
        dryRun: true,
        projection: 'order_summary',
        rebuild: 1,
        version: 2,
        position: 30,
        livePosition: 30,
      });
      const planned = await evstore('diff', 'order_summary', '--dry-run');
      expect(planned.stdout).toContain('would compare rebuild 1, which is at position 30');
      expect(await test.store.projections.rebuilds()).toEqual(before);

      const same = await report('diff', 'order_summary');
      expect(same).toMatchObject({ projection: 'order_summary', position: 30, differences: 0, maxDiff: 0, faults: [] });
      expect((await evstore('diff', 'order_summary')).stdout).toContain('no differences');
      const line = await evstore('diff', 'order_summary', '-o', 'ndjson');
      expect(JSON.parse(line.stdout)).toEqual(same);
      expect((await evstore('projections')).stderr).toContain('swap it in with: evstore swap order_summary');

      await test.raw.query("delete from order_summary where order_id = 'Order-6'");
      await test.raw.query("insert into order_summary values ('Order-\u001b[2J', 1, 1)");
      await test.raw.query("update order_summary set total = -1 where order_id = 'Order-7'");
      const { code, stdout, stderr } = await evstore('diff', 'order_summary');
      expect(code).toBe(1);
      expect(stdout).toContain('order_summary at position 30: live version 1, rebuilt version 2');
      expect(stdout).toContain('+ order_id="Order-6"');
      expect(stdout).toContain('- order_id="Order-\\u001b[2J"');
      expect(stdout).toContain('~ order_id="Order-7"\n  - total: -1\n  + total: ');
      expect(stdout).toContain('total differs in 1 row');
      expect(stdout).not.toContain('\u001b');
      expect(stdout.endsWith('\n3 differences\n')).toBe(true);
      expect(stderr).toContain('evstore swap order_summary');
      const coloured = await evstoreWith({ tty: true }, 'diff', 'order_summary', '--samples', '0');
      expect(coloured.stdout).toContain('… 1 more removed');
      expect(coloured.stdout).not.toContain('Order-6');

      const json = await evstore('diff', 'order_summary', '--json', '--samples', '1');
      expect(json.code).toBe(1);
      expect(JSON.parse(json.stdout)).toMatchObject({
        position: 30,
        live: { version: 1 },
        rebuilt: { version: 2 },
        differences: 3,
        maxDiff: 0,
        tables: [
          {
            table: 'order_summary',
            added: 1,
            removed: 1,
            changed: 1,
            columns: { total: 1 },
            onlyLive: [],
            onlyRebuilt: [],
            samples: { added: [{ order_id: 'Order-6' }], changed: [{ columns: { total: { live: -1 } } }] },
          },
        ],
      });
      expect(await evstore('diff', 'order_summary', '-q', '--max-diff', '2')).toMatchObject({ code: 1, stdout: '3\n' });
      expect(await evstore('diff', 'order_summary', '-q', '--max-diff', '3')).toMatchObject({ code: 0, stdout: '3\n' });
      expect((await evstore('swap', 'order_summary')).code).toBe(0);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    }));

  test('samples of a diff are the first by their keys, and a swap names the deadline of its way back', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 300, 100);
      await evstore('run', '--once');
      await evstore('rebuild', 'order_summary', '--no-swap');
      await test.raw.query('update order_summary set total = -1');
      const { stdout } = await evstore('diff', 'order_summary', '--json', '--samples', '4');
      const { changed } = JSON.parse(stdout).tables[0].samples;
      const live = await test.raw.query('select order_id from order_summary');
      const first = live
        .map(({ order_id }) => String(order_id))
        .sort()
        .slice(0, 4);
      expect(changed.map(({ key }: { key: { order_id: string } }) => key.order_id)).toEqual(first);
      const swapped = await evstore('swap', 'order_summary');
      expect(swapped.stderr).toMatch(/undo it until 20[^ ]*T[^ ]*\.\d{3}Z with: evstore rollback order_summary/);
      await report('rebuild', 'order_summary');
      const again = await evstore('rebuild', 'order_summary');
      expect(again.stderr).toMatch(/undo it until 20[^ ]*T[^ ]*\.\d{3}Z with: evstore rollback order_summary/);
    }));

  test('diff groups equal changes with an example, and counts the rows of columns that went or came', () =>
    withShop(engine, async ({ test, cwd, evstore, report }) => {
      const write = (version: number, columns: string, row: string) =>
        writeFileSync(
          join(cwd, 'projections/order-summary.ts'),
          `export default { name: 'order_summary', version: ${version}, on: { OrderPlaced: (_row, { data }) => (${row}) },
            table: { columns: { orderId: 'text', ${columns} }, key: 'orderId' } };`,
        );
      write(1, "status: 'text', lastAt: 'text'", "{ status: 'placed', lastAt: 'x' }");
      await placeOrders(test.store, 44, 44);
      await evstore('run', '--once');
      write(2, "status: 'text', note: 'text'", "{ status: 'PLACED', note: 'y' }");
      await evstore('rebuild', 'order_summary', '--no-swap');
      await test.raw.query("update order_summary set status = 'lost' where order_id = 'Order-7'");
      const { stdout } = await evstore('diff', 'order_summary');
      expect(stdout).toMatch(/^ {4}status "placed" → "PLACED" {2}39 rows {2}e\.g\. Order-0, …$/m);
      expect(stdout).toMatch(/^ {2}last_at dropped {2}40 rows$/m);
      expect(stdout).toMatch(/^ {2}note added {2}40 rows$/m);
      expect(stdout.match(/"placed"/g)).toHaveLength(1);
      expect(stdout).toMatch(/^~ … (39|40) more changed, with those of the groups above$/m);
      expect(
        (await report('diff', 'order_summary', '--max-diff', '2000', '--allow-column-changes')).tables[0].changes,
      ).toEqual([{ column: 'status', live: 'placed', rebuilt: 'PLACED', rows: 39, example: { order_id: 'Order-0' } }]);
    }));

  test('diff, rebuild --verify full: columns that only one table has are a change, unless allowed', () =>
    withShop(engine, async ({ test, cwd, evstore, report }) => {
      const write = (version: number, columns: string, handler: string) =>
        writeFileSync(
          join(cwd, 'projections/order-summary.ts'),
          `export default { name: 'order_summary', version: ${version}, on: { OrderPlaced: ${handler} },
            table: { columns: { orderId: 'text', ${columns} }, key: 'orderId' } };`,
        );
      write(1, "total: 'bigint'", '(_row, { data }) => ({ total: data.total })');
      await placeOrders(test.store, 5);
      await evstore('run', '--once');
      const changes = [
        ["total: 'bigint', note: 'text'", '(_row, { data }) => ({ total: data.total })', '1 column added'],
        ["sum: 'bigint'", '(_row, { data }) => ({ sum: data.total })', '1 column added, 1 column removed'],
        ["note: 'text'", '() => ({})', '1 column added, 1 column removed'],
      ] as const;
      for (const [index, [columns, handler, what]] of changes.entries()) {
        write(2 + index, columns, handler);
        const refused = await evstore('rebuild', 'order_summary', '--restart', '--verify', 'full', '--max-diff', '100');
        expect(refused.code).toBe(1);
        expect(refused.stderr).toContain('--allow-column-changes');
        const shown = await evstore('diff', 'order_summary', '--max-diff', '100');
        expect(shown.code).toBe(1);
        expect(shown.stdout).toContain(what);
        expect(shown.stdout).not.toContain('no differences\n');
        expect((await evstore('diff', 'order_summary', '--allow-column-changes')).code).toBe(0);
        expect(await report('diff', 'order_summary', '--allow-column-changes')).toMatchObject({ differences: 0 });
      }
      const flags = ['--restart', '--verify', 'full', '--allow-column-changes', '--json'];
      const swapped = JSON.parse((await evstore('rebuild', 'order_summary', ...flags)).stdout);
      expect(swapped).toMatchObject({
        ok: true,
        rebuilds: [{ diff: { columnChanges: 2, tables: [{ onlyLive: ['total'], onlyRebuilt: ['note'] }] } }],
      });
    }));
});
