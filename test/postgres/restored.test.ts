/**
 * A database that was restored from a dump: every table has another oid there, also the journal. Here the tables of a store
 * are made anew in place, as pg_restore does; restored.long.test.ts uses pg_dump.
 */
import { expect, test } from 'vitest';
import { type Shop, withShop } from '../commands/shop.js';
import { placeOrders } from '../projection/orders.js';
import type { Raw } from '../support/raw.js';

/** Makes the table again, with its rows, constraints and indexes. */
async function remake(raw: Raw, table: string): Promise<void> {
  const statements = await raw.query(
    `select format('alter table %I add constraint %I %s', $1::text, conname, pg_get_constraintdef(oid)) as make
       from pg_constraint where conrelid = to_regclass($1::text) and contype in ('p', 'u', 'c')
     union all
     select pg_get_indexdef(indexrelid)
       from pg_index i where indrelid = to_regclass($1::text)
        and not exists (select from pg_constraint c where c.conindid = i.indexrelid)`,
    [table],
  );
  await raw.query(`create table ${table}_copy (like ${table} including defaults including identity);
    insert into ${table}_copy overriding system value select * from ${table};
    drop table ${table}; alter table ${table}_copy rename to ${table}`);
  for (const { make } of statements) await raw.query(String(make));
  if (table !== 'evstore_rebuilds') return;
  await raw.query(
    "select setval(pg_get_serial_sequence('evstore_rebuilds', 'id'), (select max(id) from evstore_rebuilds))",
  );
}

/** A shop with a rebuild that is ready, or swapped. */
async function build({ test, evstore }: Shop, ...argv: string[]): Promise<void> {
  await placeOrders(test.store, 20);
  await evstore('run', '--once');
  expect(await evstore('rebuild', 'order_summary', ...argv)).toMatchObject({ code: 0 });
}

async function restore({ test: { raw } }: Shop, beside: string): Promise<void> {
  for (const table of ['evstore_rebuilds', 'order_summary', beside]) await remake(raw, table);
}

async function tableNames({ test: { raw } }: Shop): Promise<readonly unknown[]> {
  const rows = await raw.query(
    "select relname as name from pg_class where relname ~ '^order_summary' and relkind = 'r'",
  );
  return rows.map(({ name }) => name).sort();
}

test('a rebuild that was ready is swapped in, rolled back and aborted after a restore', () =>
  withShop('postgres', async (shop) => {
    await build(shop, '--no-swap');
    await restore(shop, 'order_summary__v1_1');
    for (const argv of [['swap'], ['rollback', '--yes'], ['swap'], ['gc', '--now', '--yes']]) {
      const [command = '', ...flags] = argv;
      const names = command === 'gc' ? [] : ['order_summary'];
      expect(await shop.evstore(command, ...names, ...flags), command).toMatchObject({ code: 0 });
    }
    expect(await tableNames(shop)).toEqual(['order_summary']);
    expect(await shop.evstore('verify')).toMatchObject({ code: 0 });
  }));

test.each([
  ['abort', '--yes'],
  ['rebuild', '--resume'],
  ['rebuild', '--restart'],
])('evstore %s %s works after a restore', (command, flag) =>
  withShop('postgres', async (shop) => {
    await build(shop, '--no-swap');
    await restore(shop, 'order_summary__v1_1');
    expect(await shop.evstore(command, 'order_summary', flag)).toMatchObject({ code: 0 });
    expect(await tableNames(shop)).not.toContain('order_summary__v1_1');
  }),
);

test('a swap is rolled back after a restore', () =>
  withShop('postgres', async (shop) => {
    await build(shop);
    await restore(shop, 'order_summary__old_1');
    expect(await shop.evstore('rollback', 'order_summary', '--yes')).toMatchObject({ code: 0 });
  }));

test('a table of the same name with other columns is not taken for the one that was dumped', () =>
  withShop('postgres', async (shop) => {
    await build(shop, '--no-swap');
    await restore(shop, 'order_summary__v1_1');
    await shop.test.raw.query('alter table order_summary__v1_1 add column mine integer');
    const { code, stderr } = await shop.evstore('swap', 'order_summary');
    expect(code).toBe(10);
    expect(stderr).toContain('is not the one this rebuild knows');
    expect((await shop.test.store.projections.rebuilds())[0]).toMatchObject({ owner: null });
    expect(await tableNames(shop)).toContain('order_summary__v1_1');
  }));

test('in the database where it was made, a table that was made again is a stranger', () =>
  withShop('postgres', async (shop) => {
    await build(shop, '--no-swap');
    await remake(shop.test.raw, 'order_summary__v1_1');
    const { code, stderr } = await shop.evstore('swap', 'order_summary');
    expect(code).toBe(10);
    expect(stderr).toContain('is not the one this rebuild knows');
  }));
