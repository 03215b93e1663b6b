/** What commands do when they know that the functions of a projection changed, and when they cannot tell. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { type Shop, withShop } from './shop.js';

let files = 0;

/** Writes the projection in JavaScript, in a new file: Node.js loads each file once. */
function writeJavaScript({ cwd }: Shop, add: number, more = ''): void {
  const folder = join(cwd, 'projections');
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  files += 1;
  writeFileSync(
    join(folder, `orders-${files}.mjs`),
    `const sum = (a, b) => a + b + ${add};
export default { name: 'order_summary', version: 1, ${more} category: 'Order',
  table: { columns: { orderId: 'text', total: 'bigint' }, key: 'orderId' },
  on: { OrderPlaced: (row, { data }) => ({ total: sum(row?.total ?? 0, data.total) }) } };\n`,
  );
}

forEachEngine((engine) => {
  test('JavaScript that differs may be the work of a compiler: commands say that they cannot tell', () =>
    withShop(engine, async (shop) => {
      const { test, evstore, report } = shop;
      const item = async () => (await report('projections')).projections[0];
      await placeOrders(test.store, 5);
      writeJavaScript(shop, 0);
      await evstore('run', '--once');
      expect(await item()).toMatchObject({ state: 'current', unverified: null });
      writeJavaScript(shop, 0);
      expect(await item()).toMatchObject({ state: 'current' });
      await evstore('rebuild', 'order_summary', '--no-swap');
      writeJavaScript(shop, 1);

      expect(await item()).toMatchObject({ state: 'unverified', unverified: expect.stringContaining('a compiler') });
      const ran = await evstore('run', '--once');
      expect(ran).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('unknown: it differs, but it is JavaScript'),
      });
      expect(ran.stderr).not.toContain('warning');
      const repaired = await evstore('repair', 'order_summary', '--stream', 'Order-1');
      expect(repaired.code).toBe(2);
      expect(repaired.stderr).toContain('this code may not have made the live rows of order_summary');
      for (const [command, code] of [
        ['rebuild', 5],
        ['swap', 2],
      ] as const) {
        const refused = await evstore(command, 'order_summary', '--yes');
        expect(refused).toMatchObject({ code, stderr: expect.stringContaining('this code may not have') });
        expect(refused.stderr).toContain('next: evstore rebuild order_summary --restart');
      }

      await evstore('rebuild', 'order_summary', '--restart', '--yes');
      expect(await item()).toMatchObject({ state: 'current' });
      const asked = await evstore('rollback', 'order_summary');
      expect(asked.stderr).toContain('The loaded code of version 1 of order_summary may not be the code that made');
      expect(await report('rollback', 'order_summary', '--yes')).toMatchObject({ caughtUp: false });
      expect(await item()).toMatchObject({ state: 'unverified' });
    }));

  test('a codeHash decides in place of the source', () =>
    withShop(engine, async (shop) => {
      const { evstore, report } = shop;
      const state = async () => (await report('projections')).projections[0].state;
      writeJavaScript(shop, 0, "codeHash: 'a',");
      await evstore('run', '--once');
      writeJavaScript(shop, 1, "codeHash: 'a',");
      expect(await state()).toBe('current');
      writeJavaScript(shop, 1, "codeHash: 'b',");
      expect(await state()).toBe('stale code');
      expect((await evstore('run', '--once')).stderr).toContain('the code changed under the same version');
      writeJavaScript(shop, 2);
      expect(await state()).toBe('unverified');
    }));
});
