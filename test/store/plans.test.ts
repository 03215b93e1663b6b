/**
 * What is asked of a log that has grown must not read it, nor all that was ever put aside. On Postgres the server counts what
 * it looked at; SQLite tells its plans. Both are about the statements that the store really runs.
 */
import BetterSqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { assertStreamExists } from '../../commands/options/event-range.js';
import { allChecks } from '../../src/findings/checks.js';
import { examineStore, measureAndJudge } from '../../src/findings/examine.js';
import type { Engine, Store } from '../../src/store/store.js';
import { createTestStore, type Raw, type TestStore, withTestStore } from '../support/engines.js';
import { makeEvent } from '../support/events.js';
import { until } from '../support/wait.js';

const streams = 2_000;
const eventsEach = 10;
const now = new Date();

interface Question {
  readonly ask: (store: Store) => Promise<unknown>;
  /** Rows of the log and of what was put aside, and entries of their indexes, that may be looked at. */
  readonly rows: number;
}

const questions: Readonly<Record<string, Question>> = {
  lag: { ask: (store) => measureAndJudge(store, { names: [], now }), rows: 10_100 },
  doctor: { ask: (store) => examineStore(store, allChecks, now), rows: 50 },
  checkpoints: { ask: (store) => store.projections.checkpoints(), rows: 0 },
  'streams by name': { ask: ({ log }) => log.streams({ limit: 20 }), rows: 100 },
  'streams of a category': { ask: ({ log }) => log.streams({ category: 'Payment', limit: 20 }), rows: 100 },
  'streams that moved last': { ask: ({ log }) => log.streams({ sort: 'recent', limit: 20 }), rows: 200 },
  'of a category, those that moved last': {
    ask: ({ log }) => log.streams({ sort: 'recent', category: 'Payment', limit: 20 }),
    rows: 12_000,
  },
  'the largest streams': { ask: ({ log }) => log.streams({ sort: 'events', limit: 20 }), rows: 4 * streams },
  'a stream that is not there': { ask: (store) => assertStreamExists(store, 'Ordre-1').catch(() => {}), rows: 5_000 },
  'a stream': { ask: ({ log }) => drain(log.readStream('Order-0042')), rows: 50 },
  'the last event of a stream': {
    ask: ({ log }) => drain(log.readStream('Order-0042', { backwards: true, limit: 1 })),
    rows: 20,
  },
  'the bytes of some events of a stream': {
    ask: ({ statistics }) => statistics.measureStream('Order-0042', [1, 5, 9]),
    rows: 20,
  },
  'events after a position': { ask: ({ log }) => drain(log.readAll({ after: 9_000, limit: 10 })), rows: 50 },
  'the last events': { ask: ({ log }) => drain(log.readAll({ backwards: true, limit: 10 })), rows: 50 },
  'lines after a position': { ask: ({ log }) => drain(log.readLines({ after: 9_000, limit: 10 })), rows: 50 },
  'the last lines': { ask: ({ log }) => drain(log.readLines({ backwards: true, limit: 10 })), rows: 50 },
  'the first events of a type': { ask: ({ log }) => drain(log.readAll({ types: ['Said'], limit: 10 })), rows: 50 },
  'the types and their ends': { ask: ({ statistics }) => statistics.types(), rows: 50 },
  'the last events of a type that ended long ago': { ask: ({ statistics }) => statistics.latest('Begun', 5), rows: 50 },
  'how many of a type there are, up to a bound': {
    ask: ({ statistics }) => statistics.countType('Ended', 10),
    rows: 50,
  },
  'the first events since a time': {
    ask: ({ log }) => drain(log.readAll({ since: timeOf(15_000), limit: 10 })),
    rows: 2_500,
  },
  'the last events until a time': {
    ask: ({ log }) => drain(log.readAll({ until: timeOf(5_000), backwards: true, limit: 10 })),
    rows: 2_500,
  },
  'a type that is not there': { ask: ({ log }) => drain(log.readAll({ types: ['Sung', 'Shouted'] })), rows: 50 },
  'the first events of a category': {
    ask: ({ log }) => drain(log.readAll({ category: 'Payment', limit: 10 })),
    rows: 1_500,
  },
  'the last events of a stream, of the log': {
    ask: ({ log }) => drain(log.readAll({ streamId: 'Order-0042', backwards: true, limit: 3 })),
    rows: 50,
  },
  'an event by its id': { ask: ({ log }) => log.find('00000000-0000-4000-8000-000000000042'), rows: 5 },
  'whether the guards are whole': { ask: ({ schema }) => schema.assertGuards(), rows: 5 },
  'how much is parked': { ask: ({ projections }) => projections.countParked(), rows: 20 },
  'the streams that wait': { ask: ({ projections }) => projections.parkedStreams('order_totals', 0), rows: 20 },
  'the streams that wait for a rebuild': {
    ask: ({ projections }) => projections.parkedStreams('order_totals', 1),
    rows: 10,
  },
  'the events of a correlation': { ask: ({ log }) => drain(log.readAll({ correlationId: 'c42' })), rows: 50 },
  'the last event of a correlation': {
    ask: ({ log }) => drain(log.readAll({ correlationId: 'c42', backwards: true, limit: 1 })),
    rows: 20,
  },
  'the lines of a correlation': {
    ask: ({ log }) => drain(log.readLines({ correlationId: 'c42', limit: 5 })),
    rows: 50,
  },
  'what an event caused': {
    ask: ({ log }) => drain(log.readAll({ causationId: '00000000-0000-4000-8000-000000000042', after: 40 })),
    rows: 20,
  },
  'a correlation that is not there': { ask: ({ log }) => drain(log.readAll({ correlationId: 'none' })), rows: 20 },
  'the indexes on ids': { ask: ({ schema }) => schema.idIndexes(), rows: 5 },
  'an append': { ask: ({ log }) => log.append('Order-0042', [makeEvent()], 'any'), rows: 20 },
};

