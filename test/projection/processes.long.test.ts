/** `evstore run` and `evstore rebuild` as processes that are killed, frozen and stopped. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';
import { type Program, runProgram } from '../support/program.js';
import { positionOf } from '../support/read-models.js';
import { until } from '../support/wait.js';
import { actualRows, expectedRows, placeOrders } from './orders.js';

allowMoreTime('processes are killed and frozen past their leases');

/** As `orderSummary`, a plain object, with the time a batch takes for a kill to hit it. */
const source = `export default {
  name: 'order_summary',
  version: 1,
  table: { columns: { orderId: 'text', events: 'integer', total: 'bigint' }, key: 'orderId', indexes: ['total'] },
  on: {
    OrderPlaced: (row, { data }) => {
      const end = performance.now() + 0.3;
      while (performance.now() < end);
      return { events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + data.total };
    },
    OrderRemoved: () => null,
  },
};
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-processes-'));
  mkdirSync(join(folder, 'projections'));
  writeFileSync(join(folder, 'projections/order-summary.mjs'), source);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function evstore(test: TestStore, ...args: string[]): Program {
  const env = { PATH: process.env.PATH, HOME: folder, EVSTORE_URL: test.url };
  return runProgram('bin/evstore.ts', args, { cwd: folder, env });
}

/** The lease of a killed process runs out by itself; the test does not wait for it. */
async function freeLeases({ raw }: TestStore): Promise<void> {
  await raw.query('update subscription_checkpoints set lease_expires_at = null, owner = null');
  await raw.query('update evstore_rebuilds set lease_expires_at = null, owner = null');
}

async function isCaughtUp(test: TestStore): Promise<boolean> {
  return (await positionOf(test.store, 'order_summary')) === (await test.store.log.head()).safeHead;
}

forEachEngine((engine) => {
  describe('evstore run', () => {
    it('R1: the read model is the fold of the log, each event once', async () => {
      await withTestStore(engine, async (test) => {
        const writing = placeOrders(await test.open(), 700, 10);
        for (let round = 0; round < 6; round += 1) {
          const runner = evstore(test, 'run', '--batch-size', '20');
          await until(() => runner.stderr.includes('running from'));
          await sleep(Math.random() * 250);
          await runner.kill('SIGKILL');
          const position = await positionOf(test.store, 'order_summary');
          expect(await actualRows(test)).toEqual(await expectedRows(test.store, position));
          await freeLeases(test);
        }
        await writing;
        const last = evstore(test, 'run', '--once');
        expect(await last.ended, last.stderr).toBe(0);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('R3: frozen past its lease, it writes nothing and stands by', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 50);
        const frozen = evstore(test, 'run');
        await until(() => isCaughtUp(test));
        frozen.process.kill('SIGSTOP');
        await freeLeases(test);
        const second = evstore(test, 'run');
        await until(() => second.stderr.includes('running from'));
        await placeOrders(test.store, 50, 10, 50);
        await until(() => isCaughtUp(test));
        frozen.process.kill('SIGCONT');
        await placeOrders(test.store, 50, 10, 100);
        await until(() => frozen.stderr.includes('superseded') && frozen.stderr.includes('standing by'));
        await until(() => isCaughtUp(test));
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await Promise.all([frozen.kill('SIGTERM'), second.kill('SIGTERM')]);
      });
    });

    it('R10: the lease is free, and the process ends by the signal', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 300);
        const runner = evstore(test, 'run', '--batch-size', '30');
        await until(async () => ((await positionOf(test.store, 'order_summary')) ?? 0) > 0);
        runner.process.kill('SIGTERM');
        expect(await runner.ended).toBeNull();
        expect(runner.process.signalCode).toBe('SIGTERM');
        const [checkpoint] = await test.store.projections.checkpoints();
        expect(checkpoint?.owner).toBeNull();
        expect(await actualRows(test)).toEqual(await expectedRows(test.store, checkpoint?.position));
      });
    });
  });

  describe('evstore rebuild', () => {
    it('killed while it fills, it leaves the live table and is resumed', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 400);
        const first = evstore(test, 'run', '--once');
        expect(await first.ended, first.stderr).toBe(0);
        const live = await actualRows(test);
        for (let round = 0; round < 3; round += 1) {
          const rebuild = evstore(test, 'rebuild', 'order_summary', '--batch-size', '10');
          await until(() => rebuild.stderr.includes('reads'));
          await sleep(Math.random() * 100);
          await rebuild.kill('SIGKILL');
          await freeLeases(test);
          expect(await actualRows(test)).toEqual(live);
        }
        const rebuild = evstore(test, 'rebuild', 'order_summary');
        expect(await rebuild.ended, rebuild.stderr).toBe(0);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('stopped while it fills, it says how to go on', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 400);
        const rebuild = evstore(test, 'rebuild', 'order_summary', '--batch-size', '10');
        await until(async () => ((await test.store.projections.rebuilds())[0]?.position ?? 0) > 0);
        rebuild.process.kill('SIGINT');
        await rebuild.ended;
        expect(rebuild.process.signalCode).toBe('SIGINT');
        expect(rebuild.stderr).toContain('evstore rebuild order_summary --resume');
        expect(rebuild.stderr).toContain('evstore abort order_summary');
        const resumed = evstore(test, 'rebuild', 'order_summary', '--resume');
        expect(await resumed.ended, resumed.stderr).toBe(0);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });
  });
});
