/** `rebuild --parallel`: whatever the number of threads, the same rows and the same report. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { actualRows, expectedRows, placeOrders } from '../projection/orders.js';
import { forEachEngine, type TestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { runProgram } from '../support/program.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { until } from '../support/wait.js';
import { type Shop, withShop } from './shop.js';

/** Rows of several streams: an item is in many carts, a cart names several of them. */
const items = `
export default {
  name: 'items', version: 1,
  table: { columns: { sku: 'text', seen: 'integer', last: 'bigint', order: 'json' }, key: 'sku' },
  key: (event) => event.data.skus,
  on: {
    Carted: (row, event) => ({
      seen: (row?.seen ?? 0) + 1, last: event.globalPosition, order: [...(row?.order ?? []), event.streamId].slice(-5),
    }),
    Gone: (row, event) => {
      if (event.data.skus.length > 3) return undefined;
      return null;
    },
  },
};
`;

const countBy = (fails: string) =>
  `(row, event) => {
    if (${fails}) throw new Error('no ' + event.data.total);
    return { events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + event.data.total };
  }`;

async function cart(store: Store, seed: number, count: number): Promise<void> {
  const random = makeRandom(seed);
  for (let index = 0; index < count; index += 1) {
    const skus = Array.from({ length: random.below(5) }, () => `sku-${random.below(30)}`);
    const type = random.below(5) === 0 ? 'Gone' : 'Carted';
    await append(store, `Cart-${random.below(20)}`, [makeEvent({ type, data: JSON.stringify({ skus }) })]);
  }
}

function itemRows({ raw }: TestStore): Promise<readonly Record<string, unknown>[]> {
  return raw.query('select * from items order by sku');
}

/** What does not depend on when, and by which rebuild. */
// biome-ignore lint/suspicious/noExplicitAny: a report of the command line.
function lasting(report: any): unknown {
  const { rebuild: _rebuild, steps: _steps, elapsedMs: _elapsed, keepOldUntil: _until, ...rest } = report.rebuilds[0];
  return rest;
}

async function rebuildWith(shop: Shop, name: string, threads: number, ...more: string[]) {
  const { stdout, stderr, code } = await shop.evstore(
    ...['rebuild', name, '--parallel', String(threads), '--batch-size', '50', '--json', ...more],
  );
  return { report: stdout === '' ? null : lasting(JSON.parse(stdout)), stderr, code };
}

