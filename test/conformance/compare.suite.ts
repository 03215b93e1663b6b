import { expect } from 'vitest';
import { sql, toTableIdentifiers } from '../../src/projection/define/sql-tag.js';
import type { Comparison, Rebuild, Store } from '../../src/store/store.js';
import type { TestStore } from '../support/engines.js';
import { append, errorOf, makeEvents } from '../support/events.js';
import { makeTables, numbersBelow } from '../support/made-tables.js';
import { buildNext, runBatch, runToHead, startProjection, totals } from '../support/read-models.js';
import { suite } from './suite.js';

interface Compared {
  readonly position: number | undefined;
  /** By table. */
  readonly tables: Record<string, ComparedRows>;
}

interface ComparedRows {
  key: readonly string[];
  columns: readonly string[];
  onlyLive: readonly string[];
  onlyRebuilt: readonly string[];
  added: unknown[];
  removed: unknown[];
  changed: unknown[];
  live: number;
  rebuilt: number;
}

/** @param meanwhile runs after the first item */
async function compare(
  store: Store,
  rebuild: Rebuild,
  meanwhile: () => Promise<unknown> = async () => {},
): Promise<Compared> {
  const found: { position: number | undefined; tables: Record<string, ComparedRows> } = {
    position: undefined,
    tables: {},
  };
  for await (const item of store.projections.compareTables(rebuild)) {
    if (item.kind !== 'position') expect(found.position).toBeDefined();
    if (item.kind === 'position') {
      found.position = item.position;
      await meanwhile();
    } else addItem(found.tables, item);
  }
  return found;
}

function addItem(tables: Record<string, ComparedRows>, item: Exclude<Comparison, { kind: 'position' }>): void {
  if (item.kind === 'table') {
    const { columns, onlyLive, onlyRebuilt } = item;
    const key = item.key.map(({ name }) => name);
    const rows = { added: [], removed: [], changed: [], live: -1, rebuilt: -1 };
    tables[item.table] = { key, columns: columns.map(({ name }) => name), onlyLive, onlyRebuilt, ...rows };
    return;
  }
  const table = tables[item.table];
  if (table === undefined) throw new Error(`${item.table} was not introduced`);
  if (item.kind === 'counts') Object.assign(table, { live: item.live, rebuilt: item.rebuilt });
  else {
    // An engine may find them in any order.
    table.added = sortByText([...table.added, ...item.added]);
    table.removed = sortByText([...table.removed, ...item.removed]);
    table.changed = sortByText([...table.changed, ...item.changed]);
  }
}

