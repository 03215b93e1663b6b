/** Tables of read models as they are: their columns, their rows in pages, and the rows that a condition selects. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { StoredRow, TableSpec } from '../../src/domain/read-model.js';
import { createRowTest, parseRowCondition } from '../../src/domain/where/row.js';
import type { Store, TableColumn } from '../../src/store/store.js';
import { append, errorOf } from '../support/events.js';
import { allTypes, checkpointOf, rowChanges, takeLease } from '../support/read-models.js';
import { suite } from './suite.js';

const now = new Date('2026-02-01T00:00:00Z');
const wide: TableSpec = { name: 'wide', columns: allTypes, key: ['id'], indexes: [] };
const pairs: TableSpec = {
  name: 'pairs',
  columns: [
    { name: 'a', type: 'text' },
    { name: 'value', type: 'text' },
    { name: 'b', type: 'bigint' },
  ],
  key: ['b', 'a'],
  indexes: [],
};

async function fill(store: Store, spec: TableSpec, rows: readonly StoredRow[]): Promise<void> {
  await store.projections.register({ name: spec.name, version: 1, codeHash: 'h', model: { kind: 'table', spec } });
  const lease = await takeLease(store, checkpointOf(spec.name));
  await append(store, 'Order-1');
  await store.projections.apply({ lease, from: 0, to: 1, lastEventId: null, changes: rowChanges(spec, rows) });
}

async function read(store: Store, spec: TableSpec, query: { keys?: readonly (readonly string[])[] } = {}) {
  const { columns } = await store.tables.describe(spec.name, spec);
  const pages: (readonly StoredRow[])[] = [];
  for await (const page of store.tables.read(spec.name, { columns, order: 'key', ...query })) pages.push(page);
  return pages;
}

/** Values in which engines are known to differ. */
const numbers = ['9007199254740993', '-9007199254740993', '0', '1', '-7'];
const texts = ['', 'a', 'A', 'é', 'Zoë', '😀', '5', "it's", 'a%b', 'true'];
const times = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000001Z', '1999-12-31T23:59:59.999Z'];
const maybe = (values: readonly (string | number | boolean)[]) => fc.constantFrom(null, ...values);
const anyRow = fc.record({
  t: maybe(texts),
  i: maybe([0, 1, -7, 2_147_483_647]),
  b: maybe([...numbers.slice(0, 2), 0, 1]),
  r: maybe([0.1, -0.5, 1e300, 3]),
  n: maybe(['10.50', '0.1', '123456789012345678.5', '-7']),
  f: maybe([true, false]),
  j: maybe(['{"a":1,"b":{"c":"x"}}', '[1,"2"]', 'null', '"a"', '9007199254740993']),
  w: maybe(times),
});
const mixed: TableSpec = {
  name: 'mixed',
  columns: [
    { name: 'k', type: 'integer' },
    ...(['text', 'integer', 'bigint', 'real', 'numeric', 'boolean', 'json', 'timestamp'] as const).map((type, at) => {
      return { name: 'tibrnfjw'.charAt(at), type };
    }),
  ],
  key: ['k'],
  indexes: [],
};
const comparison = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('i', 'b', 'r', 'n', 'j', 'j.a'),
      fc.constantFrom('=', '!=', '<', '<=', '>', '>='),
      fc.constantFrom(...numbers, '0.1', '10.5', '1e300'),
    )
    .map((parts) => parts.join(' ')),
  fc
    .tuple(fc.constantFrom('t', 'j', 'j[1]', 'j.b.c'), fc.constantFrom('=', '!=', '<', '>'), fc.constantFrom(...texts))
    .map(([name, operator, text]) => `${name} ${operator} '${text.replaceAll("'", "''")}'`),
  fc
    .tuple(fc.constantFrom('=', '!=', '<', '>='), fc.constantFrom(...times))
    .map(([operator, time]) => `w ${operator} '${time}'`),
  fc.constantFrom('f = true', 'f != false', 'f = null', 't = null', 'not (i = null)', 'exists j.a', "t like 'a%'"),
  fc.subarray(numbers, { minLength: 1 }).map((chosen) => `b in (${chosen.join(', ')})`),
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparison,
    tie('condition').map((inner) => `not (${inner})`),
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a}) and (${b})`),
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a}) or (${b})`),
  ),
}));

