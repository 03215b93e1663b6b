/** Fresh, migrated stores on both engines, each beside a raw connection that knows nothing of evstore. */
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, inject } from 'vitest';
import { openStoreAt } from '../../src/store/open.js';
import type { Engine, Store } from '../../src/store/store.js';
import { connectPostgres, connectSqlite, type Raw, withDatabase } from './raw.js';

export { connectPostgres, type Raw, withDatabase };

export interface TestStore {
  readonly engine: Engine;
  readonly url: string;
  readonly store: Store;
  readonly raw: Raw;
  /** Another connection of evstore's, as another process would have. Closed by `cleanup`. */
  open(): Promise<Store>;
  /** Another raw session. Closed by `cleanup`. */
  connect(): Promise<Raw>;
  cleanup(): Promise<void>;
}

export interface TestStoreOptions {
  /** False: an empty database. Default true. */
  readonly migrated?: boolean;
  /** Another Postgres than the one that the tests share. */
  readonly server?: string;
  /** Stands between the case and the store; the teeth tests break promises here. */
  readonly wrap?: (store: Store) => Store;
}

export const engines: readonly Engine[] = ['sqlite', 'postgres'];

/** Describes the same suite once per engine. */
export function forEachEngine(body: (engine: Engine) => void): void {
  for (const engine of engines) describe(engine, () => body(engine));
}

export async function createTestStore(engine: Engine, options: TestStoreOptions = {}): Promise<TestStore> {
  const { migrated = true, server, wrap = (store) => store } = options;
  const place = engine === 'postgres' ? await createDatabase(migrated, server) : await createFile(migrated);
  const stores: Store[] = [];
  const raws: Raw[] = [];
  const open = async (): Promise<Store> => {
    const store = await openStoreAt(place.url, { create: true });
    stores.push(store);
    return wrap(store);
  };
  const connect = async (): Promise<Raw> => {
    const raw = await place.connect();
    raws.push(raw);
    return raw;
  };
  const store = await open();
  if (server !== undefined && migrated) await store.schema.migrate();
  return {
    engine,
    url: place.url,
    store,
    raw: await connect(),
    open,
    connect,
    cleanup: async () => {
      await Promise.all(raws.map((raw) => raw.close()));
      await Promise.all(stores.map((store) => store.close()));
      await place.remove();
    },
  };
}

/** Runs with a fresh store and cleans up, whatever happens. */
export async function withTestStore<Result>(
  engine: Engine,
  body: (test: TestStore) => Promise<Result>,
  options?: TestStoreOptions,
): Promise<Result> {
  const test = await createTestStore(engine, options);
  let result: Result;
  try {
    result = await body(test);
  } catch (error) {
    await test.cleanup().catch(() => {});
    throw error;
  }
  await test.cleanup();
  return result;
}

interface Place {
  readonly url: string;
  connect(): Promise<Raw>;
  remove(): Promise<void>;
}

async function createDatabase(migrated: boolean, own: string | undefined): Promise<Place> {
  const server = own ?? inject('postgresUrl');
  const name = `${inject('databasePrefix')}${randomBytes(5).toString('hex')}`;
  const template = migrated && own === undefined ? await migratedTemplate() : 'template0';
  await administer(server, `create database ${name} template ${template}`);
  const url = withDatabase(server, name);
  return {
    url,
    connect: () => connectPostgres(url),
    remove: () => administer(server, `drop database if exists ${name} with (force)`),
  };
}

let template: Promise<string> | undefined;

/** Made by the first test process that wants it. */
function migratedTemplate(): Promise<string> {
  template ??= makeTemplate();
  return template;
}

async function makeTemplate(): Promise<string> {
  const server = inject('postgresUrl');
  const name = `${inject('databasePrefix')}template`;
  const admin = await connectPostgres(server);
  try {
    await admin.query('select pg_advisory_lock(hashtext($1))', [name]);
    if ((await admin.query('select 1 from pg_database where datname = $1', [name])).length > 0) return name;
    await admin.query(`create database ${name}_draft template template0`);
    const store = await openStoreAt(withDatabase(server, `${name}_draft`), { create: true });
    await store.schema.migrate();
    await store.close();
    await admin.query(`alter database ${name}_draft rename to ${name}`);
    return name;
  } finally {
    await admin.close();
  }
}

async function administer(server: string, sql: string): Promise<void> {
  const admin = await connectPostgres(server);
  try {
    await admin.query(sql);
  } finally {
    await admin.close();
  }
}

let templateFile: Promise<string> | undefined;

async function createFile(migrated: boolean): Promise<Place> {
  const folder = mkdtempSync(join(inject('scratch'), 'store-'));
  const path = join(folder, 'store.db');
  if (migrated) {
    templateFile ??= makeTemplateFile();
    copyFileSync(await templateFile, path);
  }
  return {
    url: `sqlite:${path}`,
    connect: async () => connectSqlite(path),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function makeTemplateFile(): Promise<string> {
  const folder = mkdtempSync(join(inject('scratch'), 'template-'));
  const path = join(folder, 'template.db');
  const store = await openStoreAt(`sqlite:${path}`, { create: true });
  await store.schema.migrate();
  await store.close();
  if (existsSync(`${path}-wal`)) throw new Error('the template file was closed with a write-ahead log beside it');
  return path;
}
