/** Where benchmarks run: a Postgres of their own that waits for its disk, a folder, and what was asked for. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Engine } from '../src/store/store.js';
import { type PostgresServer, startPostgres } from '../test/support/postgres-server.js';
import { connectPostgres, connectSqlite, type Raw, withDatabase } from '../test/support/raw.js';
import { copyColumns, makeDataFile } from './data/files.js';
import { runEvstore } from './evstore.js';
import { insertRows } from './yardsticks/sqlite-loop.js';

export interface Place {
  readonly engine: Engine;
  /** Goes at the end. */
  readonly folder: string;
  /** An initialised store without events. */
  makeStore(): Promise<PlacedStore>;
  /**
   * A store with the first events of the log, written past evstore.
   * @param prepare what is done with it while it is empty
   */
  fillStore(events: number, prepare?: (store: PlacedStore) => Promise<unknown>): Promise<PlacedStore>;
  /** Empty, without a store. */
  makeDatabase(): Promise<PlacedStore>;
}

export interface PlacedStore {
  readonly url: string;
  /** Of SQLite. */
  readonly path: string;
  /** Somebody else's connection. */
  readonly raw: Raw;
  connect(): Promise<Raw>;
  /** Brings what is on its way to the disk there, so that nobody pays for what another wrote. */
  settle(): Promise<void>;
  remove(): Promise<void>;
}

export async function withPlace<Result>(engine: Engine, body: (place: Place) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'evstore-bench-'));
  chmodSync(folder, 0o755);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await (engine === 'postgres' ? onPostgres(folder, body) : body(placeOnSqlite(folder)));
  } finally {
    process.removeListener('exit', remove);
    remove();
  }
}

async function onPostgres<Result>(folder: string, body: (place: Place) => Promise<Result>): Promise<Result> {
  const server = await startPostgres({ prefer: 'system', settings: { fsync: 'on', full_page_writes: 'on' } });
  // A server without its benchmark is of no use to anybody.
  const halt = () => {
    void server.halt('immediate');
    rmSync(dirname(server.data), { recursive: true, force: true, maxRetries: 10 });
  };
  process.once('exit', halt);
  try {
    return await body(await placeOnPostgres(folder, server));
  } finally {
    process.removeListener('exit', halt);
    await server.stop();
  }
}

async function placeOnPostgres(folder: string, server: PostgresServer): Promise<Place> {
  const template = 'bench_template';
  const makeFrom = async (source: string, name = `bench_${randomBytes(5).toString('hex')}`): Promise<PlacedStore> => {
    await administer(server, `create database ${name} template ${source}`);
    const url = withDatabase(server.url, name);
    const raws = [await connectPostgres(url)];
    const connect = async () => {
      const raw = await connectPostgres(url);
      raws.push(raw);
      return raw;
    };
    return {
      url,
      path: '',
      raw: raws[0] as Raw,
      connect,
      settle: async () => {
        await raws[0]?.query('checkpoint');
      },
      remove: async () => {
        await Promise.all(raws.map((raw) => raw.close()));
        // Not by force: it waits for connections on their way out. A pool has ended before they have, and those of Emmett,
        // told that they are terminated, end the process.
        await administer(server, `drop database ${name}`);
      },
    };
  };
  const empty = await makeFrom('template0', template);
  await empty.raw.close();
  await runEvstore(['init', '--no-config'], { url: empty.url, folder });
  const makeStore = () => makeFrom(template);
  return {
    engine: 'postgres',
    folder,
    makeDatabase: () => makeFrom('template0'),
    makeStore,
    fillStore: async (events, prepare) => {
      const store = await makeStore();
      await prepare?.(store);
      const rows = await makeDataFile(events, 'copy');
      await store.raw.query(`copy events (${copyColumns}) from '${rows}'`);
      await store.raw.query('vacuum (analyze) events');
      await store.settle();
      return store;
    },
  };
}

async function administer(server: PostgresServer, sql: string): Promise<void> {
  const admin = await connectPostgres(server.url);
  try {
    await admin.query(sql);
  } finally {
    await admin.close();
  }
}

function placeOnSqlite(folder: string): Place {
  let count = 0;
  const makeDatabase = async (): Promise<PlacedStore> => {
    count += 1;
    const path = join(folder, `${count}.db`);
    const raws = [connectSqlite(path)];
    const connect = async () => {
      const raw = connectSqlite(path);
      raws.push(raw);
      return raw;
    };
    return {
      url: `sqlite:${path}`,
      path,
      raw: raws[0] as Raw,
      connect,
      settle: async () => {
        await raws[0]?.query('pragma wal_checkpoint(truncate)');
      },
      remove: async () => {
        await Promise.all(raws.map((raw) => raw.close()));
        for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
      },
    };
  };
  const makeStore = async () => {
    const store = await makeDatabase();
    await runEvstore(['init', '--no-config'], { url: store.url, folder });
    return store;
  };
  return {
    engine: 'sqlite',
    folder,
    makeDatabase,
    makeStore,
    fillStore: async (events, prepare) => {
      const store = await makeStore();
      await prepare?.(store);
      insertRows(store.path, await makeDataFile(events, 'copy'));
      await store.raw.query('analyze');
      await store.settle();
      return store;
    },
  };
}
