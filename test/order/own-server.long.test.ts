/** Order through what happens to whole servers: a crash, a standby, a restore into another cluster, many open appends. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { newEventId } from '../../src/domain/uuid.js';
import { openStoreAt } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { runCli } from '../support/cli.js';
import { connectPostgres, type Raw, type TestStore, withDatabase, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvents, readAll } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';

allowMoreTime('servers are started, copied and restarted');

const openAppends = 200;
const settings = { max_connections: String(openAppends + 50), wal_level: 'logical' };
let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({ settings });
});

afterAll(() => server.stop());

/** A migrated store in a new database of a server. */
async function makeStore(on: PostgresServer): Promise<{ url: string; store: Store }> {
  const name = `order_${newEventId().slice(-12)}`;
  const admin = await connectPostgres(on.url);
  await admin.query(`create database ${name}`);
  await admin.close();
  const url = withDatabase(on.url, name);
  const store = await openStoreAt(url);
  await store.schema.migrate();
  return { url, store };
}

async function insertOpen(url: string, streamId: string): Promise<Raw> {
  const session = await connectPostgres(url);
  await session.query('begin');
  await session.query(insertOne(streamId));
  return session;
}

function insertOne(streamId: string): string {
  return `insert into events (id, stream_id, stream_type, event_type, event_data, version)
    values ('${newEventId()}', '${streamId}', 'Raw', 'Raw', '{}', 1)`;
}

const streams = async (store: Store) => (await readAll(store)).map(({ streamId }) => streamId);

describe('O14: a prepared transaction holds readers back', () => {
  it('over a crash of the server', async () => {
    const { url, store } = await makeStore(server);
    const writer = await insertOpen(url, 'prepared-1');
    await writer.query("prepare transaction 'held'");
    await append(store, 'after-1');
    expect(await streams(store)).toEqual([]);
    await server.halt('immediate');
    await server.start();
    expect(await streams(store)).toEqual([]);
    const { heldBackBy } = await store.log.head({ holder: true });
    expect(heldBackBy).toMatchObject({ gid: 'held', pid: null, state: 'prepared' });
    await append(store, 'after-1');
    const other = await connectPostgres(url);
    await other.query("commit prepared 'held'");
    expect(await streams(store)).toEqual(['prepared-1', 'after-1', 'after-1']);
    expect((await store.log.head({ holder: true })).heldBackBy).toBeNull();
    await other.close();
    await writer.close();
    await store.close();
  });
});

describe('O20: 200 open appends', () => {
  it('200 open appends hold the reader at the lowest of them, wherever that is', async () => {
    const { url, store } = await makeStore(server);
    const sessions: Raw[] = [];
    for (let n = 0; n < openAppends; n++) sessions.push(await insertOpen(url, `open-${n}`));
    await append(store, 'after-1');
    expect(await store.log.head()).toMatchObject({ head: openAppends + 1, safeHead: 0 });
    for (let low = 0; low < openAppends; low += 1) {
      await sessions[low]?.query(low % 3 === 0 ? 'rollback' : 'commit');
      if (low % 20 !== 0 || low === 0) continue;
      const { safeHead } = await store.log.head();
      expect(safeHead).toBeGreaterThanOrEqual(low);
      expect(safeHead).toBeLessThanOrEqual(low + 1);
      expect(await readAll(store)).toHaveLength([...Array(low + 1).keys()].filter((n) => n % 3 !== 0).length);
    }
    expect((await streams(store)).at(-1)).toBe('after-1');
    await Promise.all(sessions.map((session) => session.close()));
    await store.close();
  });
});

describe('O12: a reader of a standby', () => {
  it('is refused with EV002, and reads again when it has become the primary', async () => {
    const { url, store } = await makeStore(server);
    await append(store, 'Order-1', makeEvents(3));
    await store.close();
    await server.halt('fast');
    const copy = startPostgres({ settings, copyOf: server, standbyOf: server });
    await server.start();
    const standby = await copy;
    try {
      const name = new URL(url).pathname.slice(1);
      const follower = await openStoreAt(withDatabase(standby.url, name));
      for (const ask of [() => readAll(follower), () => follower.log.head(), () => follower.schema.assertGuards()]) {
        const error = await errorOf('E_UNSAFE_STORE', ask());
        expect(`${error.message} ${error.why}`).toMatch(/standby/);
      }
      await expectOneLine(withDatabase(standby.url, name));
      const raw = await connectPostgres(withDatabase(standby.url, name));
      await expect(raw.query('select evstore_safe_head()')).rejects.toMatchObject({ code: 'EV002' });
      await errorOf('E_READ_ONLY', append(follower, 'Order-1'));
      expect((await follower.log.readStream('Order-1')[Symbol.asyncIterator]().next()).value.events).toHaveLength(3);
      await raw.query('select pg_promote()');
      await append(follower, 'Order-1', makeEvents(1), 3);
      await follower.schema.assertGuards();
      expect((await readAll(follower)).map(({ version }) => version)).toEqual([1, 2, 3, 4]);
      await raw.close();
      await follower.close();
    } finally {
      await standby.stop();
    }
  });
});

