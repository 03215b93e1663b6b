/** URL → Store: the only importer of the drivers, and of none but the one the URL asks for. */
import { EvstoreError } from '../domain/errors.js';
import { redactUrl } from './redact-url.js';
import type { Store } from './store.js';

export interface OpenStoreOptions {
  /** Postgres only: where the tables live. Default `public`. */
  readonly schema?: string;
  /** What the database shows as the client. Default `evstore`. */
  readonly applicationName?: string;
  /** Refuses every write before it reaches the database. */
  readonly readOnly?: boolean;
  /** SQLite only: make the file when it is missing. Otherwise a missing file is E_NO_SCHEMA. */
  readonly create?: boolean;
}

export interface DriverOptions extends OpenStoreOptions {
  readonly url: string;
}

/**
 * `sqlite:PATH`, `sqlite::memory:`, `postgres://…`, `postgresql://…`, or `postgres:` for the PG* variables alone.
 * @throws E_CONFIG for any other URL, or when the driver is not installed
 */
export async function openStoreAt(url: string, options: OpenStoreOptions = {}): Promise<Store> {
  if (/^sqlite:/i.test(url)) {
    const { openSqliteStore } = await importSqlite();
    return openSqliteStore({ ...options, url });
  }
  if (/^postgres(ql)?:/i.test(url)) {
    const { openPostgresStore } = await import('./postgres/postgres-store.js');
    return openPostgresStore({ ...options, url });
  }
  throw new EvstoreError('E_CONFIG', `not the URL of a store: ${redactUrl(url)}`, {
    why: 'A store is sqlite:PATH or postgres://USER@HOST/DATABASE.',
    next: 'evstore doctor --store sqlite:./evstore.db',
  });
}

async function importSqlite() {
  try {
    return await import('./sqlite/sqlite-store.js');
  } catch (error) {
    if (!isMissingDriver(error)) throw error;
    throw new EvstoreError('E_CONFIG', 'the SQLite driver is not installed', {
      why: 'better-sqlite3 is an optional dependency, and there was no build of it for this machine.',
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
