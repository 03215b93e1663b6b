/** The schema and its versions. */
import { randomInt } from 'node:crypto';
import { isEvstoreError } from '../../../domain/errors.js';
import { refuseBroken, toBrokenGuard } from '../../shared/guards.js';
import {
  type AppliedMigration,
  appliedOf,
  assertUpToDate,
  checksumOf,
  findPending,
  foreignEvents,
  type MigrationFile,
  migrationLockHeld,
  readMigrations,
  toAppliedMigration,
  toSchemaStatus,
} from '../../shared/migrations.js';
import { toInteger } from '../../shared/rows.js';
import { openSqlFolder } from '../../shared/sql.js';
import type { SchemaAdmin, SchemaStatus } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { sqlState } from '../connection/errors.js';
import { quoteIdentifier, quoteLiteral } from '../connection/literals.js';
import type { RawRow } from '../connection/values.js';
import { diagnose } from './diagnose.js';
import { createIdIndexes, readIdIndexes } from './id-indexes.js';
import { fix } from './repair.js';
import { checkSchemaName, renderSchema } from './schema-name.js';

const defaultLockTimeoutMs = 30_000;
/** The highest positive number in 16 bits: the locks of streams use the negative ones. */
const highestTag = 32_767;
/** One lock for all schemas of the database, because their stores must choose different tags. */
const takeMigrationLock = 'select pg_advisory_xact_lock(1702261620, 1)';

export function openSchemaAdmin(database: Database): SchemaAdmin {
  const files = readMigrations(new URL('./migrations/', import.meta.url));
  const findBrokenGuards = async () => (await database.ask('guards')).map(toBrokenGuard);
  return {
    status: () => readStatus(database, files),

    async migrate({ lockTimeoutMs = defaultLockTimeoutMs } = {}) {
      database.assertWritable();
      const before = await readStatus(database, files);
      if (findPending(files, appliedOf(before)).length === 0) return [];
      const versions = await database
        .transaction((session) => applyPending(session, files), {
          prelude: `${lockTimeout(lockTimeoutMs)}; set local client_min_messages = warning; ${takeMigrationLock}`,
        })
        .catch((error: unknown) => {
          throw sqlState(error) === '55P03' ? migrationLockHeld(lockTimeoutMs, error) : error;
        });
      const { migrations } = await readStatus(database, files);
      return migrations.filter(({ version }) => versions.includes(version));
    },

    async assertReady() {
      const applied = await database.repeatable(() => readApplied(database, files));
      const emptyWhy = `There is no table evstore_migrations in schema ${database.schema}.`;
      assertUpToDate(files, applied, database.location, emptyWhy);
    },

    findBrokenGuards,
    assertGuards: async () => refuseBroken(await findBrokenGuards()),
    fix: (part) => fix(database, files, part),
    idIndexes: () => readIdIndexes(database),
    createIdIndexes: (options) => createIdIndexes(database, options),
    diagnose: () => diagnose(database),
  };
}

/** Under the lock: another process may have applied them already. Returns the versions it applied. */
async function applyPending(session: Session, files: readonly MigrationFile[]): Promise<readonly number[]> {
  const status = await readStatus(session, files);
  const pending = findPending(files, appliedOf(status));
  if (status.version === 0) {
    // Looked for first: CREATE SCHEMA IF NOT EXISTS needs a privilege on the database even where the schema exists.
    const found = await session.query('select 1 from pg_namespace where nspname = $1', [session.schema]);
    if (found.length === 0) await session.query(`create schema ${quoteIdentifier(session.schema)}`);
    await session.script(session.sql('bootstrap'));
    const tag = chooseTag(await session.ask('tags-in-use'));
    await session.query(renderSchema(session.schema)('insert into public.evstore_meta (tag) values ($1)'), [tag]);
  }
  const [tagRow] = await session.ask('tag');
  const tag = toInteger(tagRow?.[0]);
  for (const file of pending) await session.script(renderMigration(file, session.schema, tag));
  return pending.map(({ version }) => version);
}

/** Runs one statement when there is a schema. */
async function readApplied(database: Database, files: readonly MigrationFile[]): Promise<readonly AppliedMigration[]> {
  try {
    return (await database.ask('versions-applied')).map(toAppliedMigration);
  } catch (error) {
    if (!isEvstoreError(error) || error.code !== 'E_NO_SCHEMA') throw error;
    return appliedOf(await readStatus(database, files));
  }
}

/** @throws E_FOREIGN_TABLE */
async function readStatus(session: Session, files: readonly MigrationFile[]): Promise<SchemaStatus> {
  const [found] = await session.ask('schema-status', [session.schema]);
  if (found?.[0] === 't') return toSchemaStatus(files, await session.ask('migrations-applied'));
  if (found?.[1] !== 't') return toSchemaStatus(files);
  throw foreignEvents(
    `schema ${session.schema}`,
    `evstore init --schema ${session.schema === 'evstore' ? 'evstore_store' : 'evstore'}`,
  );
}

/** Returns the complete schema as one transaction for psql; connects to nothing. */
export function printSchemaSql({ schema = 'public' }: { readonly schema?: string | undefined } = {}): string {
  const render = renderSchema(checkSchemaName(schema));
  const folder = new URL('./migrations/', import.meta.url);
  const tag = randomInt(1, highestTag + 1);
  return [
    'begin isolation level read committed;',
    `${takeMigrationLock};`,
    `create schema if not exists ${quoteIdentifier(schema)};`,
    openSqlFolder(new URL('../', import.meta.url), render)('bootstrap'),
    render(`insert into public.evstore_meta (tag) values (${tag});`),
    ...readMigrations(folder).map((file) => renderMigration(file, schema, tag)),
    'commit;',
    '',
  ].join('\n\n');
}

/** Adds the statement that records the migration. */
function renderMigration(file: MigrationFile, schema: string, tag: number): string {
  const record = `insert into public.evstore_migrations (version, name, checksum)
  values (${file.version}, ${quoteLiteral(file.name)}, ${quoteLiteral(checksumOf(file))});`;
  return renderSchema(schema)(`${file.readText().trimEnd().replaceAll('/*tag*/1', String(tag))}\n\n${record}`);
}

function chooseTag(rows: readonly RawRow[]): number {
  const taken = new Set(rows.map(([tag]) => Number(tag)));
  let tag = randomInt(1, highestTag + 1);
  while (taken.has(tag)) tag = randomInt(1, highestTag + 1);
  return tag;
}
