import { expect, test } from 'vitest';
import { Stop } from '../../src/terminal/signals.js';
import { actualRows, expectedRows, placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { positionOf } from '../support/read-models.js';
import { until } from '../support/wait.js';
import { withShop } from './shop.js';

forEachEngine((engine) => {
  test('--once goes to the head, and says so', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 40);
      // The first to load a file in this process loads compilers and parsers, which may take long under other load.
      await evstore('projections');
      const { code, stdout, stderr } = await evstore('run', '--once');
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'order_summary: at position 40, 40 events applied\n' });
      expect(stderr, 'loading a file takes a moment and is not news').toBe('order_summary: running from position 0\n');
      expect((await evstore('run', '--once', '--debug')).stderr).toContain('loading projections/order-summary.ts');
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      expect(await report('run', 'order_summary', '--once')).toEqual({
        dryRun: false,
        projections: [
          { name: 'order_summary', version: 1, position: 40, events: 0, aside: 0, error: null, stopped: null },
        ],
        sagas: [],
        reactions: [],
      });
      expect(await evstore('run', '--once', '-q')).toEqual({ code: 0, stdout: '40\n', stderr: '' });
    }));

  test('it follows until it is told to stop, and ends as the signal says', () =>
    withShop(engine, async ({ test, evstoreWith }) => {
      await placeOrders(test.store, 10);
      const stopping = new AbortController();
      const running = evstoreWith({ signal: stopping.signal }, 'run');
      await placeOrders(test.store, 10, 10, 10);
      await until(async () => (await positionOf(test.store, 'order_summary')) === 20);
      stopping.abort(new Stop('SIGTERM'));
      expect((await running).code).toBe(143);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      expect((await test.store.projections.checkpoints())[0]?.owner).toBeNull();
    }));

  test('a run that parked events says how many, and which command lists them', () =>
    withShop(engine, async ({ test, evstore, writeProjection }) => {
      writeProjection(1, "() => { throw new Error('no tariff'); }");
      await placeOrders(test.store, 8);
      const { code, stderr } = await evstore('run', '--once', '--on-error', 'park');
      expect(code).toBe(0);
      expect(stderr).toMatch(/order_summary: 8 events parked, .*\n {2}next: evstore parked list order_summary/);
    }));

  test('a handler that throws is exit 9, with the event and the line', () =>
    withShop(engine, async ({ test, evstore, writeProjection }) => {
      writeProjection(
        1,
        `(row, { data }) => {\n  if (data.total === 7) throw new TypeError('seven');\n  return {};\n}`,
      );
      await placeOrders(test.store, 20);
      const { code, stdout, stderr } = await evstore('run', '--once');
      expect(code).toBe(9);
      expect(stdout).toBe('order_summary: at position 7, 7 events applied, stopped\n');
      expect(stderr).toMatch(/^error: projection order_summary failed on OrderPlaced at position 8 \(E_HANDLER\)$/m);
      expect(stderr).toMatch(/order-summary\.ts:2\): TypeError: seven\. The event is version 1 of Order-7\.$/m);
      expect(stderr).toMatch(
        /^ {2}Look at the event: evstore read Order-7 --from-version 1 --to-version 1 --store \S+$/m,
      );
      const lag = await evstore('lag', '--json');
      expect(JSON.parse(lag.stdout).projections).toMatchObject([{ status: 'failed', position: 7, lag: 13 }]);
    }));

  test('another version in the database is exit 2, and names the rebuild', () =>
    withShop(engine, async ({ test, evstore, writeProjection }) => {
      await placeOrders(test.store, 5);
      await evstore('run', '--once');
      writeProjection(2);
      const { code, stderr } = await evstore('run', '--once');
      expect(code).toBe(2);
      expect(stderr).toContain('(E_STALE_PROJECTION)');
      expect(stderr).toContain('next: evstore rebuild order_summary');
    }));

  test('changed code under the same version is a warning', () =>
    withShop(engine, async ({ evstore, writeProjection }) => {
      await evstore('run', '--once');
      writeProjection(1, '() => null');
      const { code, stderr } = await evstore('run', '--once');
      expect(code).toBe(0);
      expect(stderr).toContain('warning: order_summary: the code changed under the same version');
      expect((await evstore('projections')).stdout).toContain('order_summary\tstale code\t1\t1\t');
    }));

  test('--dry-run writes nothing', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 5);
      const { code, stdout } = await evstore('run', '--dry-run');
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: 'order_summary: would make order_summary and run from position 0 to 5\n',
      });
      expect(await test.store.projections.list()).toEqual([]);
    }));
});

test('a name nobody has is exit 6, with the one that was probably meant', () =>
  withShop('sqlite', async ({ evstore }) => {
    const { code, stderr } = await evstore('run', 'order_sumary', '--once');
    expect(code).toBe(6);
    expect(stderr).toContain('Did you mean order_summary?');
  }));

test('no projection at all is exit 6; a file that cannot be loaded is named', () =>
  withShop('sqlite', async ({ evstore, writeProjection }) => {
    const none = await evstore('run', '--once', '--projections', 'nowhere/**');
    expect(none.code).toBe(6);
    expect(none.stderr).toContain('evstore scaffold projection NAME');
    writeProjection(1, '(() => { throw new Error("at load") })()');
    const broken = await evstore('run', '--once');
    expect(broken.code).toBe(9);
    expect(broken.stderr).toMatch(/projections\/order-summary\.ts threw while it was loaded/);
    writeProjection(1, '1');
    const wrong = await evstore('run', '--once');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('export default is not a valid projection');
  }));
