import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { withShop } from './shop.js';

forEachEngine((engine) => {
  test('new, current, unfinished, detached', () =>
    withShop(engine, async ({ test, evstore, report, cwd }) => {
      const item = async () => (await report('projections')).projections[0];
      expect(await item()).toMatchObject({
        name: 'order_summary',
        state: 'new',
        version: null,
        codeVersion: 1,
        position: null,
      });
      expect((await evstore('projections')).stderr).toContain('create its table with: evstore run order_summary');
      await placeOrders(test.store, 5);
      await evstore('run', '--once');
      expect(await item()).toMatchObject({ state: 'current', version: 1, position: 5, kept: [], rebuild: null });
      await evstore('rebuild', 'order_summary', '--no-swap');
      expect(await item()).toMatchObject({ rebuild: { state: 'ready', version: 1, position: 5 } });
      rmSync(`${cwd}/projections`, { recursive: true });
      expect(await item()).toMatchObject({ state: 'detached', version: 1, codeVersion: null, file: null });
    }));
});

test('people get a table, with files relative to the working directory', () =>
  withShop('sqlite', async ({ evstoreWith }) => {
    const { code, stdout } = await evstoreWith({ tty: true }, 'projections', '--color', 'never');
    expect(code).toBe(0);
    expect(stdout).toMatch(/order_summary +new +- +1 +- +- +- +- +projections\/order-summary\.ts/);
  }));

test('an empty store without code: exit 0', () =>
  withShop('sqlite', async ({ evstore }) => {
    const { code, stdout, stderr } = await evstore('projections', '--projections', 'nowhere/**');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'name\tstate\tversion\tcode\tposition\trows\tkept\trebuild\tfile\tparked\terror\n',
    });
    expect(stderr).toContain('evstore scaffold projection NAME');
  }));