forEachEngine((engine) => {
  test.each([2, 3])(
    '%i threads make the rows that one makes, of one stream each or of several keys an event',
    (threads) => {
      const seed = freshSeed();
      return withShop(engine, async (shop) => {
        const { test, cwd } = shop;
        writeFileSync(join(cwd, 'projections/items.ts'), items);
        await placeOrders(test.store, 120, 1 + (seed % 40));
        await cart(test.store, seed, 200);
        expect(await shop.evstore('rebuild', '--all')).toMatchObject({ code: 0 });
        const [orders, carts] = [await actualRows(test), await itemRows(test)];
        expect(orders).toEqual(await expectedRows(test.store));
        expect(carts.length, `seed ${seed}`).toBeGreaterThan(5);
        for (const name of ['order_summary', 'items']) {
          const { code, stderr } = await rebuildWith(shop, name, threads, '--verify', 'full', '--max-diff', '0');
          expect(code, `seed ${seed}: ${stderr}`).toBe(0);
        }
        expect(await actualRows(test), `seed ${seed}`).toEqual(orders);
        expect(await itemRows(test), `seed ${seed}`).toEqual(carts);
      });
    },
  );

  test.each(['stop', 'park', 'skip'])(
    'events that fail, with --on-error %s, have the same outcome in two threads as in one',
    async (onError) => {
      const outcomes: unknown[] = [];
      for (const threads of [1, 2]) {
        await withShop(engine, async (shop) => {
          const { test, cwd } = shop;
          await placeOrders(test.store, 160, 7);
          shop.writeProjection(1, countBy('event.data.total === 70 || event.data.total === 92'));
          const { report, stderr, code } = await rebuildWith(shop, 'order_summary', threads, '--on-error', onError);
          const told = stderr
            .replaceAll(cwd, '')
            .replaceAll(test.url, '')
            .replaceAll(`--parallel ${threads}`, '')
            .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID')
            .split('\n')
            .filter((line) => line.includes('order-summary.ts:'));
          const [rebuild] = await test.store.projections.rebuilds();
          const rows = onError === 'stop' ? [] : await actualRows(test);
          const parked = JSON.parse((await shop.evstore('parked', 'order_summary', '--json')).stdout).parked.map(
            (each: Record<string, unknown>) => [each.globalPosition, each.streamId, each.state, each.attempts],
          );
          const said = JSON.parse(JSON.stringify(report).replaceAll(cwd, ''), (key, value) =>
            key === 'id' ? '' : value,
          );
          outcomes.push({ report: said, told, code, rows, parked, position: rebuild?.position });
          expect(code).toBe(onError === 'stop' ? 9 : 0);
          expect(told.length).toBeGreaterThan(0);
          if (onError === 'stop') expect(rebuild?.position).toBe(70);
          else expect(JSON.stringify(report)).toContain(onError === 'skip' ? '"aside":2' : '"aside":');
          if (onError === 'park') expect(parked.length).toBeGreaterThan(1);
        });
      }
      expect(outcomes[1]).toEqual(outcomes[0]);
    },
  );

  test('a rebuild that was killed is resumed with another number of threads', () =>
    withShop(engine, async (shop) => {
      const { test, cwd } = shop;
      await placeOrders(test.store, 200, 9);
      shop.writeProjection(1, countBy('(() => { for (const end = Date.now() + 10; Date.now() < end; ); })()'));
      const args = ['rebuild', 'order_summary', '--parallel', '2', '--batch-size', '10', '--store', test.url];
      const program = runProgram('bin/evstore.ts', args, { cwd });
      await until(async () => {
        const [rebuild] = await test.store.projections.rebuilds();
        return (rebuild?.position ?? 0) > 0;
      });
      await program.kill();
      await test.raw.query('update evstore_rebuilds set lease_expires_at = null, owner = null');
      const resumed = await shop.evstore('rebuild', 'order_summary', '--resume', '--parallel', '3');
      expect(resumed.stderr).toContain('resuming rebuild');
      expect(resumed.code).toBe(0);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    }));

  // The threads know nothing of the store: the rest is tried on one.
  if (engine === 'postgres') return;

  test('Ctrl-C ends a rebuild in the middle of a handler that never returns', () =>
    withShop(engine, async (shop) => {
      const { test, cwd } = shop;
      await placeOrders(test.store, 60, 9);
      shop.writeProjection(1, countBy('(() => { while (event.data.total >= 30); })()'));
      const args = ['rebuild', 'order_summary', '--parallel', '2', '--batch-size', '10', '--store', test.url];
      const program = runProgram('bin/evstore.ts', args, { cwd });
      await until(async () => {
        const [rebuild] = await test.store.projections.rebuilds();
        return rebuild?.position === 30;
      });
      program.process.kill('SIGINT');
      expect(await program.ended).toBeNull();
      expect(program.process.signalCode).toBe('SIGINT');
      expect(program.stderr).toContain('resume: evstore rebuild order_summary --resume');
      shop.writeProjection(1, countBy('(() => { while (event.data.total >= 30); })()'));
      expect(await test.store.projections.rebuilds()).toMatchObject([{ state: 'filling', position: 30 }]);
    }));

  test('code that does not load in a thread, and a thread that ends, fail the rebuild and say why', () =>
    withShop(engine, async (shop) => {
      const { test, cwd } = shop;
      await placeOrders(test.store, 20);
      const definition = (head: string, body: string) => `
        import { isMainThread } from 'node:worker_threads';
        ${head}
        export default {
          name: 'picky', version: 1, table: { columns: { id: 'text' }, key: 'id' },
          on: { OrderPlaced: () => { ${body} return {}; } },
        };`;
      writeFileSync(
        join(cwd, 'projections/picky.ts'),
        definition("if (!isMainThread) throw new Error('not here');", ''),
      );
      const unloadable = await shop.evstore('rebuild', 'picky', '--parallel', '2');
      expect(unloadable).toMatchObject({ code: 2 });
      expect(unloadable.stderr).toContain('cannot be loaded in another thread');
      expect(unloadable.stderr).toContain('not here (line 3)');
      expect((await shop.evstore('rebuild', 'picky')).code).toBe(0);
      writeFileSync(
        join(cwd, 'projections/picky.ts'),
        definition('', 'if (!isMainThread) Promise.reject(new Error("late"));'),
      );
      const ended = await shop.evstore('rebuild', 'picky', '--parallel', '2');
      expect(ended.stderr).toContain('Error: late.');
      expect(ended.code).toBe(9);
      expect((await shop.evstore('rebuild', 'picky')).code).toBe(0);
      writeFileSync(join(cwd, 'projections/picky.ts'), definition('', 'if (!isMainThread) process.exit(3);'));
      const exited = await shop.evstore('rebuild', 'picky', '--parallel', '2');
      expect(exited.stderr).toContain('It ended with exit code 3, as process.exit does.');
      expect(exited.code).toBe(9);
      expect((await shop.evstore('rebuild', 'picky')).code).toBe(0);
    }));

  test('a projection that cannot be divided is refused by name, and rebuilt in one thread with --all', () =>
    withShop(engine, async (shop) => {
      const { test, cwd } = shop;
      await placeOrders(test.store, 20);
      const source = `
        import { defineSqlProjection, sql } from 'evstore';
        export default defineSqlProjection({
          name: 'told', version: 1, tables: ['told'],
          create: (t) => sql\`create table \${t.told} (id text primary key)\`,
          on: { OrderLost: () => [] },
        });`;
      writeFileSync(join(cwd, 'projections/told.ts'), source);
      const refused = await shop.evstore('rebuild', 'told', '--parallel', '2');
      expect(refused).toMatchObject({ code: 2 });
      expect(refused.stderr).toContain('cannot be rebuilt in several threads');
      const all = await shop.evstore('rebuild', '--all', '--parallel', '2');
      expect(all).toMatchObject({ code: 0 });
      expect(all.stderr).toContain('told is rebuilt in one thread: ');
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      expect((await shop.evstore('rebuild', 'order_summary', '--parallel', '17')).code).toBe(2);
      expect((await shop.evstore('rebuild', 'order_summary', '--parallel', '0')).code).toBe(2);
    }));
});