/** What is wrong is said once, and what works on a standby works. */
async function expectOneLine(url: string): Promise<void> {
  const { stdout } = await runCli(['doctor', '--json', '--store', url]);
  const { findings, checks } = JSON.parse(stdout);
  const about = findings.filter((finding: unknown) => JSON.stringify(finding).includes('standby'));
  expect(about).toMatchObject([{ kind: 'standby', severity: 'note', next: null }]);
  expect(checks.filter(({ result }: { result: string }) => result === 'failed')).toEqual([]);
  const verified = await runCli(['verify', '--json', '--store', url]);
  expect(verified.code, verified.stderr).toBe(0);
  expect(JSON.parse(verified.stdout)).toMatchObject({ checked: { events: 3 } });
  expect(verified.stdout.match(/standby/g)).toHaveLength(2);
  const lag = await runCli(['lag', '--max-lag', '0', '--store', url]);
  expect(lag).toMatchObject({ code: 10, stderr: expect.stringContaining('this server is a standby') });
}

describe('a logical replica', () => {
  it('gets events in the order of commits, so a reader of it is refused', async () => {
    const [source, replica] = [await makeStore(server), await makeStore(server)];
    const [from, to] = [await connectPostgres(source.url), await connectPostgres(replica.url)];
    await from.query('create publication shop for table events');
    // Both are in one cluster, where a subscription that makes its own slot would wait for itself.
    await from.query("select pg_create_logical_replication_slot('shop', 'pgoutput')");
    await to.query(
      `create subscription shop connection '${source.url}' publication shop with (create_slot = false, copy_data = false)`,
    );
    try {
      const low = await insertOpen(source.url, 'low-1');
      await append(source.store, 'high-1');
      const positions = async () =>
        (await to.query('select global_position from events order by 1')).map((row) => Number(row.global_position));
      while ((await positions()).length === 0) await sleep(10);
      expect(await positions()).toEqual([2]);
      expect(await replica.store.log.head()).toMatchObject({ safeHead: 2 });
      const error = await errorOf('E_UNSAFE_STORE', replica.store.schema.assertGuards());
      expect(JSON.stringify(error.details)).toMatch(/logical replication/);
      await low.query('commit');
      while ((await positions()).length === 1) await sleep(10);
      expect(await positions()).toEqual([1, 2]);
      expect(await streams(source.store)).toEqual(['low-1', 'high-1']);
      await low.close();
    } finally {
      await to.query('drop subscription shop');
      await Promise.all([from.close(), to.close(), source.store.close(), replica.store.close()]);
    }
  });
});

describe('O17: a store that is dumped and restored', () => {
  it('rows alone, into a new cluster: refused until the sequence is ahead of them, then in the same order', () =>
    withTestStore('postgres', async (source) => {
      const fresh = await startPostgres();
      try {
        const before = await fill(source);
        const { url, store } = await makeStore(fresh);
        const into = await connectPostgres(url);
        await copyRows(source.raw, into);
        await errorOf('E_UNSAFE_STORE', store.schema.assertGuards());
        await into.query(`select setval('events_global_position_seq', (select max(global_position) from events))`);
        await expectContinued(store, before);
        await Promise.all([into.close(), store.close()]);
      } finally {
        await fresh.stop();
      }
    }));

  it('by pg_dump, into a new cluster: the same events in the same order, and appends go on behind them', (context) =>
    withTestStore('postgres', async (source) => {
      const tools = await findTools(source.raw);
      if (tools === undefined) return context.skip('there is no pg_dump of the version of this server');
      const fresh = await startPostgres();
      try {
        const before = await fill(source);
        const sql = execFileSync(join(tools, 'pg_dump'), ['--no-owner', source.url]);
        execFileSync(join(tools, 'psql'), ['-q', '-v', 'ON_ERROR_STOP=1', fresh.url], { input: sql });
        const store = await openStoreAt(fresh.url);
        await store.schema.assertReady();
        await expectContinued(store, before);
        await store.close();
      } finally {
        await fresh.stop();
      }
    }));

  /** With a hole in the middle, into which a position given again would fall. */
  async function fill({ store, connect }: TestStore): Promise<RecordedEvent[]> {
    await append(store, 'Order-1', makeEvents(20));
    const gone = await connect();
    await gone.query('begin');
    await gone.query(insertOne('gone-1'));
    await gone.query('rollback');
    await append(store, 'Order-2', makeEvents(5));
    return readAll(store);
  }

  async function expectContinued(store: Store, before: RecordedEvent[]): Promise<void> {
    await store.schema.assertGuards();
    expect(await readAll(store)).toEqual(before);
    const end = before.at(-1)?.globalPosition ?? 0;
    const result = await append(store, 'Order-1', makeEvents(1), 20);
    expect(result.globalPosition).toBeGreaterThan(end);
    expect(await readAll(store, { after: end })).toHaveLength(1);
  }

  async function copyRows(from: Raw, into: Raw): Promise<void> {
    const columns =
      'global_position, id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version, created_at';
    const [row] = await from.query('select json_agg(e order by global_position)::text as events from events e');
    await into.query(
      `insert into events (${columns}) overriding system value
       select ${columns} from json_populate_recordset(null::events, $1::json)`,
      [row?.events],
    );
  }

  /** pg_dump refuses a server newer than itself, and what the npm package brings has none. */
  async function findTools(raw: Raw): Promise<string | undefined> {
    const [row] = await raw.query('show server_version_num');
    const major = Math.floor(Number(row?.server_version_num) / 10_000);
    return [server.binaries, `/usr/lib/postgresql/${major}/bin`].find((folder) => existsSync(join(folder, 'pg_dump')));
  }
});
