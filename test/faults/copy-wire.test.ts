/** Rows by COPY: spelled so that they come back as they were, and over a wire and with rows that fail in the middle. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import { parseConnectionUrl } from '../../src/store/postgres/connection/connection-url.js';
import { type CopyValue, copyLine } from '../../src/store/postgres/connection/copy-text.js';
import { Database, type Session } from '../../src/store/postgres/connection/database.js';
import { createTestStore, type TestStore } from '../support/engines.js';
import { errorOf, failureOf } from '../support/events.js';
import { type Cut, startWireProxy, type WireProxy } from '../support/wire-proxy.js';

const copyText = 'copy facts (n, text) from stdin';
const many = 100_000;

let test: TestStore;
let proxy: WireProxy;
let database: Database;

beforeAll(async () => {
  test = await createTestStore('postgres');
  proxy = await startWireProxy(test.url);
  database = connect();
  await test.raw.query('create table facts (n bigint primary key, text text)');
});

afterAll(async () => {
  await database.close();
  await proxy.close();
  await test.cleanup();
});

beforeEach(async () => {
  await test.raw.query('truncate facts');
});

const connect = () =>
  new Database(parseConnectionUrl(proxy.url), {
    schema: 'public',
    sql: (name) => name,
    applicationName: 'rows by copy',
    readOnly: false,
  });

function* lines(count: number, odd: (index: number) => CopyValue | undefined = () => undefined): Generator<string> {
  for (let index = 1; index <= count; index++)
    yield copyLine([odd(index) ?? index, 'a text of some length '.repeat(5)]);
}

async function count(): Promise<number> {
  const [row] = await test.raw.query('select count(*)::int as count from facts');
  return Number(row?.count);
}

/** On its own, and inside a transaction. */
const ways: readonly [string, (work: (session: Session) => Promise<void>) => Promise<void>][] = [
  ['alone', (work) => work(database)],
  ['in a transaction', (work) => database.transaction(work)],
];