async function drain(batches: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of batches) {
    // The next is asked for.
  }
}

function timeOf(position: number): string {
  return new Date(Date.UTC(2026, 0, 1) + position * 1_000).toISOString();
}

/** Streams of ten events each, in turns, one in twenty a payment. Two types are in one place each. */
async function insertEvents(raw: Raw, engine: Engine): Promise<void> {
  const pad = (number: string, width: number) =>
    engine === 'postgres'
      ? `right('000000000000' || (${number}), ${width})`
      : `substr('000000000000' || (${number}), -${width})`;
  const id = `'00000000-0000-4000-8000-' || ${pad('i', 12)}`;
  const metadata = `'{"correlationId":"c' || (i % ${streams}) || '","causationId":"' || ${id} || '"}'`;
  await raw.query(`
    with recursive numbers (i) as (select 0 union all select i + 1 from numbers where i < ${streams * eventsEach - 1})
    insert into events (id, stream_id, event_type, event_data, metadata, version, created_at)
    select ${engine === 'postgres' ? `(${id})::uuid` : id},
           case when i % 20 = 13 then 'Payment-' else 'Order-' end || ${pad(`i % ${streams}`, 4)},
           case when i between 3000 and 5000 then 'Begun' when i between 15000 and 17000 then 'Ended' else 'Said' end, '{}',
           ${engine === 'postgres' ? `(${metadata})::json` : metadata}, i / ${streams} + 1,
           ${engine === 'postgres' ? "timestamptz '2026-01-01Z' + (i + 1) * interval '1 second'" : "strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2026-01-01', (i + 1) || ' seconds')"}
      from numbers
     order by i`);
}

/** Who reads the log, from its beginning to its end, and events that were put aside, most of them skipped. */
async function fill({ connect, open }: TestStore, engine: Engine): Promise<void> {
  const raw = await connect();
  const store = await open();
  await store.schema.createIdIndexes({ progress: () => {}, signal: new AbortController().signal });
  await store.close();
  await insertEvents(raw, engine);
  for (const [name, position] of [
    ['beginning', 0],
    ['middle', 10_000],
    ['end', streams * eventsEach],
  ]) {
    await raw.query(
      `insert into subscription_checkpoints (subscription_id, last_position) values ('${name}', ${position})`,
    );
  }
  // A projection whose events are not in the log, far behind: its lag is sampled.
  const audit = JSON.stringify({ filter: JSON.stringify({ category: 'Invoice' }), after: 0, events: 0, idSum: 0 });
  await raw.query(
    "insert into evstore_projections (name, version, code_hash, tables) values ('invoices', 1, '', '[]')",
  );
  await raw.query(`insert into subscription_checkpoints (subscription_id, audit) values ('invoices', '${audit}')`);
  await raw.query(`
    insert into evstore_parked (projection, rebuild, global_position, event_id, stream_id, event_type, state)
    select case when global_position % 2 = 0 then 'order_totals' else 'order_totals#1/2' end, global_position % 3 / 2,
           global_position, id, stream_id, event_type, case when global_position % 3000 < 3 then 'parked' else 'skipped' end
      from events`);
  // Summarises the block ranges of times, too.
  await raw.query(engine === 'postgres' ? 'vacuum (analyze)' : 'analyze');
  await raw.close();
}

