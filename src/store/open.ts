/** Opens the store of a URL. The only module that imports the drivers, and only the one the URL needs. */
import { EvstoreError } from '../domain/errors.js';
import { beginningOf } from './redact-url.js';
import type { ConnectPatience, Engine, Store } from './store.js';

export interface OpenStoreOptions {
  /** Postgres only: where the tables live. Default `public`. */
  readonly schema?: string | undefined;
  /** The name of this client in the database. Default `evstore`. */
  readonly applicationName?: string | undefined;
  /** Refuses every write before it reaches the database. */
  readonly readOnly?: boolean | undefined;
  /** SQLite only: create the file when it is missing. By default a missing file is E_NO_SCHEMA. */
  readonly create?: boolean | undefined;
  /** Postgres only: how to wait for a server that restarts or is full when this is the first connection to it. */
  readonly patience?: ConnectPatience | undefined;
}

/**
 * Opens `sqlite:PATH`, `sqlite::memory:`, `postgres://…`, `postgresql://…`, or `postgres:` for the PG* variables alone.
 * @throws E_CONFIG for any other URL, or when the driver is not installed
 */
export async function openStoreAt(text: string, options: OpenStoreOptions = {}): Promise<Store> {
  const url = text.trim();
  if (engineOf(url) === 'sqlite') {
    const { openSqliteStore } = await importSqlite();
    return openSqliteStore({ url, create: options.create ?? false, readOnly: options.readOnly ?? false });
  }
  const { openPostgresStore } = await importPostgres();
  return openPostgresStore({ ...options, url });
}

/**
 * Returns the complete schema as SQL for the URL's engine; connects to nothing.
 * @throws E_CONFIG
 */
export async function printSchema(url: string, options: Pick<OpenStoreOptions, 'schema'> = {}): Promise<string> {
  if (engineOf(url) === 'sqlite') return (await importSqlite()).printSchemaSql();
  const { printSchemaSql, schemaOf } = await importPostgres();
  return printSchemaSql({ schema: schemaOf(url, options.schema) });
}

/**
 * Returns the roles of a store and their privileges as SQL; connects to nothing.
 * @throws E_USAGE for an engine without accounts, and for a prefix that is not a plain name
 */
export async function printRoles(
  url: string,
  options: Pick<OpenStoreOptions, 'schema'> & { readonly prefix: string },
): Promise<string> {
  if (engineOf(url) === 'postgres') {
    const { printRolesSql, schemaOf } = await importPostgres();
    return printRolesSql({ ...options, schema: schemaOf(url, options.schema) });
  }
  throw new EvstoreError('E_USAGE', 'a SQLite store has no roles', {
    why: 'Access is decided by the permissions of the file alone.',
    next: 'evstore init --roles --store postgres:',
  });
}

/** @throws E_CONFIG */
function engineOf(url: string): Engine {
  if (/^sqlite:/i.test(url)) return 'sqlite';
  if (/^postgres(ql)?:/i.test(url)) return 'postgres';
  throw new EvstoreError('E_CONFIG', `not the URL of a store: ${beginningOf(url)}`, {
    why: 'A store is sqlite:PATH or postgres://USER@HOST/DATABASE.',
  });
}

function importPostgres() {
  return import('./postgres/postgres-store.js');
}

async function importSqlite() {
  if (process.versions.bun !== undefined) {
    throw new EvstoreError('E_CONFIG', 'Bun cannot open a SQLite store', {
      why: 'The driver, better-sqlite3, needs Node.js. Run evstore with node; a Postgres store works with Bun, too.',
    });
  }
  try {
    return await import('./sqlite/sqlite-store.js');
  } catch (error) {
    if (!isMissingDriver(error)) throw error;
    throw new EvstoreError('E_CONFIG', 'the SQLite driver is not installed', {
      why: 'better-sqlite3 is an optional dependency, and no build of it was found for this machine.',
      next: 'npm install better-sqlite3',
      cause: error,
    });
  }
}

function isMissingDriver(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(code) && error.message.includes('better-sqlite3');
}
