/** What `run` does with an event that a handler cannot take, and what becomes of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actualRows, expectedRows, placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { type Shop, withShop } from './shop.js';

/** Fails on the first event of Order-7, and would not fail on the later ones. */
const poisoned = `(row, { data }) => {
  if (data.total === 7) throw new TypeError('seven');
  return { events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + data.total };
}`;

/** Forty orders in ten streams: Order-7 is at the positions 8, 18, 28, 38. */
async function withPoison({ test, writeProjection }: Shop): Promise<void> {
  writeProjection(1, poisoned);
  await placeOrders(test.store, 40);
}

async function expectVerified({ evstore }: Shop): Promise<void> {
  const { code, stderr } = await evstore('verify');
  expect(code, stderr).toBe(0);
}

async function parkedPositions({ evstore }: Shop, ...args: string[]): Promise<string> {
  return (await evstore('parked', 'list', '-q', ...args)).stdout.trim().split('\n').join(' ');
}

test('a handler that rejects every event names three of them, and the end has the count', () =>
  withShop('sqlite', async ({ test, evstore, writeProjection }) => {
    writeProjection(1, '() => { throw new Error("no tariff"); }');
    await placeOrders(test.store, 9);
    const { stdout, stderr } = await evstore('run', '--once', '--on-error', 'park');
    expect(stderr.match(/parked OrderPlaced at position \d/g)).toEqual(
      [1, 2, 3].map((position) => `parked OrderPlaced at position ${position}`),
    );
    expect(stdout).toContain('9 parked or skipped');
  }));