function sortByText(values: readonly unknown[]): unknown[] {
  return [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function startLive({ store }: TestStore, events = 8) {
  const live = await startProjection(store);
  for (let index = 0; index < events; index++) await append(store, `Order-${index}`, makeEvents(2));
  const position = await runToHead(store, live);
  return { live: { ...live, position }, position };
}

export const compareSuite = suite('compare', {
  'rows added, removed and changed, and nothing else': async (test) => {
    const { store, raw } = test;
    const { position } = await startLive(test);
    const { rebuild } = await buildNext(store, 2);
    const same = { added: [], removed: [], changed: [], live: 8, rebuilt: 8 };
    expect(await compare(store, rebuild)).toEqual({
      position,
      tables: {
        order_totals: { key: ['stream_id'], columns: ['events', 'total'], onlyLive: [], onlyRebuilt: [], ...same },
      },
    });
    await raw.query(`delete from order_totals where stream_id in ('Order-0', 'Order-7')`);
    await raw.query(`insert into order_totals values ('Order-zz', 1, 9007199254740993), ('A', null, null)`);
    await raw.query(`update order_totals set events = 40 where stream_id = 'Order-3'`);
    await raw.query(`update order_totals set events = null, total = -1 where stream_id = 'Order-4'`);
    const { tables } = await compare(store, rebuild);
    const found = tables.order_totals;
    expect(found).toMatchObject({ live: 8, rebuilt: 8 });
    expect(found?.added).toEqual([{ stream_id: 'Order-0' }, { stream_id: 'Order-7' }]);
    expect(found?.removed).toEqual([{ stream_id: 'A' }, { stream_id: 'Order-zz' }]);
    expect(found?.changed).toEqual([
      { key: { stream_id: 'Order-3' }, columns: { events: { live: 40, rebuilt: 2 } } },
      {
        key: { stream_id: 'Order-4' },
        columns: { events: { live: null, rebuilt: 2 }, total: { live: -1, rebuilt: expect.any(Number) } },
      },
    ]);
  },

  'at two positions nothing is compared': async (test) => {
    const { store } = test;
    const { live, position } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 2, { to: position - 1 });
    await errorOf('E_SUPERSEDED', compare(store, rebuild));
    const table = rebuild.tables[0]?.built ?? '';
    await runToHead(store, { ...lease, position: position - 1 }, { table, side: 'built' });
    expect((await compare(store, rebuild)).position).toBe(position);
    await append(store, 'Order-1');
    await runBatch(store, live, position);
    await errorOf('E_SUPERSEDED', compare(store, rebuild));
    await store.projections.abort(rebuild, lease);
    await errorOf('E_SUPERSEDED', compare(store, rebuild));
  },

  'one state of both tables, whatever is written meanwhile': async (test) => {
    const { store, raw } = test;
    const { live, position } = await startLive(test, 30);
    const { rebuild, lease } = await buildNext(store, 2);
    const built = rebuild.tables[0]?.built ?? '';
    const found = await compare(store, rebuild, async () => {
      for (let index = 0; index < 30; index++) await append(store, `Order-${index}`, makeEvents(2));
      await runToHead(store, live);
      await raw.query(`delete from ${built} where stream_id = 'Order-9'`);
      await raw.query(`insert into order_totals values ('Order-x', 1, 1)`);
    });
    expect(found.position).toBe(position);
    expect(found.tables.order_totals).toMatchObject({ added: [], removed: [], changed: [], live: 30, rebuilt: 30 });
    await runToHead(store, { ...lease, position }, { table: built, side: 'built' });
    const later = await compare(store, rebuild);
    expect(later.position).toBeGreaterThan(position);
    expect(later.tables.order_totals?.removed).toEqual([{ stream_id: 'Order-x' }]);
  },

  'columns of one side are named, the common ones compared': async ({ store, raw }) => {
    const { rebuild, built } = await makeTables(
      store,
      ['lines'],
      (t) => [sql`create table ${t.lines} (id integer primary key, gone text, price integer not null)`],
      (t) => [sql`create table ${t.lines} (price text, fresh text, id integer primary key)`],
    );
    await raw.query(`insert into lines values (1, 'a', 5), (2, 'b', 6)`);
    await raw.query(`insert into ${built[0]} values ('5', 'x', 1), ('7', 'x', 2)`);
    const { tables } = await compare(store, rebuild);
    expect(tables.lines).toMatchObject({ key: ['id'], columns: ['price'], onlyLive: ['gone'], onlyRebuilt: ['fresh'] });
    expect(tables.lines?.changed).toContainEqual({ key: { id: 2 }, columns: { price: { live: 6, rebuilt: '7' } } });
  },

  'keys of several columns, several tables, json, null': async ({ store, raw }) => {
    const { rebuild, built } = await makeTables(store, ['a', 'b'], (t) => [
      sql`create table ${t.a} ("x y" text not null, n integer not null, doc json, primary key (n, "x y"))`,
      sql`create table ${t.b} (id text not null primary key, note text)`,
    ]);
    const [builtA, builtB] = built;
    await raw.query(`insert into a values ('p', 1, '{"k":1}'), ('p', 2, null), ('q', 1, '[1]'), ('q''"', 3, null)`);
    await raw.query(`insert into ${builtA} values ('p', 1, '{"k": 1}'), ('p', 2, null), ('q', 1, null), ('r', 1, '2')`);
    await raw.query(`insert into b values ('1', 'A'), ('2', null)`);
    await raw.query(`insert into ${builtB} values ('1', 'a'), ('2', null)`);
    const { tables } = await compare(store, rebuild);
    expect(tables.a?.key).toEqual(['n', 'x y']);
    expect(tables.a?.added).toEqual([{ n: 1, 'x y': 'r' }]);
    expect(tables.a?.removed).toEqual([{ n: 3, 'x y': `q'"` }]);
    expect(tables.a?.changed).toEqual([
      { key: { n: 1, 'x y': 'p' }, columns: { doc: { live: '{"k":1}', rebuilt: '{"k": 1}' } } },
      { key: { n: 1, 'x y': 'q' }, columns: { doc: { live: '[1]', rebuilt: null } } },
    ]);
    expect(tables.b?.changed).toEqual([{ key: { id: '1' }, columns: { note: { live: 'A', rebuilt: 'a' } } }]);
    expect(tables.b).toMatchObject({ added: [], removed: [], live: 2, rebuilt: 2 });
  },

  'thousands of rows, many of them different': async ({ store, raw, engine }) => {
    const { rebuild, built } = await makeTables(store, ['many'], (t) => [
      sql`create table ${t.many} (a integer not null, b integer not null, v text, primary key (a, b))`,
    ]);
    const numbers = numbersBelow(engine, 9_000);
    await raw.query(`insert into many select i / 7, i % 7, 'v' || i from ${numbers} where i % 5 <> 0`);
    await raw.query(`insert into ${built[0]} select i / 7, i % 7, case when i % 3 = 0 then 'w' else 'v' end || i
      from ${numbers} where i % 11 <> 0`);
    const rows = Array.from({ length: 9_000 }, (_, index) => index);
    const found = (await compare(store, rebuild)).tables.many;
    const [live, rebuilt] = [(i: number) => i % 5 !== 0, (i: number) => i % 11 !== 0];
    expect(found).toMatchObject({ live: rows.filter(live).length, rebuilt: rows.filter(rebuilt).length });
    expect(found?.added).toHaveLength(rows.filter((i) => rebuilt(i) && !live(i)).length);
    expect(found?.removed).toHaveLength(rows.filter((i) => live(i) && !rebuilt(i)).length);
    expect(found?.changed).toHaveLength(rows.filter((i) => live(i) && rebuilt(i) && i % 3 === 0).length);
  },

  'a table without a primary key, or with another one, is named': async ({ store }) => {
    const { rebuild } = await makeTables(
      store,
      ['first', 'keyless'],
      (t) => [
        sql`create table ${t.first} (id text not null primary key)`,
        sql`create table ${t.keyless} (id text not null)`,
      ],
      (t) => [
        sql`create table ${t.first} (id text not null, part text not null, primary key (id, part))`,
        sql`create table ${t.keyless} (id text not null)`,
      ],
    );
    const other = await errorOf('E_CONFIG', compare(store, rebuild));
    expect(`${other.message} ${other.why}`).toMatch(/first.*\(id\).*\(id, part\)/s);
    const keyless = { ...rebuild, tables: rebuild.tables.slice(1) };
    expect((await errorOf('E_CONFIG', compare(store, keyless))).message).toContain('keyless');
  },

  'an iteration that is given up leaves nothing behind': async (test) => {
    const { store, raw } = test;
    await startLive(test);
    const { rebuild } = await buildNext(store, 2);
    for (let round = 0; round < 12; round++) {
      for await (const item of store.projections.compareTables(rebuild)) if (item.kind === 'position') break;
    }
    await raw.query(`alter table order_totals add column spare text`);
    expect((await compare(store, rebuild)).tables.order_totals?.onlyLive).toEqual(['spare']);
  },

  'select reads the first rows as JSON and cannot write': async (test) => {
    const { store } = test;
    await startLive(test, 3);
    const { order_totals: t } = toTableIdentifiers([totals.name], String);
    const rows = await store.projections.select(
      sql`select stream_id, events, null as none from ${t} where events >= ${2} order by 1; `,
      2,
    );
    expect(rows.map((row) => JSON.parse(row))).toEqual([
      { stream_id: 'Order-0', events: 2, none: null },
      { stream_id: 'Order-1', events: 2, none: null },
    ]);
    expect(await store.projections.select(sql`select * from ${t} where events > 2 -- none`, 5)).toEqual([]);
    const refused = [
      sql`delete from ${t}`,
      sql`delete from ${t} returning events`,
      sql`select 1) as q; delete from ${t}; --`,
      sql`select 1; delete from ${t}`,
      sql`with gone as (delete from ${t} returning *) select * from gone`,
      sql`select nothing from ${t}`,
      sql`commit`,
    ];
    for (const statement of refused) await errorOf('E_HANDLER', store.projections.select(statement, 5));
    expect(await store.projections.countRows(totals.name)).toBe(3);
  },
});
