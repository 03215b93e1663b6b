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

  test('a projection that stopped is as bad as lag says it is, whatever the code is', () =>
    withShop(engine, async ({ test, evstore, evstoreWith, report, writeProjection }) => {
      writeProjection(1, "() => { throw new Error('no tariff'); }");
      await placeOrders(test.store, 3);
      const run = await evstore('run', '--once');
      expect(run).toMatchObject({ code: 9, stderr: expect.stringMatching(/order-summary\.ts:1\).*no tariff/) });
      expect(run.stderr).toMatch(/next: evstore run --once .*--on-error park/);
      const failed = await evstoreWith({ tty: true }, 'projections', '--color', 'never');
      expect(failed.stdout).toMatch(/✗ order_summary +failed .*\n +.*no tariff/);
      expect(failed.stderr).toContain('order_summary stopped at position 0 of 3');
      expect(failed.stderr).toMatch(/next: evstore run order_summary .*--once --on-error park/);
      expect((await report('projections')).projections).toMatchObject([
        { state: 'failed', error: expect.stringContaining('no tariff') },
      ]);
      writeProjection(2, "() => { throw new Error('no tariff'); }");
      const stale = await evstoreWith({ tty: true }, 'projections', '--color', 'never');
      expect(stale.stdout).toMatch(/✗ order_summary +stale .*\n +.*no tariff/);
      expect(stale.stderr).toContain('evstore rebuild order_summary');
      expect(stale.stderr).not.toContain('--on-error park');
      const rebuilt = await evstore('rebuild', 'order_summary');
      expect(rebuilt).toMatchObject({ code: 9, stderr: expect.stringContaining('Correct the code') });
      expect(rebuilt.stderr).toMatch(/next: evstore rebuild order_summary .*--on-error park/);
      expect(await evstore('rebuild', 'order_summary', '--on-error', 'park')).toMatchObject({ code: 0 });
    }));

  test('a checkpoint that was moved by hand marks its rows as wrong', () =>
    withShop(engine, async ({ test, evstore, evstoreWith, report }) => {
      await placeOrders(test.store, 3);
      await evstore('run', '--once');
      await evstore('checkpoints', 'reset', 'order_summary', '--execute');
      const listed = await evstoreWith({ tty: true }, 'projections', '--color', 'never');
      expect(listed.stdout).toContain('! order_summary');
      expect(listed.stderr).toMatch(/was moved from position 3 to .*\n.*next: evstore rebuild order_summary/);
      expect((await report('projections')).findings).toMatchObject([{ kind: 'moved-by-hand' }]);
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
      stdout: 'name\tstate\tversion\tcode\tposition\trows\tkept\trebuild\tfile\tparked\terror\testimated\n',
    });
    expect(stderr).toContain('evstore scaffold projection NAME');
  }));
