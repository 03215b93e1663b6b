/** The schema and its versions. */
import { EvstoreError, isEvstoreError } from '../../../domain/errors.js';
import { type MigrationFile, openSqlFolder, readMigrations, type SqlFolder } from '../../shared/sql.js';
import type { Diagnosis, MigrationStatus, SchemaAdmin, SchemaStatus } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { isTransient } from '../connection/errors.js';
import { quoteLiteral } from '../connection/literals.js';
import { toInteger, toText, toTimestamp } from '../connection/rows.js';
import { diagnose } from './diagnose.js';
import { assertGuards, findBrokenGuards } from './guards.js';

const defaultLockTimeoutMs = 30_000;

export class SqliteSchemaAdmin implements SchemaAdmin {
  readonly #database: Database;
  readonly #sql: SqlFolder;
  readonly #files = readMigrations(new URL('./migrations/', import.meta.url));

  constructor(database: Database, sql: SqlFolder) {
    this.#database = database;
    this.#sql = sql;
  }

  async status(): Promise<SchemaStatus> {
    return this.#database.read((session) => this.#readStatus(session));
  }

  async migrate(options: { readonly lockTimeoutMs?: number } = {}): Promise<readonly MigrationStatus[]> {
    this.#database.assertWritable();
    const lockTimeoutMs = options.lockTimeoutMs ?? defaultLockTimeoutMs;
    const before = await this.status();
    this.#refuseNewer(before);
    if (before.migrations.every(({ state }) => state !== 'pending')) return [];
    let versions: readonly number[];
    try {
      // Kept in the file; not possible inside a transaction.
      await this.#database.retry(() => this.#database.execute('pragma journal_mode = wal'), lockTimeoutMs);
      versions = await this.#database.transaction((session) => this.#applyPending(session), lockTimeoutMs);
    } catch (error) {
      throw isTransient(error) ? lockHeld(lockTimeoutMs, error) : error;
    }
    return (await this.status()).migrations.filter(({ version }) => versions.includes(version));
  }

  async assertReady(): Promise<void> {
    const versions = await this.#readVersions();
    const version = versions.at(-1) ?? 0;
    const latest = this.#files.at(-1)?.version ?? 0;
    this.#refuseNewer({ version, latest });
    if (version === 0) {
      throw new EvstoreError('E_NO_SCHEMA', `the store has no schema yet: ${this.#database.location}`, {
        why: 'There is no table evstore_migrations.',
        next: 'evstore init',
      });
    }
    const pending = this.#files.filter((file) => !versions.includes(file.version));
    if (pending.length === 0) return;
    throw new EvstoreError('E_SCHEMA_PENDING', `${pending.length} migrations are waiting`, {
      why: `The schema is at version ${version}, this evstore needs ${latest}.`,
      next: 'evstore migrate up',
    });
  }

  assertGuards(): Promise<void> {
    return assertGuards(this.#database, this.#sql);
  }

  findBrokenGuards(): Promise<readonly string[]> {
    return findBrokenGuards(this.#database, this.#sql);
  }

  diagnose(): Promise<Diagnosis> {
    return diagnose(this.#database, this.#sql);
  }

  /** Under the lock: whoever came first has done it already. */
  /** Returns the versions it applied. */
  #applyPending(session: Session): readonly number[] {
    const status = this.#readStatus(session);
    this.#refuseNewer(status);
    if (status.version === 0) session.execute(this.#sql('bootstrap'));
    const pending = this.#files.filter((file) => isPending(status, file));
    for (const file of pending) session.execute(renderMigration(file));
    return pending.map(({ version }) => version);
  }

  /** Of every migration that was applied, in order; one statement where there are any. */
  async #readVersions(): Promise<readonly number[]> {
    try {
      const rows = await this.#database.read((session) => session.query(this.#sql('versions-applied')));
      return rows.map(([version]) => toInteger(version));
    } catch (error) {
      if (!isEvstoreError(error) || error.code !== 'E_NO_SCHEMA') throw error;
      return (await this.status()).migrations.filter(({ state }) => state !== 'pending').map(({ version }) => version);
    }
  }

  #readStatus(session: Session): SchemaStatus {
    const latest = this.#files.at(-1)?.version ?? 0;
    const [found] = session.query(this.#sql('schema-status'));
    if (found?.[0] !== 1) {
      if (found?.[1] === 1) throw foreignTable(this.#database.location);
      return { version: 0, latest, migrations: this.#files.map((file) => describe(file, undefined)) };
    }
    const rows = session.query(this.#sql('migrations-applied'));
    const applied = rows.map((row) => ({
      version: toInteger(row[0]),
      name: toText(row[1]),
      checksum: toText(row[2]),
      appliedAt: toTimestamp(row[3]),
    }));
    const known = this.#files.map((file) =>
      describe(
        file,
        applied.find(({ version }) => version === file.version),
      ),
    );
    const unknown = applied
      .filter(({ version }) => !this.#files.some((file) => file.version === version))
      .map(({ version, name, appliedAt }) => ({ version, name, state: 'unknown' as const, appliedAt }));
    return { version: applied.at(-1)?.version ?? 0, latest, migrations: [...known, ...unknown] };
  }

  #refuseNewer(status: Pick<SchemaStatus, 'version' | 'latest'>): void {
    if (status.version <= status.latest) return;
    throw new EvstoreError('E_SCHEMA_NEWER', `the schema is at version ${status.version}`, {
      why: `This evstore knows versions up to ${status.latest}: a newer one has been here.`,
      next: 'npm install evstore@latest',
    });
  }
}

/** The whole schema as one transaction for the sqlite3 shell; opens nothing. */
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

/** With the row that records it. */
function renderMigration(file: MigrationFile): string {
  const record = `insert into evstore_migrations (version, name, checksum)
  values (${file.version}, ${quoteLiteral(file.name)}, ${quoteLiteral(checksumOf(file))});`;
  return `${file.readText().trimEnd()}\n\n${record}`;
}

/** Of the text as it stands in the file, whatever the line ends of the checkout. */
function checksumOf(file: MigrationFile): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(file.readText().replaceAll('\r\n', '\n')).digest('hex');
}

function isPending({ migrations }: SchemaStatus, file: MigrationFile): boolean {
  return migrations.some(({ version, state }) => version === file.version && state === 'pending');
}

function describe(
  file: MigrationFile,
  applied: { readonly checksum: string; readonly appliedAt: string } | undefined,
): MigrationStatus {
  const { version, name } = file;
  if (applied === undefined) return { version, name, state: 'pending', appliedAt: null };
  const state = applied.checksum === checksumOf(file) ? 'applied' : 'drifted';
  return { version, name, state, appliedAt: applied.appliedAt };
}

function foreignTable(location: string): EvstoreError {
  return new EvstoreError('E_FOREIGN_TABLE', `${location} has a table events that is not ours`, {
    why: 'It was not made by evstore (there is no evstore_migrations beside it), so it is left alone.',
    next: 'evstore init --store sqlite:./evstore.db',
  });
}

function lockHeld(lockTimeoutMs: number, cause: unknown): EvstoreError {
  return new EvstoreError('E_LOCK_HELD', `another process held the lock for ${lockTimeoutMs} ms`, {
    why: 'Somebody else is creating or upgrading the schema, or a transaction is open.',
    next: 'evstore migrate status',
    cause,
  });
}
