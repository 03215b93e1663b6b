/** Commands after a process was killed: what it held is taken at once, and nothing stays at rest for longer than its lease. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { placeOrders } from '../projection/orders.js';
import { compileProgram } from '../support/compile.js';
import { forEachEngine } from '../support/engines.js';
import { runProgram } from '../support/program.js';
import type { Stop } from '../trials/programs/probe.js';
import { type Shop, withShop } from './shop.js';

const place = ['--type', 'OrderPlaced', '--data', '{"total":10}'];

/** Runs the program, which kills itself with SIGKILL at a step. */
async function killAt({ test, cwd }: Shop, step: string, ...argv: string[]): Promise<void> {
  const stop: Stop = {
    step,
    nth: 1,
    moment: step === 'fill' || step === 'batch' ? 'after' : 'before',
    signal: 'SIGKILL',
  };
  const probe = new URL('../test/trials/programs/probe.js', pathToFileURL(compileProgram('bin/evstore.ts')));
  const program = runProgram('bin/evstore.ts', [...argv, '--store', test.url], {
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: cwd,
      EVSTORE_PROBE: JSON.stringify({ stop }),
      NODE_OPTIONS: `--import=${probe}`,
    },
  });
  await program.ended;
  expect(program.process.signalCode, program.stderr).toBe('SIGKILL');
}

/** Never waits for the lease of a process that is gone. */
async function succeedAtOnce({ evstore }: Shop, ...argv: string[]): Promise<void> {
  const { code, stderr } = await evstore(...argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/waiting for|standing by|waits/) });
}

forEachEngine((engine) => {
  test('the rebuild of a killed process is resumed, swapped, rolled back and aborted at once', () =>
    withShop(engine, async (shop) => {
      await placeOrders(shop.test.store, 40);
      await succeedAtOnce(shop, 'run', '--once');
      await killAt(shop, 'fill', 'rebuild', 'order_summary', '--no-swap', '--batch-size', '10');
      await succeedAtOnce(shop, 'rebuild', 'order_summary', '--resume', '--no-swap');
      await placeOrders(shop.test.store, 5, 10, 40);
      await killAt(shop, 'swap begun', 'swap', 'order_summary');
      await succeedAtOnce(shop, 'swap', 'order_summary');
      await killAt(shop, 'swap begun', 'rollback', 'order_summary', '--yes');
      await succeedAtOnce(shop, 'rollback', 'order_summary', '--yes');
      await killAt(shop, 'swap begun', 'swap', 'order_summary');
      await succeedAtOnce(shop, 'abort', 'order_summary', '--yes');
      await killAt(shop, 'fill', 'rebuild', 'order_summary', '--no-swap', '--batch-size', '10');
      await succeedAtOnce(shop, 'rebuild', 'order_summary', '--restart');
    }));

  test('the checkpoint of a killed runner is taken at once, also to change the number of parts', () =>
    withShop(engine, async (shop) => {
      await placeOrders(shop.test.store, 40);
      await killAt(shop, 'batch', 'run', '--batch-size', '10');
      await succeedAtOnce(shop, 'run', '--once');
      await succeedAtOnce(shop, 'run', '--once', '--partition', '1/2');
      await succeedAtOnce(shop, 'run', '--once', '--partition', '2/2');
      await placeOrders(shop.test.store, 40, 10, 40);
      await killAt(shop, 'batch', 'run', '--batch-size', '10', '--partition', '1/2');
      await succeedAtOnce(shop, 'run', '--once');
      expect(await shop.report('lag')).toMatchObject({ projections: [{ name: 'order_summary', lag: 0 }] });
    }));

  test('what a killed process held is free to lag, checkpoints, projections and doctor at once', () =>
    withShop(engine, async (shop) => {
      const { test, evstore, report } = shop;
      await placeOrders(test.store, 40);
      await killAt(shop, 'batch', 'run', '--batch-size', '10');
      expect(await report('lag')).toMatchObject({ projections: [{ status: 'idle', owner: null, rate: null }] });
      expect(await report('checkpoints', 'list')).toMatchObject({ checkpoints: [{ owner: null }] });
      await killAt(shop, 'fill', 'rebuild', 'order_summary', '--no-swap', '--batch-size', '10');
      expect(await report('lag')).toMatchObject({ projections: [{ status: 'idle' }] });
      const kindsOf = async () => {
        const { findings } = JSON.parse((await evstore('doctor', '--json')).stdout);
        return findings.map(({ kind }: { kind: string }) => kind);
      };
      expect(await kindsOf()).toContain('unfinished-rebuild');
      await succeedAtOnce(shop, 'rebuild', 'order_summary', '--resume', '--no-swap');
      await killAt(shop, 'swap begun', 'swap', 'order_summary');
      expect(await kindsOf()).toContain('unfinished-rebuild');
    }));

  test('after a killed swap, appends leave inline rows alone only while its lease lasts; lag and doctor say so', () =>
    withShop(engine, async (shop) => {
      const { test, cwd, evstore, report } = shop;
      const file = join(cwd, 'projections/order-summary.ts');
      writeFileSync(file, readFileSync(file, 'utf8').replace('{', "{ mode: 'inline', "));
      const countRows = async () => (await test.raw.query('select 1 from order_summary')).length;
      await evstore('append', 'Order-1', ...place, '--inline');
      await succeedAtOnce(shop, 'rebuild', 'order_summary', '--no-swap');
      const patience = ['--max-wait', '1h', '--lock-timeout', '10m'];
      await killAt(shop, 'swap begun', 'swap', 'order_summary', ...patience);
      // As of a process on another host, of which nobody knows whether it lives.
      await test.raw.query('update subscription_checkpoints set owner_process = null');
      const left = await evstore('append', 'Order-2', ...place, '--fail-on-stale', '--inline');
      expect({ code: left.code, stderr: left.stderr }).toEqual({
        code: 0,
        stderr: expect.not.stringContaining('warning'),
      });
      expect(await countRows()).toBe(1);
      expect(await report('lag')).toMatchObject({ projections: [{ inlineRests: true }] });
      expect((await evstore('lag')).stderr).toContain('appends leave its rows to the runner');
      const { findings } = JSON.parse((await evstore('doctor', '--json')).stdout);
      expect(findings).toContainEqual(expect.objectContaining({ kind: 'inline-rests', subject: 'order_summary' }));
      // As when its time is over.
      await test.raw.query("update subscription_checkpoints set lease_expires_at = '2000-01-01T00:00:00.000000Z'");
      await evstore('append', 'Order-3', ...place, '--inline');
      expect(await countRows()).toBe(3);
      await killAt(shop, 'swap begun', 'swap', 'order_summary', ...patience);
      await evstore('append', 'Order-4', ...place, '--inline');
      expect(await countRows()).toBe(4);
      expect(await report('lag')).toMatchObject({ projections: [{ inlineRests: false }] });
      await succeedAtOnce(shop, 'swap', 'order_summary');
      await evstore('append', 'Order-5', ...place, '--inline');
      expect(await countRows()).toBe(5);
    }));
});
