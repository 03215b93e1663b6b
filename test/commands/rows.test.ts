/** `evstore rows`, on a shop. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { withShop } from './shop.js';

const sales = `export default { name: 'sales', version: 1, category: 'Sale',
  table: { columns: { day: 'integer', shop: 'text', paid: 'boolean', total: 'numeric', items: 'json', at: 'timestamp' }, key: ['day', 'shop'] },
  key: ({ data }) => ({ day: data.day, shop: data.shop }),
  on: { Sold: (row, { data }) => data } };`;

async function sell(store: Parameters<typeof append>[0]): Promise<void> {
  for (const [index, total] of ['9.5', '10', '100.25', '-3'].entries()) {
    const data = {
      day: index % 2,
      shop: `s${index}`,
      paid: index > 1,
      total,
      items: [{ sku: `a${index}` }],
      at: `2026-01-0${index + 1}T00:00:00Z`,
    };
    await append(store, `Sale-${index}`, [makeEvent({ type: 'Sold', data: JSON.stringify(data) })]);
  }
}

forEachEngine((engine) => {
  test('lists, filters, sorts and counts rows in the same way on both engines', () =>
    withShop(engine, async ({ test, cwd, evstore, report }) => {
      writeFileSync(join(cwd, 'projections/sales.ts'), sales);
      await sell(test.store);
      await evstore('run', '--once');
      const list = await report('rows', 'sales');
      expect(list).toMatchObject({
        projection: 'sales',
        side: 'live',
        table: 'sales',
        key: ['day', 'shop'],
        matched: 4,
        total: 4,
        estimated: false,
        truncated: false,
      });
      expect(list.columns).toContainEqual({ name: 'paid', type: 'boolean' });
      expect(list.rows[0]).toEqual({
        day: 0,
        shop: 's0',
        paid: false,
        total: '9.5',
        items: '[{"sku":"a0"}]',
        at: '2026-01-01T00:00:00.000Z',
      });
      const shops = async (...argv: string[]) =>
        (await report('rows', 'sales', ...argv)).rows.map(({ shop }: { shop: string }) => shop);
      expect(await shops()).toEqual(['s0', 's2', 's1', 's3']);
      expect(await shops('--sort', 'total')).toEqual(['s3', 's0', 's1', 's2']);
      expect(await shops('--sort', 'day:desc')).toEqual(['s1', 's3', 's0', 's2']);
      expect(await shops('--sort', 'total:desc', '-n', '2')).toEqual(['s2', 's1']);
      expect(await shops('--where', 'total > 9.5')).toEqual(['s2', 's1']);
      expect(await shops('--where', "paid = true and items[0].sku in ('a1', 'a3')")).toEqual(['s3']);
      expect(await shops('--where', "at >= '2026-01-03' or not (day = 0)")).toEqual(['s2', 's1', 's3']);
      expect(await shops('{"shop":"s3","day":1}')).toEqual(['s3']);
      expect((await evstore('rows', 'sales', '--where', 'day = 1', '-q')).stdout).toBe(
        '{"day":1,"shop":"s1"}\n{"day":1,"shop":"s3"}\n',
      );
      expect(await report('rows', 'sales', '--where', 'paid = true', '--count')).toEqual({
        projection: 'sales',
        table: 'sales',
        rows: 2,
        estimated: false,
      });
      expect((await evstore('rows', 'sales', '-o', 'ndjson', '-n', '1')).stdout).toMatch(
        /^\{"day":0,"shop":"s0",.*\}\n$/,
      );
      expect((await evstore('rows', 'sales', '-o', 'table', '{"day":0,"shop":"s2"}')).stdout).toContain(
        '  total  100.25\n',
      );
      for (const key of ['{"day":"x","shop":"s2"}', '{"day":0}', '0', '{"day":0,"shop":"s2","total":1}']) {
        expect(await evstore('rows', 'sales', key)).toMatchObject({
          code: 2,
          stderr: expect.stringContaining('is not a key of sales'),
        });
      }
      const some = await evstore('rows', 'sales', '{"day":0,"shop":"s2"}', '{"day":9,"shop":"s2"}', '-q');
      expect(some).toMatchObject({ code: 6, stdout: '{"day":0,"shop":"s2"}\n' });
      expect(some.stderr).toContain('sales has no row {"day":9,"shop":"s2"}');
    }));

  test('the tables of a rebuild and of a swap, and those of statements', () =>
    withShop(engine, async ({ test, cwd, evstore, report, writeProjection }) => {
      const statements = `import { sql } from 'evstore';
        export default { kind: 'sql', name: 'counts', version: 1, tables: ['counts_a', 'counts_b'],
          create: (t) => [sql\`create table \${t.counts_a} (id text primary key, n integer)\`, sql\`create table \${t.counts_b} (n integer)\`],
          on: { OrderPlaced: ({ streamId }, t) => [sql\`insert into \${t.counts_a} values (\${streamId}, 1) on conflict (id) do update set n = \${t.counts_a}.n + 1\`,
            sql\`insert into \${t.counts_b} values (1)\`] } };`;
      writeFileSync(join(cwd, 'projections/counts.ts'), statements);
      await placeOrders(test.store, 6);
      expect((await evstore('rows', 'order_summary')).code).toBe(6);
      expect((await evstore('run', '--once')).code).toBe(0);
      const [several, none] = [await evstore('rows', 'counts'), await evstore('rows', 'counts', '--table', 'counts_c')];
      expect(several).toMatchObject({ code: 2, stderr: expect.stringContaining('--table: counts_a, counts_b') });
      expect(none).toMatchObject({ code: 6, stderr: expect.stringContaining('It has counts_a, counts_b.') });
      expect((await report('rows', 'counts', '--table', 'counts_a', 'Order-2')).rows).toEqual([
        { id: 'Order-2', n: 1 },
      ]);
      expect((await report('rows', 'counts', '--table', 'counts_b', '--count')).rows).toBe(6);
      expect(await evstore('rows', 'counts', '--table', 'counts_b', '1')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('no primary key'),
      });
      for (const side of ['--built', '--old']) expect((await evstore('rows', 'order_summary', side)).code).toBe(6);
      writeProjection(2, '() => ({ events: 9, total: 9 })');
      expect((await evstore('rebuild', 'order_summary', '--no-swap')).code).toBe(0);
      expect((await report('rows', 'order_summary', 'Order-1', '--built')).rows).toEqual([
        { order_id: 'Order-1', events: 9, total: 9 },
      ]);
      expect((await report('rows', 'order_summary', 'Order-1')).rows).toEqual([
        { order_id: 'Order-1', events: 1, total: 1 },
      ]);
      await evstore('swap', 'order_summary', '--yes');
      expect((await report('rows', 'order_summary', 'Order-1')).rows).toEqual([
        { order_id: 'Order-1', events: 9, total: 9 },
      ]);
      expect((await report('rows', 'order_summary', 'Order-1', '--old')).rows).toEqual([
        { order_id: 'Order-1', events: 1, total: 1 },
      ]);
    }));

  test('a mistake leads to the right name; a comparison that selects nothing is refused', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 6);
      await evstore('run', '--once');
      const fails = async (code: number, text: string, ...argv: string[]) => {
        const { stderr, ...ran } = await evstore('rows', ...argv);
        expect({ argv, code: ran.code, stderr }).toEqual({ argv, code, stderr: expect.stringContaining(text) });
      };
      await fails(6, 'Did you mean order_summary?', 'order_sumary');
      await fails(
        2,
        'no evnts here, did you mean events? (E_USAGE)\nHere:\n  evnts = 1\n  ^\n',
        'order_summary',
        '--where',
        'evnts = 1',
      );
      await fails(2, '  events > 1 an\n             ^\n', 'order_summary', '--where', 'events > 1 an');
      await fails(2, 'Did you mean total?', 'order_summary', '--sort', 'totl');
      await fails(2, 'events is a number, and is compared with a text', 'order_summary', '--where', "events = 'x'");
      await fails(2, "Write for example: order_id = '5'.", 'order_summary', '--where', 'order_id in (5)');
      await fails(2, 'is not a key of order_summary', 'order_summary', '{"id":1}');
      await fails(6, 'no row matched', 'order_summary', '--where', 'events > 100');
      await fails(6, "order_summary has no row '; drop", 'order_summary', "'; drop table order_summary; --");
    }));

  test('without code the columns of the database suffice', () =>
    withShop(engine, async ({ test, evstore, evstoreWith }) => {
      await placeOrders(test.store, 6);
      await evstore('run', '--once');
      const elsewhere = await evstoreWith(
        { cwd: undefined as never },
        'rows',
        'order_summary',
        '--where',
        'total >= 4',
        '-q',
      );
      expect(elsewhere).toMatchObject({ code: 0, stdout: 'Order-4\nOrder-5\n' });
    }));
});

test('names of columns and values from the store stay inert on a terminal', () =>
  withShop('sqlite', async ({ test, evstore, evstoreWith }) => {
    await placeOrders(test.store, 2);
    await evstore('run', '--once');
    await test.raw.query('alter table order_summary add column "c\u001b[2J" text');
    await test.raw.query("update order_summary set \"c\u001b[2J\" = 'x' || char(27) || '[31m'");
    for (const argv of [[], ['Order-1'], ['-q']]) {
      const { code, stdout } = await evstoreWith({ tty: true }, 'rows', 'order_summary', ...argv, '--color', 'never');
      expect(code).toBe(0);
      expect(stdout).toContain('Order-1');
      expect(stdout).not.toContain('\u001b');
    }
  }));

test('a large table is estimated unless asked, and reading all of it is announced', () =>
  withShop('sqlite', async ({ test, evstore, report }) => {
    await placeOrders(test.store, 1);
    await evstore('run', '--once');
    await test.raw.query(`insert into order_summary with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000)
      select 'X-' || i, i, i from n`);
    const first = await report('rows', 'order_summary');
    expect(first).toMatchObject({ matched: null, truncated: true, total: 20_001, estimated: true });
    expect(first.rows).toHaveLength(100);
    expect((await evstore('rows', 'order_summary', '--count')).stdout).toBe('~20001\n');
    expect((await evstore('rows', 'order_summary', '--count', '--exact')).stdout).toBe('20001\n');
    const sorted = await evstore('rows', 'order_summary', '--sort', 'events:desc', '-n', '1', '-q');
    expect(sorted.stdout).toBe('X-20000\n');
    const noted = await evstore('rows', 'order_summary', '--where', 'events > 19999', '-o', 'tsv');
    expect(noted.stderr).toContain('may read about 20,001 rows; Ctrl-C stops');
  }));

test('before the first ANALYZE of Postgres, a large table is estimated by its first blocks', () =>
  withShop('postgres', async ({ test, evstore }) => {
    await placeOrders(test.store, 1);
    await evstore('run', '--once');
    await test.raw.query('alter table order_summary set (autovacuum_enabled = false)');
    await test.raw.query("insert into order_summary select 'X-' || i, i, i from generate_series(1, 40000) i");
    const { stdout } = await evstore('rows', 'order_summary', '--count');
    expect(stdout).toMatch(/^~\d+\n$/);
    const estimated = Number(stdout.slice(1));
    expect(estimated).toBeGreaterThan(38_000);
    expect(estimated).toBeLessThan(42_000);
  }));