/** For each place of a statement of SQLite, numbered or not. */
function nothingFor(statement: string): readonly unknown[] {
  const places = statement.match(/\?\d*/g) ?? [];
  if (!places.some((place) => place.length > 1)) return places.map(() => null);
  return [Object.fromEntries(places.map((place) => [place.slice(1), null]))];
}

describe('postgres', () => {
  let made: TestStore;
  beforeAll(async () => {
    made = await createTestStore('postgres');
    await fill(made, 'postgres');
  });
  afterAll(() => made.cleanup());

  test.each(Object.entries(questions))('%s', async (_name, { ask, rows }) => {
    const before = await countRows(made);
    const store = await made.open();
    await ask(store);
    await store.close();
    expect((await countRows(made)) - before).toBeLessThanOrEqual(rows);
  });

  test('appends to a log that was never analyzed, by a session that knew it empty', async () => {
    await withTestStore('postgres', async (test) => {
      await test.raw.query('alter table events set (autovacuum_enabled = off)');
      const store = await test.open();
      const appendOften = async (stream: string) => {
        // A plan is kept from the sixth time on.
        for (let time = 0; time < 10; time += 1) {
          const event = makeEvent();
          await store.log.append(stream, [event], 'any');
          await store.log.append(stream, [event], 'any');
          await store.log.append(stream, [makeEvent(), makeEvent()], 'any');
        }
      };
      await appendOften('Invoice-1');
      await insertEvents(test.raw, 'postgres');
      // The guard of versions has looked up what each event follows. A session tells what it counted about once a second.
      const lookedUp = streams * (eventsEach - 1);
      await until(async () => (await sumRows(test)) >= lookedUp);
      await appendOften('Order-0042');
      await store.close();
      expect((await countRows(test)) - lookedUp).toBeLessThan(streams);
    });
  });

  /** A session tells what it counted when it ends, which is a moment after the client has left. */
  async function countRows({ raw }: TestStore): Promise<number> {
    const others = `select 1 from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
    await until(async () => (await raw.query(others)).length === 0);
    return sumRows({ raw });
  }

  async function sumRows({ raw }: Pick<TestStore, 'raw'>): Promise<number> {
    const [row] = await raw.query(`
      select (select sum(seq_tup_read) from pg_stat_user_tables where relname in ('events', 'evstore_parked'))
           + (select sum(idx_tup_read) from pg_stat_user_indexes where relname in ('events', 'evstore_parked')) as rows`);
    return Number(row?.rows);
  }
});

describe('sqlite', () => {
  let made: TestStore;
  const prepare = vi.spyOn(BetterSqlite.prototype, 'prepare');
  beforeAll(async () => {
    made = await createTestStore('sqlite');
    await fill(made, 'sqlite');
  });
  afterAll(async () => {
    prepare.mockRestore();
    await made.cleanup();
  });

  test.each(Object.entries(questions))('%s', async (_name, { ask }) => {
    prepare.mockClear();
    const store = await made.open();
    await ask(store);
    const statements = prepare.mock.calls
      .map(([text]) => text)
      .filter((text) => /\b(events|evstore_parked)\b/.test(text));
    for (const statement of statements) {
      const plan = await made.raw.query(`explain query plan ${statement}`, nothingFor(statement));
      // An index that is searched has a place to begin at; what is scanned is read from end to end.
      // The key of what was put aside holds all of a projection, settled or not.
      const scans = /^SCAN (events|evstore_parked)\b|^SEARCH evstore_parked USING PRIMARY KEY/;
      expect(plan.map(({ detail }) => String(detail)).filter((detail) => scans.test(detail))).toEqual([]);
    }
  });
});
