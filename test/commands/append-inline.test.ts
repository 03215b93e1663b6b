import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/library/event-store.js';
import { orderSummary } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { errorOf, readAll } from '../support/events.js';
import { readMarks } from '../support/inline-models.js';
import { type Shop, withShop } from './shop.js';

const place = ['--type', 'OrderPlaced', '--data', '{"customer":"ann","total":10,"items":[]}'];

/** The shop's projection in mode `inline`. */
function makeInline({ cwd, writeProjection }: Shop, handler?: string, version = 1): void {
  writeProjection(version, handler);
  const file = join(cwd, 'projections/order-summary.ts');
  writeFileSync(file, readFileSync(file, 'utf8').replace('{', "{ mode: 'inline', "));
}

forEachEngine((engine) => {
  test('append --inline writes the rows, and takes the checkpoint along', () =>
    withShop(engine, async (shop) => {
      makeInline(shop);
      const { test, evstore, report } = shop;
      const { code, stdout } = await evstore('append', 'Order-1', ...place, '--inline', '--wait-for', 'order_summary');
      expect({ code, appended: JSON.parse(stdout) }).toMatchObject({ code: 0, appended: { version: 1 } });
      expect(await test.raw.query('select 1 from order_summary')).toHaveLength(1);
      expect(await readMarks(test)).toEqual({});
      expect(await report('lag')).toMatchObject({ projections: [{ mode: 'inline', lag: 0, owner: null }] });
      expect(await report('projections')).toMatchObject({ projections: [{ mode: 'inline', state: 'current' }] });
      await evstore('append', 'Order-2', ...place);
      expect(await test.raw.query('select 1 from order_summary')).toHaveLength(1);
      await evstore('append', 'Order-3', ...place, '--inline');
      expect(await test.raw.query('select 1 from order_summary')).toHaveLength(3);
      expect((await evstore('run', '--once')).code).toBe(0);
      expect(await test.raw.query('select 1 from order_summary')).toHaveLength(3);
    }));

  test('append --inline: a handler that throws is exit 9, and nothing is appended', () =>
    withShop(engine, async (shop) => {
      makeInline(shop, "() => { throw new Error('no such customer') }");
      const { code, stdout, stderr } = await shop.evstore('append', 'Order-1', ...place, '--inline');
      expect({ code, stdout }).toEqual({ code: 9, stdout: '' });
      expect(stderr).toContain('nothing was appended to Order-1: projection order_summary failed');
      expect(stderr).toContain('no such customer');
      expect(await readAll(shop.test.store)).toEqual([]);
    }));

  test('an append that leaves an inline projection to its runner says so, or fails if told to', () =>
    withShop(engine, async (shop) => {
      makeInline(shop);
      const { test, evstore } = shop;
      await evstore('append', 'Order-1', ...place, '--inline');
      const event = { type: 'OrderPlaced', data: { total: 1 } };
      const warnings: Error[] = [];
      const listen = (warning: Error) => warnings.push(warning);
      process.on('warning', listen);
      try {
        // Compiled by another tool, the text of a function differs, and its version does not.
        const on = { ...orderSummary.on, OrderRemoved: (_row: unknown) => null };
        const compiled = await openStore(test.url, { projections: [{ ...orderSummary, on, mode: 'inline' }] });
        await compiled.append('Order-2', event);
        await compiled.close();
        expect(await test.raw.query('select 1 from order_summary')).toHaveLength(2);
        const newer = { ...orderSummary, version: 2, mode: 'inline' } as const;
        const store = await openStore(test.url, { projections: [newer] });
        expect((await store.append('Order-3', event)).inlineLeft).toEqual(['order_summary']);
        await store.append('Order-4', event);
        await store.close();
        const strict = await openStore(test.url, { projections: [newer], staleInline: 'fail' });
        const refused = await errorOf('E_STALE_PROJECTION', strict.append('Order-5', event));
        expect(refused.next).toBe('evstore rebuild order_summary');
        await strict.close();
        await new Promise(setImmediate);
      } finally {
        process.off('warning', listen);
      }
      const told = warnings.filter((warning) => 'code' in warning && warning.code === 'EVSTORE_STALE_INLINE');
      expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('evstore rebuild order_summary')]);
      expect(await test.raw.query('select 1 from order_summary')).toHaveLength(2);
      const { findings } = JSON.parse((await evstore('doctor', '--json')).stdout);
      expect(findings).toContainEqual(
        expect.objectContaining({ kind: 'stale-code', next: 'evstore rebuild order_summary' }),
      );
      expect((await evstore('lag', '--json')).stdout).toContain('"status":"stale"');
      makeInline(shop, undefined, 2);
      const warned = await evstore('append', 'Order-6', ...place, '--inline');
      expect({ code: warned.code, stderr: warned.stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('leave the rows of order_summary to its runner'),
      });
      const failed = await evstore('append', 'Order-7', ...place, '--inline', '--fail-on-stale');
      expect(failed).toMatchObject({ code: 2, stdout: '' });
      expect((await evstore('append', 'Order-7', ...place, '--fail-on-stale')).code).toBe(2);
      expect(await readAll(test.store, { streamId: 'Order-7' })).toEqual([]);
      await evstore('rebuild', 'order_summary');
      expect((await evstore('append', 'Order-7', ...place, '--inline', '--fail-on-stale')).stderr).not.toContain(
        'warning',
      );
      const after = JSON.parse((await evstore('doctor', '--json')).stdout);
      expect(after.findings.filter(({ kind }: { kind: string }) => kind === 'stale-code')).toEqual([]);
      expect(await test.raw.query('select 1 from order_summary')).toHaveLength(6);
    }));

  test('a program that is given its projections', () =>
    withShop(engine, async ({ test }) => {
      const store = await openStore(test.url, { projections: [{ ...orderSummary, mode: 'inline' }] });
      await store.append('Order-1', { type: 'OrderPlaced', data: { customer: 'ann', total: 10, items: [] } });
      expect(await test.raw.query('select 1 from order_summary')).toHaveLength(1);
      await store.close();
      expect(await readMarks(test)).toEqual({});
      const [checkpoint] = await test.store.projections.checkpoints();
      expect(checkpoint).toMatchObject({ position: (await test.store.log.head()).head, owner: null });
      const wrong = { ...orderSummary, mode: 'now' } as never;
      expect((await errorOf('E_CONFIG', openStore(test.url, { projections: [wrong] }))).why).toContain('mode');
      await errorOf('E_CONFIG', openStore(test.url, { projections: [orderSummary, orderSummary] }));
    }));
});

test('append --inline without an inline projection says so, and appends nothing', () =>
  withShop('sqlite', async ({ test, evstore }) => {
    const { code, stderr } = await evstore('append', 'Order-1', ...place, '--inline');
    expect(code).toBe(6);
    expect(stderr).toContain("mode: 'inline'");
    expect((await evstore('append', 'Order-1', ...place, '--inline', '--dry-run')).code).toBe(6);
    expect(await readAll(test.store)).toEqual([]);
  }));