export const tablesSuite = suite('tables', {
  'columns with their types and their places in the key': async ({ store }) => {
    await fill(store, wide, []);
    const { columns } = await store.tables.describe('wide', wide);
    expect(columns.map(({ name, kind }) => ({ name, type: kind }))).toEqual(allTypes);
    await fill(store, pairs, []);
    const { columns: two, isExact } = await store.tables.describe('pairs');
    expect(two.map(({ name, keyPlace }) => [name, keyPlace])).toEqual([
      ['a', 2],
      ['value', null],
      ['b', 1],
    ]);
    expect(isExact).toBe(store.engine === 'postgres');
    await errorOf('E_NOT_FOUND', store.tables.describe('absent'));
  },

  'rows in pages, in the order of the key, and counts up to a bound': async ({ store }) => {
    const rows = Array.from({ length: 1_234 }, (_, at) => ({ a: `a${at % 3}`, value: `v${at}`, b: (at * 7919) % 617 }));
    const different = [...new Map(rows.map((row) => [`${row.b} ${row.a}`, row])).values()];
    await fill(store, pairs, different);
    const pages = await read(store, pairs);
    expect(pages.length).toBeGreaterThan(2);
    const sorted = [...different].sort((x, y) => x.b - y.b || (x.a < y.a ? -1 : 1));
    expect(pages.flat()).toEqual(sorted);
    expect(await store.tables.countUpTo('pairs', 10)).toBe(10);
    expect(await store.tables.countUpTo('pairs', 100_000)).toBe(different.length);
    expect(await store.tables.countUpTo('pairs', Number.MAX_SAFE_INTEGER)).toBe(different.length);
  },

  'a page that is not taken ends the snapshot: the table can be dropped': async ({ store, raw }) => {
    await fill(
      store,
      pairs,
      Array.from({ length: 2_000 }, (_, b) => ({ a: 'a', value: '', b })),
    );
    const { columns } = await store.tables.describe('pairs');
    for await (const page of store.tables.read('pairs', { columns, order: 'key' })) {
      expect(page).toHaveLength(500);
      break;
    }
    await raw.query('drop table pairs');
  },

  'rows by key, as typed; a key of two columns': async ({ store }) => {
    await fill(store, pairs, [
      { a: 'x', value: '1', b: '9007199254740993' },
      { a: "x' or 'a' = 'a", value: '2', b: 5 },
    ]);
    const find = async (...keys: string[][]) => (await read(store, pairs, { keys })).flat().map(({ value }) => value);
    expect(await find(['9007199254740993', 'x'])).toEqual(['1']);
    expect(await find(['5', "x' or 'a' = 'a"])).toEqual(['2']);
    expect(await find(['5', 'x'])).toEqual([]);
    expect(await find(['5', "x' or 'a' = 'a"], ['9007199254740993', 'x'])).toEqual(['2', '1']);
  },

  'values keep every digit, and are those that the projection reads': async ({ store }) => {
    const row = {
      k: 1,
      t: 'Zoë',
      i: -7,
      b: '9007199254740993',
      r: 0.1,
      n: '123456789012345678.50',
      f: false,
      j: '{"b":1.10,"a":9007199254740993}',
      w: '2026-01-01T00:00:00.000001Z',
    };
    await fill(store, mixed, [row]);
    expect((await read(store, mixed)).flat()).toEqual([row]);
    expect(await store.projections.readRows('mixed', mixed, [{ k: 1 }])).toEqual([row]);
  },

  'an unread estimate is near the number of rows': async ({ store, raw, engine }) => {
    await fill(
      store,
      pairs,
      Array.from({ length: 3_000 }, (_, b) => ({ a: 'a', value: '', b })),
    );
    if (engine === 'postgres') await raw.query('analyze pairs');
    expect(await store.tables.estimate('pairs')).toBe(3_000);
    if (engine === 'sqlite') await raw.query('create table no_ids (id text primary key) without rowid');
    else await raw.query('create table no_ids (id text primary key)');
    // Postgres reads a part of a table without statistics, and this one is empty.
    expect(await store.tables.estimate('no_ids')).toBe(engine === 'sqlite' ? null : 0);
  },

  'no row for which a condition holds is left out of the candidates': async ({ store }) => {
    const rows = fc.sample(anyRow, { numRuns: 300, seed: 7 }).map((row, k): StoredRow => ({ ...row, k }));
    await fill(store, mixed, rows);
    const { columns } = await store.tables.describe('mixed', mixed);
    const all = (await read(store, mixed)).flat();
    await fc.assert(
      fc.asyncProperty(condition, async (text) => {
        const parsed = parseRowCondition(text, columns, now);
        const isWanted = createRowTest(parsed, columns);
        const candidates: StoredRow[] = [];
        for await (const page of store.tables.read('mixed', { columns, order: 'key', candidates: parsed }))
          candidates.push(...page);
        expect(candidates.filter(isWanted)).toEqual(all.filter(isWanted));
      }),
      { numRuns: 150 },
    );
  },

  'a comparison of a column narrows the candidates': async ({ store }) => {
    await fill(
      store,
      mixed,
      Array.from({ length: 50 }, (_, k) => ({ ...empty(mixed.columns), k, t: `t${k}` })),
    );
    const { columns } = await store.tables.describe('mixed', mixed);
    for (const text of ['k = 7', "t = 't7'", 'k in (7)', "k > 6 and k <= 7 and t like '%'", 'k = 7 and f = null']) {
      const candidates = parseRowCondition(text, columns, now);
      const pages = [];
      for await (const page of store.tables.read('mixed', { columns, order: 'any', candidates })) pages.push(...page);
      expect({ text, rows: pages.map(({ k }) => k) }).toEqual({ text, rows: [7] });
    }
  },
});

function empty(columns: readonly Pick<TableColumn, 'name'>[]): StoredRow {
  return Object.fromEntries(columns.map(({ name }) => [name, null]));
}
