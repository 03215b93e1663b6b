/** Migration files, and which of them a store has. */
import { readdirSync, readFileSync } from 'node:fs';
import { EvstoreError } from '../../domain/errors.js';
import type { MigrationStatus, SchemaStatus } from '../store.js';
import { type RawRow, toInteger, toText, toTimestamp } from './rows.js';

/** One file `NNNN-name.sql` of a migrations folder. */
export interface MigrationFile {
  readonly version: number;
  readonly name: string;
  /** Reads the file; line ends do not depend on the checkout. */
  readText(): string;
}

/** A migration as a store recorded it. */
export interface AppliedMigration {
  readonly version: number;
  readonly name: string;
}

/** Lists them in the order of their numbers. */
export function readMigrations(folder: URL): readonly MigrationFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(5, -'.sql'.length),
      readText: () => readFileSync(new URL(file, folder), 'utf8').replaceAll('\r\n', '\n'),
    }));
}

/** Columns as in versions-applied.sql. */
export function toAppliedMigration(row: RawRow): AppliedMigration {
  return { version: toInteger(row[0]), name: toText(row[1]) };
}

/** @param rows of migrations-applied.sql; undefined for a store without a schema */
export function toSchemaStatus(files: readonly MigrationFile[], rows: readonly RawRow[] = []): SchemaStatus {
  const applied = rows.map((row) => ({
    ...toAppliedMigration(row),
    checksum: toText(row[2]),
    appliedAt: toTimestamp(row[3]),
  }));
  const known = files.map((file): MigrationStatus => {
    const { version, name } = file;
    const found = applied.find((each) => each.version === version);
    if (found === undefined) return { version, name, state: 'pending', appliedAt: null };
    if (found.name !== name) return { version, name: found.name, state: 'unknown', appliedAt: found.appliedAt };
    const state = found.checksum === checksumOf(file) ? 'applied' : 'drifted';
    return { version, name, state, appliedAt: found.appliedAt };
  });
  const unknown = applied
    .filter(({ version }) => !files.some((file) => file.version === version))
    .map(({ version, name, appliedAt }) => ({ version, name, state: 'unknown' as const, appliedAt }));
  return { version: applied.at(-1)?.version ?? 0, latest: latestOf(files), migrations: [...known, ...unknown] };
}

/**
 * Returns the files that the store does not have yet.
 * @throws E_UNSAFE_STORE for a store made by other migrations, E_SCHEMA_NEWER
 */
export function findPending(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
): readonly MigrationFile[] {
  for (const { version, name } of applied) {
    const file = files.find((each) => each.version === version);
    if (file !== undefined && file.name !== name) throw otherMigrations(file, name);
  }
  const version = applied.at(-1)?.version ?? 0;
  if (version > latestOf(files)) {
    throw new EvstoreError('E_SCHEMA_NEWER', `the schema is at version ${version}`, {
      why: `This evstore knows versions up to ${latestOf(files)}: a newer evstore has upgraded the store.`,
      next: 'npm install evstore@latest',
    });
  }
  return files.filter((each) => !applied.some((other) => other.version === each.version));
}

/**
 * Checks that the store has every migration.
 * @param emptyWhy how it is known that there is no schema
 * @throws E_NO_SCHEMA, E_SCHEMA_PENDING, and as `findPending`
 */
export function assertUpToDate(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
  location: string,
  emptyWhy: string,
): void {
  const pending = findPending(files, applied);
  const version = applied.at(-1)?.version;
  if (version === undefined) {
    throw new EvstoreError('E_NO_SCHEMA', `the store has no schema yet: ${location}`, {
      why: emptyWhy,
      next: 'evstore init',
    });
  }
  if (pending.length === 0) return;
  throw new EvstoreError('E_SCHEMA_PENDING', `${pending.length} migrations are waiting`, {
    why: `The schema is at version ${version}, this evstore needs ${latestOf(files)}.`,
    next: 'evstore migrate up',
  });
}

/** Returns the migrations that the store has. */
export function appliedOf({ migrations }: SchemaStatus): readonly AppliedMigration[] {
  return migrations.filter(({ state }) => state !== 'pending');
}

export function checksumOf(file: MigrationFile): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(file.readText()).digest('hex');
}

export function foreignEvents(where: string, next: string): EvstoreError {
  return new EvstoreError('E_FOREIGN_TABLE', `${where} has a table events that is not evstore's`, {
    why: 'evstore did not create it (there is no table evstore_migrations), so it leaves it untouched.',
    next,
  });
}

export function migrationLockHeld(lockTimeoutMs: number, cause: unknown): EvstoreError {
  return new EvstoreError('E_LOCK_HELD', `timed out waiting ${lockTimeoutMs} ms for the lock of migrations`, {
    why: 'Another process is creating or upgrading a schema in this database, or a transaction uses its tables.',
    next: 'evstore migrate status',
    cause,
  });
}

function latestOf(files: readonly MigrationFile[]): number {
  return files.at(-1)?.version ?? 0;
}

function otherMigrations({ version, name }: MigrationFile, other: string): EvstoreError {
  return new EvstoreError('E_UNSAFE_STORE', 'the schema of the store was made by another line of migrations', {
    why: `Migration ${version} is ${other} in the store and ${name} in this evstore: an unreleased version of evstore made the store. Export its events with that version, then import them into a new store.`,
    next: 'evstore migrate status',
    details: { version, stored: other, known: name },
  });
}
