/** One Postgres for the whole run: the one of EVSTORE_TEST_PG_URL, else a throw-away one. Never a silent skip. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser, on a database that tests leave alone. */
    postgresUrl: string;
    /** Every database of this run is named with it: they go when the run ends. */
    databasePrefix: string;
    /** A folder of this run: it goes when the run ends. */
    scratch: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = mkdtempSync(join(chooseDisk(), 'evstore-tests-'));
  // Programs compiled there also run under other accounts, which write there too.
  chmodSync(scratch, 0o1777);
  project.provide('scratch', scratch);
  process.env.EVSTORE_TEST_SCRATCH = scratch;
  // What a case makes in the temporary folder of the system is gone after the run, however the case ended.
  process.env.TMPDIR = scratch;
  const external = process.env.EVSTORE_TEST_PG_URL;
  const server = external ? { url: external, stop: async () => {} } : await startPostgres();
  const prefix = `evstore_test_${randomBytes(4).toString('hex')}_`;
  project.provide('postgresUrl', server.url);
  project.provide('databasePrefix', prefix);
  return async () => {
    if (external) await dropDatabases(external, prefix);
    await server.stop();
    printRowsNotRun(join(scratch, 'environments-not-run'));
    rmSync(scratch, { recursive: true, force: true });
  };
}

/** Names what test/environment could not run on this machine: a skipped case alone is easily overlooked. */
function printRowsNotRun(file: string): void {
  if (!existsSync(file)) return;
  const rows = readFileSync(file, 'utf8').trimEnd().split('\n').sort();
  process.stderr.write(`\n${rows.length} environments NOT RUN:\n${rows.map((row) => `  ${row}\n`).join('')}`);
}

/**
 * A folder in memory where there is one with room: half of what a case costs is else the files of its database, a few
 * hundred for each on Postgres.
 */
function chooseDisk(): string {
  const inMemory = '/dev/shm';
  try {
    const { bavail, bsize } = statfsSync(inMemory);
    if (bavail * bsize > 3 * 2 ** 30) return inMemory;
  } catch {
    // There is none.
  }
  return tmpdir();
}

async function dropDatabases(url: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('select datname from pg_database where starts_with(datname, $1)', [prefix]);
  for (const { datname } of rows) await client.query(`drop database if exists "${datname}" with (force)`);
  await client.end();
}
