/** Stores for trials: on a server that is there or on one of their own, in files that go afterwards. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStoreAt } from '../../src/store/open.js';
import type { Engine, Store } from '../../src/store/store.js';
import { startPostgres } from '../support/postgres-server.js';
import { connectPostgres, connectSqlite, type Raw, withDatabase } from '../support/raw.js';
import type { TrialStore } from './trial.js';

export interface PlaceOptions {
  /** A Postgres of its own that waits for its disk, as one in production does. */
  readonly isDurable?: boolean;
}

/** Runs with a fresh, migrated store and cleans up, whatever happens. */
export async function withPlace<Result>(
  engine: Engine,
  body: (test: TrialStore) => Promise<Result>,
  options: PlaceOptions = {},
): Promise<Result> {
  return engine === 'postgres' ? onPostgres(body, options) : onSqlite(body);
}

async function onPostgres<Result>(
  body: (test: TrialStore) => Promise<Result>,
  { isDurable = false }: PlaceOptions,
): Promise<Result> {
  const known = process.env.EVSTORE_TEST_PG_URL;
  const durable = { settings: { fsync: 'on', full_page_writes: 'on' } };
  const server =
    known && !isDurable ? { url: known, stop: async () => {} } : await startPostgres(isDurable ? durable : {});
  const name = `evstore_trial_${randomBytes(5).toString('hex')}`;
  const admin = await connectPostgres(server.url);
  try {
    await admin.query(`create database ${name} template template0`);
    const url = withDatabase(server.url, name);
    return await useStore('postgres', url, () => connectPostgres(url), body);
  } finally {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.close();
    await server.stop();
  }
}

async function onSqlite<Result>(body: (test: TrialStore) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'evstore-trial-'));
  const path = join(folder, 'store.db');
  try {
    return await useStore('sqlite', `sqlite:${path}`, async () => connectSqlite(path), body);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function useStore<Result>(
  engine: Engine,
  url: string,
  connectRaw: () => Promise<Raw>,
  body: (test: TrialStore) => Promise<Result>,
): Promise<Result> {
  const stores: Store[] = [];
  const raws: Raw[] = [];
  const open = async () => {
    const store = await openStoreAt(url, { create: true });
    stores.push(store);
    return store;
  };
  const connect = async () => {
    const raw = await connectRaw();
    raws.push(raw);
    return raw;
  };
  const store = await open();
  try {
    await store.schema.migrate();
    return await body({ engine, url, store, raw: await connect(), open, connect });
  } finally {
    await Promise.all(raws.map((raw) => raw.close()));
    await Promise.all(stores.map((each) => each.close()));
  }
}
