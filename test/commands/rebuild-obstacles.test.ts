import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actualRows, expectedRows, placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import type { Raw } from '../support/raw.js';
import { withShop } from './shop.js';

const mine = 'create table NAME (mine integer)';
const make = (raw: Raw, name: string) => raw.query(mine.replace('NAME', name));

forEachEngine((engine) => {
  test.each(['order_summary__v1_1', 'order_summary__old_1', 'order_summary__v1_1_pkey'])(
    'a table %s of another program: the rebuild is refused before it writes anything',
    (name) =>
      withShop(engine, async ({ test, evstore, report }) => {
        await placeOrders(test.store, 10);
        await evstore('run', '--once');
        await make(test.raw, name);
        for (const flags of [['--dry-run'], [], ['--restart']]) {
          const refused = await evstore('rebuild', 'order_summary', ...flags);
          expect(refused.code).toBe(2);
          expect(refused.stderr).toContain(
            `the rebuild of order_summary needs the name ${name}, which something else has`,
          );
          expect(refused.stderr).toContain('next: evstore rebuild order_summary');
        }
        expect(await test.store.projections.rebuilds()).toEqual([]);
        await test.raw.query(`alter table ${name} rename to mine`);
        expect(await report('rebuild', 'order_summary')).toMatchObject({ rebuilds: [{ outcome: 'swapped' }] });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect(await test.raw.query('select * from mine')).toEqual([]);
      }),
  );

  test('a table of another program that takes a name after the fill: swap and rollback name it, and go on without it', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 10);
      await evstore('run', '--once');
      await evstore('rebuild', 'order_summary', '--no-swap');
      for (const [command, name] of [
        ['swap', 'order_summary__old_1'],
        ['rollback', 'order_summary__v1_1'],
      ] as const) {
        await make(test.raw, name);
        const refused = await evstore(command, 'order_summary', '--yes');
        expect(refused.code).toBe(2);
        expect(refused.stderr).toContain(`needs the name ${name}, which something else has`);
        expect(refused.stderr).toContain(`next: evstore ${command} order_summary`);
        await test.raw.query(`drop table ${name}`);
        expect((await evstore(command, 'order_summary', '--yes')).code).toBe(0);
      }
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    }));

  test('abort and gc drop what evstore made, leave what another program made under that name, and end', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 10);
      await evstore('run', '--once');
      await evstore('rebuild', 'order_summary', '--no-swap');
      await test.raw.query('drop table order_summary__v1_1');
      await make(test.raw, 'order_summary__v1_1');
      const lost = await evstore('swap', 'order_summary');
      expect(lost.code).toBe(10);
      expect(lost.stderr).toContain('next: evstore rebuild order_summary --restart');
      const left = { dropped: [], left: ['order_summary__v1_1'] };
      expect(await report('abort', 'order_summary', '--dry-run')).toMatchObject(left);
      const aborted = await evstore('abort', 'order_summary', '--yes');
      expect(aborted).toMatchObject({ code: 0, stdout: 'order_summary: rebuild 1, which has no tables, ended\n' });
      expect(aborted.stderr).toContain('order_summary__v1_1 is left as it is: evstore did not make it');

      await evstore('rebuild', 'order_summary');
      await test.raw.query('drop table order_summary__old_2');
      await make(test.raw, 'order_summary__old_2');
      const rollback = await evstore('rollback', 'order_summary', '--yes');
      expect(rollback.code).toBe(10);
      expect(rollback.stderr).toContain('next: evstore rebuild order_summary');
      await evstore('rebuild', 'order_summary');
      const collected = await report('gc', '--now', '--yes');
      expect(collected.dropped).toMatchObject([
        { tables: ['order_summary__old_3'], left: [] },
        { tables: [], left: ['order_summary__old_2'] },
      ]);
      expect(await report('gc', '--now', '--yes')).toMatchObject({ dropped: [], kept: 0 });
      for (const name of ['order_summary__v1_1', 'order_summary__old_2']) {
        expect(await test.raw.query(`select mine from ${name}`)).toEqual([]);
      }
    }));

  test('a rebuild whose tables cannot be made leaves nothing that has to be aborted', () =>
    withShop(engine, async ({ test, evstore, cwd }) => {
      const write = (columns: string) => {
        const parts = `[{ kind: 'text', text: 'create table ' }, { kind: 'identifier', name: t.lines.name }, { kind: 'text', text: '(${columns})' }]`;
        const source = `export default { name: 'lines', version: 1, tables: ['lines'], create: (t) => Object.defineProperty({ parts: ${parts} }, Symbol.for('evstore.sql'), { value: true }), on: {} };`;
        writeFileSync(join(cwd, 'projections/order-summary.ts'), source);
      };
      await placeOrders(test.store, 10);
      write('id text primary key');
      await evstore('run', '--once');
      write('id text primary key,');
      const refused = await evstore('rebuild', 'lines');
      expect(refused).toMatchObject({ code: 9, stdout: 'lines: not started\n' });
      expect((await test.store.projections.rebuilds()).map(({ state }) => state)).toEqual(['aborted']);
      write('id text primary key');
      expect((await evstore('rebuild', 'lines')).code).toBe(0);
    }));

  test('abort and gc drop tables that refer to each other, and name a view of another program that reads one', () =>
    withShop(engine, async ({ test, evstore, cwd }) => {
      await placeOrders(test.store, 10);
      const source = `
        const sql = (texts, ...values) => Object.defineProperty({
          parts: texts.flatMap((text, at) => [
            { kind: 'text', text },
            ...values.slice(at, at + 1).map((value) => (typeof value === 'string' ? { kind: 'value', value } : { kind: 'identifier', name: value.name })),
          ]),
        }, Symbol.for('evstore.sql'), { value: true });
        export default {
          name: 'family', version: 1, tables: ['parents', 'children'],
          create: (t) => [
            sql\`create table \${t.parents} (id text primary key)\`,
            sql\`create table \${t.children} (id text primary key references \${t.parents} (id))\`,
          ],
          on: {
            '*': (event, t) => [
              sql\`insert into \${t.parents} values (\${event.id})\`,
              sql\`insert into \${t.children} values (\${event.id})\`,
            ],
          },
        };`;
      writeFileSync(join(cwd, 'projections/order-summary.ts'), source);
      expect((await evstore('run', '--once')).code).toBe(0);
      expect((await evstore('rebuild', 'family', '--no-swap')).code).toBe(0);
      await test.raw.query('create view of_mine as select * from parents__v1_1');
      const refused = await evstore('abort', 'family', '--yes');
      expect(refused.code).toBe(10);
      expect(refused.stderr).toMatch(/Drop it first: view of_mine depends on table parents__v1_1/);
      expect(refused.stderr).toContain('next: evstore abort family');
      await test.raw.query('drop view of_mine');
      const aborted = await evstore('abort', 'family', '--yes');
      expect(aborted).toMatchObject({ code: 0, stdout: 'family: parents__v1_1, children__v1_1 dropped\n' });
      expect((await evstore('rebuild', 'family')).code).toBe(0);
      expect((await evstore('gc', '--now', '--yes')).code).toBe(0);
      expect(await test.store.projections.findTaken(['parents__old_2', 'children__old_2'])).toEqual([]);
    }));

  test('a foreign key that the old or the new table breaks: the key, its value and the tables are named', () =>
    withShop(engine, async ({ test, evstore, writeProjection }) => {
      await placeOrders(test.store, 10);
      await evstore('run', '--once');
      writeProjection(2);
      await evstore('rebuild', 'order_summary');
      await test.raw.query(
        'create table shipments (id integer primary key, order_id text constraint of_order references order_summary (order_id))',
      );
      await test.raw.query("insert into order_summary (order_id, events, total) values ('Order-99', 1, 1)");
      await test.raw.query("insert into shipments values (1, 'Order-99')");
      const name = engine === 'postgres' ? 'of_order' : '(order_id) of shipments';
      const message = `foreign key ${name}: shipments refers to order_id = Order-99, which is not in the order_summary that would become live`;
      for (const [command, next] of [
        ['rollback', 'rollback'],
        ['rebuild', 'swap'],
        ['swap', 'swap'],
      ] as const) {
        const refused = await evstore(command, 'order_summary', '--yes');
        expect(refused.code).toBe(10);
        expect(refused.stderr).toContain(`error: ${message} (E_UNSAFE_STORE)`);
        expect(refused.stderr).toContain('Change or delete those rows of shipments, or drop the foreign key');
        expect(refused.stderr).toContain(`next: evstore ${next} order_summary`);
        expect(refused.stderr).not.toMatch(/__(old|v2)_\d+/);
      }
      await test.raw.query('delete from shipments');
      expect((await evstore('swap', 'order_summary')).code).toBe(0);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    }));
});