describe.each(ways)('COPY %s', (_, run) => {
  it('values come back as they were', async () => {
    const texts = [
      '',
      '\\N',
      '\\.',
      'a\tb',
      'a\nb',
      'a\r\nb',
      '\\',
      '\\t',
      '"',
      "'",
      '\u2028 \u{1f600} \x01 \x7f',
      null,
    ];
    await run((session) =>
      session.copyIn(
        copyText,
        texts.map((text, index) => copyLine([index, text])),
      ),
    );
    const rows = await test.raw.query('select text from facts order by n');
    expect(rows.map(({ text }) => text)).toEqual(texts);
    const [row] = await database.query('select $1 = text from facts where n = 7', ['\\t']);
    expect(row).toEqual(['t']);
  });

  it('more rows than any buffer holds, and none', async () => {
    await run((session) => session.copyIn(copyText, lines(many)));
    await run((session) => session.copyIn(copyText, []));
    expect(await count()).toBe(many);
  });

  it.each([
    ['a row that is no row of the table', 50_000, 'E_INVALID_INPUT'],
    ['the last row', many, 'E_INVALID_INPUT'],
  ] as const)('refused by the server for %s: nothing is there, and the connection goes on', async (_, bad, code) => {
    const odd = (index: number) => (index === bad ? 'no number' : undefined);
    await errorOf(
      code,
      run((session) => session.copyIn(copyText, lines(many, odd))),
    );
    await errorOf(
      'E_NO_SCHEMA',
      run((session) => session.copyIn('copy nothing_there from stdin', lines(many))),
    );
    await run((session) => session.copyIn(copyText, lines(10)));
    expect(await count()).toBe(10);
  });

  it.each([
    ['an error of ours', new EvstoreError('E_USAGE', 'no more rows')],
    ['an error of nobody we know', new TypeError('no more rows')],
  ])('%s among the rows: nothing is there, and the next one goes on', async (_, fault) => {
    const failing = function* () {
      yield* lines(50_000);
      throw fault;
    };
    const failure = await failureOf(run((session) => session.copyIn(copyText, failing())));
    expect(failure?.message).toContain('no more rows');
    await run((session) => session.copyIn(copyText, lines(10)));
    expect(await count()).toBe(10);
  });

  it('a backend that ends in the middle is a lost connection', async () => {
    const ending = function* () {
      yield* lines(30_000);
      void test.raw.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'rows by copy'`,
      );
      for (;;) yield* lines(1_000, (index) => -index);
    };
    await errorOf(
      'E_CONNECT',
      run((session) => session.copyIn(copyText, ending())),
    );
    await run((session) => session.copyIn(copyText, lines(10)));
    expect(await count()).toBe(10);
  });

  it('a network that stops taking rows, and then breaks', async () => {
    const stalling = function* () {
      yield* lines(30_000);
      proxy.isBlackHole = true;
      setTimeout(() => proxy.dropAll(), 100);
      yield* lines(many);
    };
    await errorOf(
      'E_CONNECT',
      run((session) => session.copyIn(copyText, stalling())),
    );
    proxy.isBlackHole = false;
    await run((session) => session.copyIn(copyText, lines(10)));
    expect(await count()).toBe(10);
  });
});

describe('COPY over a wire that is cut', () => {
  it.each<[Cut, string]>([
    ['before', 'Qdc'],
    ['after', 'Qdc'],
    ['mid-reply', 'Qc'],
  ])('%s each message: all rows or none, and nobody waits for ever', async (cut, kinds) => {
    for (const kind of kinds) {
      const cutoff = connect();
      try {
        await cutoff.query('select 1 where 1 = $1', [1]);
        proxy.cutWhen((message) => message.kind === kind, cut);
        await errorOf('E_CONNECT', cutoff.copyIn(copyText, lines(10_000)));
        await test.raw.query('begin; lock table facts; commit');
        expect([0, 10_000]).toContain(await count());
        await test.raw.query('truncate facts');
        await cutoff.copyIn(copyText, lines(10));
        expect(await count()).toBe(10);
        await test.raw.query('truncate facts');
      } finally {
        await cutoff.close();
      }
    }
  });
});

describe('rows that come by COPY', () => {
  const series = "select n, repeat('x', 100) from generate_series(1, $1) n";
  const read = async (from: Database, rows: number, take: (lines: string) => void = () => {}) => {
    let ends = 0;
    await from.copyOut(series, [rows], (lines) => {
      ends += lines.split('\n').length - 1;
      take(lines);
    });
    return ends;
  };

  it('are whole lines, however long they are', async () => {
    expect(await read(database, many)).toBe(many);
    expect(await read(database, 0)).toBe(0);
    const lines: string[] = [];
    await database.copyOut("select repeat('é', 100000), 'a' union all select 'b', 'ü'", [], (some) => lines.push(some));
    expect(lines.join('')).toBe(`${'é'.repeat(100_000)}\ta\nb\tü\n`);
  });

  it('an error of the server, or of who takes them: the connection goes on', async () => {
    await errorOf(
      'E_INVALID_INPUT',
      database.copyOut('select 1 / (n - 50000) from generate_series(1, 60000) n', [], () => {}),
    );
    const failing = () => {
      throw new EvstoreError('E_CORRUPT', 'a row that is none');
    };
    await errorOf('E_CORRUPT', read(database, many, failing));
    await errorOf(
      'E_NO_SCHEMA',
      database.copyOut('select * from nothing_there', [], () => {}),
    );
    expect(await read(database, 10)).toBe(10);
  });

  it('a wire that is cut, and one that breaks in the middle, are lost connections', async () => {
    for (const cut of ['before', 'after', 'mid-reply'] as const) {
      const other = connect();
      try {
        await other.query('select 1 where 1 = $1', [1]);
        proxy.cutWhen(({ kind }) => kind === 'Q', cut);
        await errorOf('E_CONNECT', read(other, many));
        expect(await read(other, 10)).toBe(10);
        await errorOf(
          'E_CONNECT',
          read(other, 10 * many, () => proxy.dropAll()),
        );
        expect(await read(other, 10)).toBe(10);
      } finally {
        await other.close();
      }
    }
  });
});
