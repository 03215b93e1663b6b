/** Databases and proxies of the rows, on servers that are set as doctor asks. */
import { randomBytes } from 'node:crypto';
import { connectPostgres, type Raw, withDatabase } from '../support/engines.js';
import { type PostgresOptions, type PostgresServer, startPostgres } from '../support/postgres-server.js';
import type { Place } from './main-job.js';

/** A server that loses nothing in a crash: doctor has nothing to say about it. */
export function startDurable(options: PostgresOptions): Promise<PostgresServer> {
  return startPostgres({ ...options, settings: { fsync: 'on', full_page_writes: 'on', ...options.settings } });
}

export interface DatabasePlace extends Place {
  readonly look: NonNullable<Place['look']>;
  readonly raw: Raw;
  readonly database: string;
}

/** @param as what follows `create database NAME` */
export async function withNewDatabase<Result>(
  server: { readonly url: string },
  as: string,
  work: (place: DatabasePlace) => Promise<Result>,
): Promise<Result> {
  const database = `env_${randomBytes(5).toString('hex')}`;
  await administer(server, `create database ${database} ${as}`);
  const url = withDatabase(server.url, database);
  const raw = await connectPostgres(url);
  try {
    return await work({ url, database, raw, look: (sql) => raw.query(sql) });
  } finally {
    await raw.close();
    await administer(server, `drop database ${database} with (force)`);
  }
}

export async function administer(server: { readonly url: string }, sql: string): Promise<void> {
  const admin = await connectPostgres(server.url);
  try {
    await admin.query(sql);
  } finally {
    await admin.close();
  }
}

/** The URL of the same database for another account. */
export function urlOf(url: string, user: string, password = ''): string {
  const own = new URL(url);
  own.username = user;
  own.password = password;
  return own.href;
}

export const notInstalled = (what: string) => `${what} is not installed: npm run test:environment:install`;