forEachEngine((engine) => {
  test('R5: the event and what follows in its stream wait aside; nothing counts as skipped', () =>
    withShop(engine, async (shop) => {
      const { test, evstore, report } = shop;
      await withPoison(shop);
      const { code, stdout, stderr } = await evstore('run', '--once', '--on-error', 'park');
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: 'order_summary: at position 40, 36 events applied, 4 parked or skipped\n',
      });
      expect(stderr).toMatch(/^warning: order_summary: parked OrderPlaced at position 8: on\.OrderPlaced .*seven/m);
      expect(stderr).toContain('evstore parked show order_summary 8');
      expect(stderr.match(/parked OrderPlaced/g)).toHaveLength(1);
      const others = (await expectedRows(test.store)).filter((row) => !JSON.stringify(row).includes('Order-7'));
      expect(await actualRows(test)).toEqual(others);
      const { parked } = await report('parked', 'list', 'order_summary');
      expect(parked).toMatchObject([
        { globalPosition: 8, streamId: 'Order-7', state: 'parked', attempts: 1, rebuild: 0 },
        { globalPosition: 18, error: null, attempts: 0 },
        { globalPosition: 28, error: null },
        { globalPosition: 38, error: null },
      ]);
      // On a terminal by error, unless events are asked for.
      const grouped = await evstore('parked', '-o', 'table');
      const lines = grouped.stdout.split('\n').map((line) => line.trim());
      expect(lines[0]).toMatch(/^projection +events +streams +type/);
      expect(lines.filter((line) => /order_summary +[13] +1 /.test(line))).toHaveLength(2);
      expect(lines).toContain('wait behind an earlier event of their stream');
      expect(grouped.stdout).toMatch(/^ {4}TypeError: seven {2}projections\/order-summary\.ts:2$/m);
      expect(grouped.stderr).toContain('evstore parked retry order_summary --all');
      expect((await evstore('parked', '-o', 'table', '-n', '10')).stdout.match(/Order-7/g)).toHaveLength(4);
      expect((await evstore('parked', '--stream', 'Order-7', '-q')).stdout).toBe('8\n18\n28\n38\n');
      expect((await evstore('parked', '--stream', 'Order-8', '-q')).stdout).toBe('');
      await placeOrders(test.store, 10, 10, 40);
      await evstore('run', '--once');
      expect(await parkedPositions(shop)).toBe('8 18 28 38 48');
      await expectVerified(shop);
      expect((await report('lag')).projections).toMatchObject([{ name: 'order_summary', lag: 0, parked: 5 }]);
      expect((await report('projections')).projections).toMatchObject([{ name: 'order_summary', parked: 5 }]);
      const lag = await evstore('lag', '-o', 'table');
      expect(lag.stdout).toMatch(/^ {2}name .* parked\n/);
      expect(lag.stderr).toContain('evstore parked list order_summary');
      const { findings } = JSON.parse((await evstore('doctor', '--json')).stdout);
      expect(findings).toContainEqual(
        expect.objectContaining({ kind: 'parked-events', next: 'evstore parked list order_summary' }),
      );
    }));

  test('R5: it is recorded, and its stream goes on', () =>
    withShop(engine, async (shop) => {
      await withPoison(shop);
      const { code, stdout } = await shop.evstore('run', '--once', '--on-error', 'skip', '--retries', '1');
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: 'order_summary: at position 40, 39 events applied, 1 parked or skipped\n',
      });
      expect(await parkedPositions(shop)).toBe('');
      const { parked } = await shop.report('parked', 'list', '--state', 'skipped');
      expect(parked).toMatchObject([{ globalPosition: 8, state: 'skipped', attempts: 2 }]);
      const [row] = await shop.test.raw.query(`select events from order_summary where order_id = 'Order-7'`);
      expect(Number(row?.events)).toBe(3);
      await expectVerified(shop);
    }));

  test('a retry after the code was mended applies a stream in order, once', () =>
    withShop(engine, async (shop) => {
      const { test, evstore, report, writeProjection } = shop;
      await withPoison(shop);
      await evstore('run', '--once', '--on-error', 'park');
      const failing = await evstore('parked', 'retry', 'order_summary');
      expect(failing.code).toBe(9);
      expect(failing.stdout).toMatch(/^Order-7: 0 events applied, 4 events still parked: .* position 8$/m);
      expect((await report('parked')).parked[0]).toMatchObject({ globalPosition: 8, attempts: 2 });
      const [before] = await test.store.projections.cursors();
      writeProjection();
      const dry = await evstore('parked', 'retry', 'order_summary', '8', '--dry-run');
      expect({ code: dry.code, waiting: await parkedPositions(shop) }).toEqual({ code: 0, waiting: '8 18 28 38' });
      const retried = await evstore('parked', 'retry', 'order_summary', '--stream', 'Order-7');
      expect(retried.stdout).toBe('Order-7: 4 events applied\n');
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      expect((await test.store.projections.cursors())[0]).toEqual(before);
      expect((await evstore('parked', 'retry', 'order_summary')).code).toBe(6);
      await placeOrders(test.store, 10, 10, 40);
      await evstore('run', '--once');
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      await expectVerified(shop);
    }));

  test('what is discarded is kept as evidence; what waited behind it is tried again', () =>
    withShop(engine, async (shop) => {
      const { test, evstore } = shop;
      await withPoison(shop);
      await evstore('run', '--once', '--on-error', 'park');
      expect((await evstore('parked', 'discard', 'order_summary')).code).toBe(2);
      expect((await evstore('parked', 'discard', 'order_summary', '--all')).code).toBe(8);
      const dry = await evstore('parked', 'discard', 'order_summary', '--all', '--dry-run', '-q');
      expect(dry.stdout).toBe('8\n');
      const done = await evstore('parked', 'discard', 'order_summary', '--all', '--yes');
      expect(done.code).toBe(0);
      expect(done.stderr).toContain('evstore parked retry order_summary --stream Order-7');
      expect(await parkedPositions(shop, '--state', 'discarded')).toBe('8');
      await placeOrders(test.store, 10, 10, 40);
      await evstore('run', '--once', '--on-error', 'skip');
      expect(await parkedPositions(shop)).toBe('18 28 38 48');
      expect((await evstore('parked', 'discard', 'order_summary', '--all', '--yes')).code).toBe(6);
      expect((await evstore('parked', 'retry', 'order_summary')).stdout).toBe('Order-7: 4 events applied\n');
      const [row] = await test.raw.query(`select events from order_summary where order_id = 'Order-7'`);
      expect(Number(row?.events)).toBe(4);
      await expectVerified(shop);
    }));

  test('show says why, where, and what waits', () =>
    withShop(engine, async (shop) => {
      await withPoison(shop);
      await shop.evstore('run', '--once', '--on-error', 'park');
      const { stdout } = await shop.evstore('parked', 'show', 'order_summary', '8');
      expect(stdout).toMatch(/^order_summary \(live\): parked OrderPlaced at position 8, .+, tried 1 time\n/);
      expect(stdout).toContain('3 events of its stream wait behind it.');
      expect(stdout).toMatch(/TypeError: seven/);
      expect(stdout).toMatch(/^ {2}\| +at [\s\S]*order-summary\.ts:2/m);
      expect(stdout).not.toMatch(/(?<!test.)commands.|node:|\.cjs|\/src\//);
      expect(stdout).toContain('"total":7');
      const shown = await shop.report('parked', 'show', 'order_summary', '18');
      expect(shown).toMatchObject({
        globalPosition: 18,
        waitsBehind: [8],
        waitBehind: 2,
        event: { streamId: 'Order-7' },
      });
      expect(await shop.report('parked', 'show', 'order_summary', shown.id)).toEqual(shown);
      expect((await shop.evstore('parked', 'show', 'order_summary', '9')).code).toBe(6);
      expect((await shop.evstore('parked', 'show', 'order_summary', 'nine')).code).toBe(2);
      const unknown = await shop.evstore('parked', 'list', 'order_sumary');
      expect(unknown.code).toBe(6);
      expect(unknown.stderr).toContain('Did you mean order_summary?');
    }));

  test('a rebuild parks for its own tables; a swap and a rollback take that along', () =>
    withShop(engine, async (shop) => {
      const { test, evstore, writeProjection } = shop;
      await withPoison(shop);
      await evstore('run', '--once', '--on-error', 'skip');
      expect((await evstore('rebuild', 'order_summary', '--no-swap')).code).toBe(9);
      const rebuild = await evstore('rebuild', 'order_summary', '--no-swap', '--on-error', 'park');
      expect(rebuild.code, rebuild.stderr).toBe(0);
      expect(rebuild.stdout).toContain('up to position 40, 4 parked or skipped');
      expect(rebuild.stderr).toContain('evstore parked show order_summary 8');
      expect((await evstore('parked', 'retry', 'order_summary')).code).toBe(6);
      await placeOrders(test.store, 10, 10, 40);
      await evstore('run', '--once');
      const swap = await evstore('swap', 'order_summary', '--on-error', 'park');
      expect(swap.code, swap.stderr).toBe(0);
      const live = async () =>
        (await test.store.projections.parked({ rebuild: 0 })).map(({ globalPosition }) => globalPosition);
      expect(await live()).toEqual([8, 18, 28, 38, 48]);
      await expectVerified(shop);
      const back = await evstore('rollback', 'order_summary', '--yes');
      expect(back.code, back.stderr).toBe(0);
      expect(await live()).toEqual([8]);
      expect(await parkedPositions(shop, '--state', 'skipped')).toBe('8');
      expect((await evstore('swap', 'order_summary', '--on-error', 'park')).code).toBe(0);
      writeProjection();
      expect((await evstore('parked', 'retry', 'order_summary', '48')).stdout).toBe('Order-7: 5 events applied\n');
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      await expectVerified(shop);
    }));

  test('an event of an unknown schema version stops a projection with upcasters, or is parked', () =>
    withShop(engine, async ({ test, cwd, evstore }) => {
      const write = (upcasters: string) =>
        writeFileSync(
          join(cwd, 'projections/order-summary.ts'),
          `const up = (data) => data;
           export default { name: 'order_summary', version: 1, upcasters: [${upcasters}],
             table: { columns: { orderId: 'text', events: 'integer' }, key: 'orderId' },
             on: { OrderPlaced: (row) => ({ events: (row?.events ?? 0) + 1 }) } };`,
        );
      const chain = ['1, to: 2', '2, to: 4', '4, to: 5'].map((each) => `{ type: 'OrderPlaced', from: ${each}, up }`);
      write(`${chain[0]}, ${chain[2]}`);
      const gap = await evstore('run', '--once');
      expect(gap.code).toBe(2);
      expect(gap.stderr).toContain(
        'upcasters of OrderPlaced have a gap: none reads version 2, and they end at version 5',
      );
      write(chain.join());
      const versions = [1, 3, 5, 6];
      for (const schemaVersion of versions) {
        await append(test.store, `Order-${schemaVersion}`, [makeEvent({ schemaVersion })]);
      }
      const checked = await evstore('rebuild', 'order_summary', '--dry-run', '--check');
      expect(checked.code).toBe(1);
      expect(checked.stdout).toContain('no upcaster leads from OrderPlaced of schema version 3, in 2 events');
      const stopped = await evstore('run', '--once');
      expect(stopped.code).toBe(9);
      expect(stopped.stderr).toContain('failed on OrderPlaced at position 2');
      expect(stopped.stderr).toContain('schema version 3. They read versions 1, 2, 4 and end at version 5.');
      const parked = await evstore('run', '--once', '--on-error', 'park');
      expect(parked.code).toBe(0);
      expect(parked.stderr).toContain('schema version 6');
      const rows = await test.raw.query('select order_id from order_summary order by order_id');
      expect(rows.map((row) => row.order_id)).toEqual(['Order-1', 'Order-5']);
    }));
});
