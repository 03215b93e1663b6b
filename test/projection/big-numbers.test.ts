/** Whole numbers that a JavaScript number would round, from the log to the rows. */
import { describe, expect, it } from 'vitest';
import { findBigNumber, parseJson, writeJson } from '../../src/domain/json-value.js';
import { openStore } from '../../src/event-store.js';
import { defineProjection, defineSqlProjection } from '../../src/projection/define/definition.js';
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
    const text = `{"n":${big},"list":[${least},9007199254740991,{}],"s":"${big}","\\"k":1.${big},"e":1e20,"x":[],"t":true}`;
    expect(parseJson(text)).toEqual({
      n: 9007199254740993n,
      list: [-9223372036854775808n, 9007199254740991, {}],
      s: big,
      '"k': Number(`1.${big}`),
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
});
