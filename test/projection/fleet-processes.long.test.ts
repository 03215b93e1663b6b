/** Several `evstore run` as processes: of two versions, in parts, with a wrong clock, behind a pooler, with slow code. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/verify/verify.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { type Program, runProgram } from '../support/program.js';
import { positionOf } from '../support/read-models.js';
import { startTransactionPooler } from '../support/transaction-pooler.js';
import { until } from '../support/wait.js';
import { actualRows, expectedRows, placeOrders } from './orders.js';

allowMoreTime('processes wait for leases to expire');

/** As `orderSummary`, with the time a batch takes for a kill to hit it. */
const source = (version: number, busyMs: number) => `export default {
  name: 'order_summary',
  version: ${version},
  table: { columns: { orderId: 'text', events: 'integer', total: 'bigint' }, key: 'orderId', indexes: ['total'] },
  on: {
    OrderPlaced: (row, { data }) => {
      const end = performance.now() + ${busyMs};
      while (performance.now() < end);
      return { events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + data.total };
    },
    OrderRemoved: () => null,
  },
};
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-fleet-'));
  for (const [name, text] of [
    ['old', source(1, 0.3)],
    ['new', source(2, 0.3)],
    ['slow', source(1, 0.2)],
  ] as const) {
    mkdirSync(join(folder, name, 'projections'), { recursive: true });
    writeFileSync(join(folder, name, 'projections/order-summary.mjs'), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function evstore(code: 'old' | 'new' | 'slow', url: string, args: readonly string[], preload?: string): Program {
  const options = preload === undefined ? {} : { NODE_OPTIONS: `--import data:text/javascript,${preload}` };
  const env = { PATH: process.env.PATH, HOME: folder, EVSTORE_URL: url, ...options };
  return runProgram('bin/evstore.ts', args, { cwd: join(folder, code), env });
}

/** The lease of a killed process runs out by itself; the test does not wait for it. */
async function freeLeases({ raw }: TestStore): Promise<void> {
  await raw.query('update subscription_checkpoints set lease_expires_at = null, owner = null');
}

async function isCaughtUp({ store }: TestStore, ids = ['order_summary']): Promise<boolean> {
  const { safeHead } = await store.log.head();
  const found = await Promise.all(ids.map((id) => positionOf(store, id)));
  return found.every((position) => position === safeHead);
}

async function expectWhole(test: TestStore): Promise<void> {
  expect(await actualRows(test)).toEqual(await expectedRows(test.store));
  const { findings } = await verifyStore(test.store, { progress: () => {}, signal: new AbortController().signal });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
}

forEachEngine((engine) => {
  describe('evstore run', () => {
    it('old and new code at once, a rebuild between, appends all the time: the new one takes over', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 100);
        const old = evstore('old', test.url, ['run']);
        await until(() => isCaughtUp(test));
        const fresh = evstore('new', test.url, ['run']);
        await until(() => fresh.stderr.includes('waiting for version 2; rebuild it: evstore rebuild order_summary'));
        const writing = placeOrders(await test.open(), 400, 10, 100);
        const rebuild = evstore('new', test.url, ['rebuild', 'order_summary']);
        expect(await rebuild.ended, rebuild.stderr).toBe(0);
        expect(await old.ended, old.stderr).toBe(0);
        expect(old.stderr).toContain('superseded by version 2; this program has version 1');
        await until(() => fresh.stderr.includes('running from position'));
        await writing;
        await until(() => isCaughtUp(test));
        await expectWhole(test);
        await fresh.kill('SIGTERM');
      });
    });

    it('in parts, killed at any moment: the rows are the fold of the log, each event once', async () => {
      await withTestStore(engine, async (test) => {
        const writing = placeOrders(await test.open(), 500, 20);
        const parts = ['1/2', '2/2'];
        const ids = parts.map((part) => `order_summary#${part}`);
        const run = (part: string) => evstore('old', test.url, ['run', '--partition', part, '--batch-size', '20']);
        const programs = new Map(parts.map((part) => [part, run(part)]));
        for (let round = 0; round < 5; round += 1) {
          const part = parts[Math.floor(Math.random() * 2)] ?? '1/2';
          const victim = programs.get(part);
          await until(() => victim?.stderr.includes('running from') ?? false);
          await sleep(Math.random() * 250);
          await victim?.kill('SIGKILL');
          await test.raw.query(
            `update subscription_checkpoints set lease_expires_at = null, owner = null where subscription_id = 'order_summary#${part}'`,
          );
          programs.set(part, run(part));
        }
        await writing;
        await until(() => isCaughtUp(test, ids));
        await expectWhole(test);
        for (const program of programs.values()) await program.kill('SIGTERM');
        const whole = evstore('old', test.url, ['run', '--once']);
        expect(await whole.ended, whole.stderr).toBe(0);
        expect(whole.stderr).toContain('order_summary: no longer divided into parts');
        await expectWhole(test);
      });
    });

    it('R2: one works, the other says who, and takes over when that one is killed', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30);
        const first = evstore('old', test.url, ['run']);
        await until(() => isCaughtUp(test));
        const second = evstore('old', test.url, ['run']);
        await until(() => second.stderr.includes(`standing by, `));
        expect(second.stderr).toContain(`:${first.process.pid} runs it`);
        await first.kill('SIGKILL');
        await placeOrders(test.store, 30, 10, 30);
        await until(() => isCaughtUp(test));
        expect(second.stderr).toContain('running from position 30');
        await expectWhole(test);
        await second.kill('SIGTERM');
      });
    });

    it.each([-1, 1])('R4: a clock that is %i day off takes no lease and loses none', async (days) => {
      await withTestStore(engine, async (test) => {
        const jump = `const now=Date.now;const off=${days * 86_400_000};Date.now=()=>now()+off;globalThis.Date=class extends Date{constructor(...a){a.length?super(...a):super(now()+off)}};console.error('now',new Date().toISOString());`;
        await placeOrders(test.store, 30);
        const first = evstore('old', test.url, ['run']);
        await until(() => isCaughtUp(test));
        const second = evstore('old', test.url, ['run'], encodeURIComponent(jump));
        await until(() => second.stderr.includes('standing by'));
        const [, clock = ''] = /^now (.*)$/m.exec(second.stderr) ?? [];
        expect(Math.round((Date.parse(clock) - Date.now()) / 86_400_000)).toBe(days);
        await placeOrders(test.store, 30, 10, 30);
        await until(() => isCaughtUp(test));
        expect(second.stderr).not.toContain('running from');
        await first.kill('SIGTERM');
        await until(() => second.stderr.includes('running from position 60'));
        await placeOrders(test.store, 30, 10, 60);
        await until(() => isCaughtUp(test));
        const third = evstore('old', test.url, ['run']);
        await until(() => third.stderr.includes('standing by'));
        await expectWhole(test);
        await Promise.all([second.kill('SIGTERM'), third.kill('SIGTERM')]);
      });
    });

    it('R9: a handler that falls behind does not fill the memory', async () => {
      await withTestStore(engine, async (test) => {
        // 99 MB, and a program of 80 MB: whoever kept what it has read would pass the bound.
        const data = JSON.stringify({ total: 1, pad: 'x'.repeat(9_900) });
        for (let batch = 0; batch < 20; batch += 1) {
          const events = Array.from({ length: 500 }, () => makeEvent({ type: 'OrderPlaced', data }));
          await append(test.store, `Order-${batch % 10}`, events);
        }
        const peak = `process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS))`;
        const runner = evstore('slow', test.url, ['run', '--once', '--batch-size', '100'], encodeURIComponent(peak));
        expect(await runner.ended, runner.stderr).toBe(0);
        const [, kilobytes] = /^peak (\d+)$/m.exec(runner.stderr) ?? [];
        expect(Number(kilobytes) / 1024).toBeLessThan(180);
        expect((await actualRows(test)).map(({ events }) => events)).toEqual(Array.from({ length: 10 }, () => 1_000));
      });
    });
  });
});

