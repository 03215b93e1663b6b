/** The schema and its versions. */
import { isEvstoreError } from '../../../domain/errors.js';
import { shellWord } from '../../../domain/shell-word.js';
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
import { openSqlFolder } from '../../shared/sql.js';
import type { SchemaAdmin, SchemaStatus } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { isRetryable } from '../connection/errors.js';
import { quoteLiteral } from '../connection/literals.js';
import { diagnose } from './diagnose.js';
import { createIdIndexes, readIdIndexes } from './id-indexes.js';
import { fix } from './repair.js';

const defaultLockTimeoutMs = 30_000;

export function openSchemaAdmin(database: Database): SchemaAdmin {
  const files = readMigrations(new URL('./migrations/', import.meta.url));
  const status = () => database.read((session) => readStatus(session, files, database.location));
  const findBrokenGuards = () => database.read((session) => session.ask('guards').map(toBrokenGuard));
  return {
    status,

    async migrate({ lockTimeoutMs = defaultLockTimeoutMs } = {}) {
      database.assertWritable();
      if (findPending(files, appliedOf(await status())).length === 0) return [];
      let versions: readonly number[];
      try {
        // Kept in the file; not possible inside a transaction.
        await database.retry(() => database.execute('pragma journal_mode = wal'), lockTimeoutMs);
        versions = await database.transaction(
          (session) => applyPending(session, files, database.location),
          lockTimeoutMs,
        );
      } catch (error) {
        throw isRetryable(error) ? migrationLockHeld(lockTimeoutMs, error) : error;
      }
      return (await status()).migrations.filter(({ version }) => versions.includes(version));
    },

    async assertReady() {
      const applied = await readApplied(database, files);
      assertUpToDate(files, applied, database.location, 'There is no table evstore_migrations.');
    },

    findBrokenGuards,
    assertGuards: async () => refuseBroken(await findBrokenGuards()),
    fix: (part) => fix(database, files, part),
    idIndexes: () => database.read(readIdIndexes),
    createIdIndexes: () => createIdIndexes(database),
    diagnose: () => diagnose(database),
  };
}

/** Under the lock: another process may have applied them already. Returns the versions it applied. */
function applyPending(session: Session, files: readonly MigrationFile[], location: string): readonly number[] {
  const status = readStatus(session, files, location);
  const pending = findPending(files, appliedOf(status));
  if (status.version === 0) session.execute(session.sql('bootstrap'));
  for (const file of pending) session.execute(renderMigration(file));
  return pending.map(({ version }) => version);
}

/** Runs one statement when there is a schema. */
async function readApplied(database: Database, files: readonly MigrationFile[]): Promise<readonly AppliedMigration[]> {
  try {
    return await database.read((session) => session.ask('versions-applied').map(toAppliedMigration));
  } catch (error) {
    if (!isEvstoreError(error) || error.code !== 'E_NO_SCHEMA') throw error;
    return appliedOf(await database.read((session) => readStatus(session, files, database.location)));
  }
}

/** @throws E_FOREIGN_TABLE */
function readStatus(session: Session, files: readonly MigrationFile[], location: string): SchemaStatus {
  const [found] = session.ask('schema-status');
  if (found?.[0] === 1) return toSchemaStatus(files, session.ask('migrations-applied'));
  if (found?.[1] !== 1) return toSchemaStatus(files);
  throw foreignEvents(location, `evstore init --store ${shellWord(location.replace(/(\.\w+)?$/, '-evstore$1'))}`);
}

/** Returns the complete schema as one transaction for the sqlite3 shell; opens nothing. */
export function printSchemaSql(): string {
  return [
    'pragma journal_mode = wal;',
    'begin immediate;',
    openSqlFolder(new URL('../', import.meta.url))('bootstrap'),
    ...readMigrations(new URL('./migrations/', import.meta.url)).map(renderMigration),
    'commit;',
    '',
  ].join('\n\n');
}

/** Adds the statement that records the migration. */
function renderMigration(file: MigrationFile): string {
  const record = `insert into evstore_migrations (version, name, checksum)
  values (${file.version}, ${quoteLiteral(file.name)}, ${quoteLiteral(checksumOf(file))});`;
  return `${file.readText().trimEnd()}\n\n${record}`;
}
