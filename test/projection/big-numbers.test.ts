/** Whole numbers that a JavaScript number would round, from the log to the rows. */
import { describe, expect, it } from 'vitest';
import { findBigNumber, parseJson, writeJson } from '../../src/domain/json-value.js';
import { openStore } from '../../src/library/event-store.js';
import {
  defineExternalProjection,
  defineProjection,
  defineSqlProjection,
} from '../../src/projection/define/definition.js';
import { sql } from '../../src/projection/define/sql-tag.js';
import { repairRows } from '../../src/projection/repair/repair.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent, readStream } from '../support/events.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { prepare, runOnce } from './orders.js';

const big = '9007199254740993';
const least = '-9223372036854775808';

describe('parseJson', () => {
  it('returns a BigInt for a whole number beyond 2^53-1, and a number for every other', () => {
    const text = `{"n":${big},"list":[${least},9007199254740991,{}],"s":"${big}","\\"k":1.5,"e":1e20,"x":[],"t":true}`;
    expect(parseJson(text)).toEqual({
      n: 9007199254740993n,
      list: [-9223372036854775808n, 9007199254740991, {}],
      s: big,
      '"k': 1.5,
      e: 1e20,
      x: [],
      t: true,
    });
    expect(findBigNumber(text)).toBe(big);
    expect(findBigNumber(`{"s":"${big}"}`)).toBeUndefined();
    expect(() => parseJson(`{"n":${big}`)).toThrow(SyntaxError);
  });

  it('finds the number at any place of a text, and writes it as it was', () => {
    const random = makeRandom(freshSeed());
    for (let round = 0; round < 500; round += 1) {
      const digits = Array.from({ length: 17 + random.below(30) }, () => 1 + random.below(9)).join('');
      const text = `["${'x'.repeat(random.below(40))}",${digits},"${'7'.repeat(random.below(40))}"]`;
      const value = parseJson(text) as readonly unknown[];
      expect(value[1], `seed ${random.seed}`).toBe(BigInt(digits));
      expect(writeJson(value)).toBe(text);
    }
  });
});

describe('a fraction in a text', () => {
  const rounded = ['0.33333333333333333333', '1234567890123456.78', '-12345678.901234567890123', '9007199254740993.0'];

  it.each(rounded)('%s is refused, because a JavaScript number has other digits', (text) => {
    expect(() => parseJson(`{"n":[${text}]}`)).toThrow(`the number ${text} has more digits than a JavaScript number`);
    expect(parseJson(`{"n":[${text}]}`, true)).toEqual({ n: [Number(text)] });
    expect(parseJson(`{"n":"${text}"}`)).toEqual({ n: text });
  });

  it('that a program printed from a double is that double, however many digits it printed', () => {
    const random = makeRandom(freshSeed());
    for (let round = 0; round < 2_000; round += 1) {
      const value = (random.below(2 ** 31) + random.below(2 ** 31) / 2 ** 31) * 10 ** (random.below(30) - 25);
      for (const text of [String(value), value.toPrecision(17), value.toPrecision(25), value.toExponential(16)]) {
        expect(parseJson(`[${text}]`), `seed ${random.seed}`).toEqual([Number(text)]);
      }
    }
  });
});

const totals = defineProjection({
  name: 'totals',
  version: 1,
  table: {
    columns: { id: 'text', total: 'bigint', exact: 'numeric', doc: 'json', events: 'integer' },
    key: 'id',
  },
  on: {
    Counted: (row, { data }) => ({
      total: BigInt(row?.total ?? 0) + BigInt(data.n),
      exact: data.n,
      doc: data,
      events: (row?.events ?? 0) + 1,
    }),
  },
});