describe('evstore run', () => {
  it('R8: killed, frozen and two at once, with another connection each time', async () => {
    await withTestStore('postgres', async (test) => {
      const pooler = await startTransactionPooler(test.url);
      try {
        const writing = placeOrders(await test.open(), 400, 10);
        for (let round = 0; round < 3; round += 1) {
          const runner = evstore('old', pooler.url, ['run', '--batch-size', '20']);
          await until(() => runner.stderr.includes('running from'));
          await sleep(Math.random() * 250);
          await runner.kill('SIGKILL');
          const position = await positionOf(test.store, 'order_summary');
          expect(await actualRows(test)).toEqual(await expectedRows(test.store, position));
          await freeLeases(test);
        }
        await writing;
        const frozen = evstore('old', pooler.url, ['run']);
        // Whoever was killed may have come to the head, so that being there does not say that this one leads.
        await until(() => frozen.stderr.includes('running from'));
        await until(() => isCaughtUp(test));
        const second = evstore('old', pooler.url, ['run']);
        await until(() => second.stderr.includes('standing by'));
        frozen.process.kill('SIGSTOP');
        await freeLeases(test);
        await until(() => second.stderr.includes('running from'));
        await placeOrders(test.store, 50, 10, 400);
        await until(() => isCaughtUp(test));
        frozen.process.kill('SIGCONT');
        await placeOrders(test.store, 50, 10, 450);
        await until(() => frozen.stderr.includes('superseded') && frozen.stderr.includes('standing by'));
        await until(() => isCaughtUp(test));
        await expectWhole(test);
        await Promise.all([frozen.kill('SIGTERM'), second.kill('SIGTERM')]);
        expect(pooler.switches).toBeGreaterThan(50);
      } finally {
        await pooler.close();
      }
    });
  });
});