forEachEngine((engine) => {
  describe('a whole number beyond 2^53-1', () => {
    it('reaches the handler and the columns with every digit', async () => {
      await withTestStore(engine, async (test) => {
        const projection = prepare(totals);
        const event = (n: string) => makeEvent({ type: 'Counted', data: `{"n":${n}}` });
        await append(test.store, 'A', [event(big)]);
        await append(test.store, 'least', [event(least)]);
        await append(test.store, 'small', [event('2')]);
        await runOnce(test.store, [projection]);
        // The row is read from the table.
        await append(test.store, 'A', [event('4')]);
        await append(test.store, 'small', [event(big)]);
        await runOnce(test.store, [projection]);
        const rows = await test.raw.query(
          `select id, cast(total as text) as total, cast(exact as text) as exact, cast(doc as text) as doc, events
             from totals order by id`,
        );
        expect(rows.map((row) => ({ ...row, events: Number(row.events) }))).toEqual([
          { id: 'A', total: '9007199254740997', exact: '4', doc: '{"n":4}', events: 2 },
          { id: 'least', total: least, exact: least, doc: `{"n":${least}}`, events: 1 },
          { id: 'small', total: '9007199254740995', exact: big, doc: `{"n":${big}}`, events: 2 },
        ]);
        const report = await repairRows({
          store: test.store,
          projection,
          scope: { kind: 'keys', keys: ['A', 'least', 'small'] },
          owner: 'host:9',
          dryRun: true,
          samples: 10,
          maxWaitMs: 10_000,
          signal: new AbortController().signal,
        });
        expect(report.rows).toMatchObject({ added: 0, removed: 0, changed: 0 });
      });
    });

    it('may be the key of a row, and a value of a statement', async () => {
      await withTestStore(engine, async (test) => {
        const byNumber = defineProjection({
          name: 'by_number',
          version: 1,
          table: { columns: { n: 'bigint', events: 'integer' }, key: 'n' },
          key: ({ data }) => data.n,
          on: { Counted: (row) => ({ events: (row?.events ?? 0) + 1 }) },
        });
        const statements = defineSqlProjection({
          name: 'numbers',
          version: 1,
          tables: ['numbers'],
          create: (t) => sql`create table ${t.numbers} (n bigint not null, doc text)`,
          on: { Counted: ({ data }, t) => sql`insert into ${t.numbers} values (${data.n}, ${data})` },
        });
        for (const n of [big, '9007199254740992', '1', big]) {
          await append(test.store, 'A', [makeEvent({ type: 'Counted', data: `{"n":${n}}` })]);
          await runOnce(test.store, [prepare(byNumber), prepare(statements)]);
        }
        const rows = await test.raw.query('select cast(n as text) as n, events from by_number order by events, n');
        expect(rows.map((row) => [row.n, Number(row.events)])).toEqual([
          ['1', 1],
          ['9007199254740992', 1],
          [big, 2],
        ]);
        const numbers = await test.raw.query(
          `select cast(n as text) as n, doc from numbers where n > 9007199254740992`,
        );
        expect(numbers).toEqual([
          { n: big, doc: `{"n":${big}}` },
          { n: big, doc: `{"n":${big}}` },
        ]);
      });
    });

    it('is read by a program as a BigInt, and appended again with every digit', async () => {
      await withTestStore(engine, async (test) => {
        await append(test.store, 'A', [makeEvent({ type: 'Counted', data: `{"n":${big}}` })]);
        const store = await openStore(test.url);
        for await (const { data } of store.readStream('A')) await store.append('B', { type: 'Counted', data });
        await store.close();
        expect((await readStream(test.store, 'B'))[0]?.data).toBe(`{"n":${big}}`);
      });
    });

    it('is named when a handler cannot take it', async () => {
      await withTestStore(engine, async (test) => {
        const mixing = defineProjection({
          ...totals,
          on: { Counted: (row, { data }) => ({ total: (row?.total ?? 0) + data.n }) },
        });
        await append(test.store, 'A', [makeEvent({ type: 'Counted', data: `{"n":${big}}` })]);
        const { results } = await runOnce(test.store, [prepare(mixing)]);
        const [{ error } = {}] = results;
        expect(error?.message).toContain('failed on Counted at position 1');
        expect(error?.why).toContain(`Its number ${big} is beyond 2^53-1`);
      });
    });
  });

  describe('a fraction that a JavaScript number would round', () => {
    const long = '1234567890123456.78';
    const table = (roundNumbers?: boolean) =>
      defineProjection({
        ...totals,
        ...(roundNumbers !== undefined && { roundNumbers }),
        on: { Counted: (row, { data }) => ({ exact: data.n, events: (row?.events ?? 0) + 1 }) },
      });
    const statements = defineSqlProjection({
      name: 'statements',
      version: 1,
      tables: ['statements'],
      create: (t) => sql`create table ${t.statements} (n numeric)`,
      on: { Counted: ({ data }, t) => sql`insert into ${t.statements} values (${data.n})` },
    });
    const external = defineExternalProjection({
      name: 'outside',
      version: 1,
      open: () => ({}),
      write: (_connection, { events }) => JSON.stringify(events.map(({ data }) => data)),
      promote: () => {},
      drop: () => {},
    });

    it.each([
      ['table', table()],
      ['sql', statements],
      ['external', external],
    ])('stops a %s projection by name, or is parked, as an event whose handler throws', async (_kind, projection) => {
      await withTestStore(engine, async ({ store }) => {
        await append(store, 'A', [makeEvent({ type: 'Counted', data: `{"n":${long}}` })]);
        await append(store, 'B', [makeEvent({ type: 'Counted', data: '{"n":0.1}' })]);
        const { results } = await runOnce(store, [prepare(projection)]);
        const [{ error } = {}] = results;
        expect(error).toMatchObject({ code: 'E_HANDLER', details: { globalPosition: 1 } });
        expect(error?.why).toContain(`the number ${long} has more digits than a JavaScript number keeps`);
        const policy = { onError: 'park', retries: 0 } as const;
        const parked = await runOnce(store, [prepare(projection)], { policy });
        expect(parked.results).toMatchObject([{ error: null, position: 2, events: 1, aside: 1 }]);
      });
    });

    it('is taken as the nearest number when the definition says so, and is no fault where it is not read', async () => {
      await withTestStore(engine, async ({ store, raw }) => {
        await append(store, 'A', [makeEvent({ type: 'Counted', data: `{"n":${long}}` })]);
        const counting = defineProjection({
          name: 'counting',
          version: 1,
          table: { columns: { id: 'text', events: 'integer' }, key: 'id' },
          on: { Counted: (row) => ({ events: (row?.events ?? 0) + 1 }) },
        });
        const { results } = await runOnce(store, [prepare(table(true)), prepare(counting)]);
        expect(results).toMatchObject([{ error: null }, { error: null }]);
        const rows = await raw.query('select cast(exact as text) as exact from totals');
        expect(rows).toEqual([{ exact: '1234567890123456.8' }]);
      });
    });

    it('is an error for a program that reads it, unless it says so', async () => {
      await withTestStore(engine, async (test) => {
        await append(test.store, 'A', [makeEvent({ type: 'Counted', data: `{"n":${long}}` })]);
        for (const roundNumbers of [false, true]) {
          const store = await openStore(test.url, { roundNumbers });
          for await (const event of store.readStream('A')) {
            if (roundNumbers) expect(event.data).toEqual({ n: Number(long) });
            else expect(() => event.data).toThrow('more digits');
          }
          await store.close();
        }
      });
    });
  });

  it('the sql tag writes whole numbers, truth values and BigInts as such, in columns of any type', async () => {
    await withTestStore(engine, async ({ store, raw }) => {
      const projection = defineSqlProjection({
        name: 'written',
        version: 1,
        tables: ['written'],
        create: (t) => sql`create table ${t.written} (a text, b bigint, c numeric, d text)`,
        on: {
          Counted: (_event, t) => {
            const least = -(2n ** 63n);
            return sql`insert into ${t.written} values (${12}, ${least}, ${2n ** 63n - 1n}, ${9007199254740993n})`;
          },
        },
      });
      await append(store, 'A', [makeEvent({ type: 'Counted', data: '{}' })]);
      expect((await runOnce(store, [prepare(projection)])).results).toMatchObject([{ error: null }]);
      const rows = await raw.query(
        'select a, cast(b as text) as b, cast(c as text) as c, cast(d as text) as d, cast(b < 5 as int) as less from written',
      );
      expect(rows.map((row) => ({ ...row, less: Number(row.less) }))).toEqual([
        { a: '12', b: least, c: '9223372036854775807', d: big, less: 1 },
      ]);
    });
  });
});
