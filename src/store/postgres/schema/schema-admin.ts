/** The schema and its versions. */
import { createHash, randomInt } from 'node:crypto';
import { EvstoreError, isEvstoreError } from '../../../domain/errors.js';
import { type MigrationFile, openSqlFolder, readMigrations, type SqlFolder } from '../../shared/sql.js';
import type { Diagnosis, MigrationStatus, SchemaAdmin, SchemaStatus } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { sqlState } from '../connection/errors.js';
import { toInteger, toText, toTimestamp } from '../connection/rows.js';
import { diagnose } from './diagnose.js';
import { assertGuards, findBrokenGuards } from './guards.js';
import { checkSchemaName, quoteIdentifier, quoteLiteral, renderSchema } from './schema-name.js';

const defaultLockTimeoutMs = 30_000;
/** Positive in 16 bits: the other half is left to the locks of streams. */
const highestTag = 32_767;
/** One for the whole database, since stores in different schemas must choose different tags. */
const takeMigrationLock = 'select pg_advisory_xact_lock(1702261620, 1)';

export class PostgresSchemaAdmin implements SchemaAdmin {
  readonly #database: Database;
  readonly #sql: SqlFolder;
  readonly #schema: string;
  readonly #files = readMigrations(new URL('./migrations/', import.meta.url));

  constructor(database: Database, sql: SqlFolder, schema: string) {
    this.#database = database;
    this.#sql = sql;
    this.#schema = schema;
  }

  async status(): Promise<SchemaStatus> {
    return this.#readStatus(this.#database);
  }

  async migrate(options: { readonly lockTimeoutMs?: number } = {}): Promise<readonly MigrationStatus[]> {
    this.#database.assertWritable();
    const lockTimeoutMs = options.lockTimeoutMs ?? defaultLockTimeoutMs;
    const before = await this.#readStatus(this.#database);
    this.#refuseNewer(before);
    if (before.migrations.every(({ state }) => state !== 'pending')) return [];
    const versions = await this.#database
      .transaction((session) => this.#applyPending(session), {
        prelude: `${lockTimeout(lockTimeoutMs)}; set local client_min_messages = warning; ${takeMigrationLock}`,
      })
      .catch((error: unknown) => {
        throw sqlState(error) === '55P03' ? lockHeld(lockTimeoutMs, error) : error;
      });
    return (await this.status()).migrations.filter(({ version }) => versions.includes(version));
  }

  async assertReady(): Promise<void> {
    const versions = await this.#readVersions();
    const version = versions.at(-1) ?? 0;
    const latest = this.#files.at(-1)?.version ?? 0;
    this.#refuseNewer({ version, latest });
    if (version === 0) {
      throw new EvstoreError('E_NO_SCHEMA', `the store has no schema yet: ${this.#database.location}`, {
        why: `There is no table evstore_migrations in schema ${this.#schema}.`,
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
  async #applyPending(session: Session): Promise<readonly number[]> {
    const status = await this.#readStatus(session);
    this.#refuseNewer(status);
    if (status.version === 0) {
      await session.query(`create schema if not exists ${quoteIdentifier(this.#schema)}`);
      await session.script(this.#sql('bootstrap'));
      const tag = chooseTag(await session.query(this.#sql('tags-in-use')));
      await session.query(renderSchema(this.#schema)('insert into public.evstore_meta (tag) values ($1)'), [tag]);
    }
    const [tagRow] = await session.query(this.#sql('tag'));
    const tag = toInteger(tagRow?.[0]);
    const pending = this.#files.filter((file) => isPending(status, file));
    for (const file of pending) await session.script(renderMigration(file, this.#schema, tag));
    return pending.map(({ version }) => version);
  }

  /** Of every migration that was applied, in order; one statement where there are any. */
  async #readVersions(): Promise<readonly number[]> {
    try {
      const rows = await this.#database.query(this.#sql('versions-applied'));
      return rows.map(([version]) => toInteger(version));
    } catch (error) {
      if (!isEvstoreError(error) || error.code !== 'E_NO_SCHEMA') throw error;
      return (await this.status()).migrations.filter(({ state }) => state !== 'pending').map(({ version }) => version);
    }
  }

  async #readStatus(session: Session): Promise<SchemaStatus> {
    const latest = this.#files.at(-1)?.version ?? 0;
    const [found] = await session.query(this.#sql('schema-status'), [this.#schema]);
    if (found?.[0] !== 't') {
      if (found?.[1] === 't') throw foreignTable(this.#schema);
      return { version: 0, latest, migrations: this.#files.map((file) => describe(file, undefined)) };
    }
    const rows = await session.query(this.#sql('migrations-applied'));
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

/**
 * The whole schema as one transaction for psql; connects to nothing.
 * @throws E_CONFIG for a schema name that cannot be
 */
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

/** With the row that records it. */
function renderMigration(file: MigrationFile, schema: string, tag: number): string {
  const record = `insert into public.evstore_migrations (version, name, checksum)
  values (${file.version}, ${quoteLiteral(file.name)}, ${quoteLiteral(checksumOf(file))});`;
  return renderSchema(schema)(`${file.readText().trimEnd().replaceAll('/*tag*/1', String(tag))}\n\n${record}`);
}

/** Of the text as it stands in the file, whatever the line ends of the checkout. */
function checksumOf(file: MigrationFile): string {
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

function chooseTag(rows: readonly (readonly (string | null)[])[]): number {
  const taken = new Set(rows.map(([tag]) => Number(tag)));
  let tag = randomInt(1, highestTag + 1);
  while (taken.has(tag)) tag = randomInt(1, highestTag + 1);
  return tag;
}

function foreignTable(schema: string): EvstoreError {
  return new EvstoreError('E_FOREIGN_TABLE', `schema ${schema} has a table events that is not ours`, {
    why: 'It was not made by evstore (there is no evstore_migrations beside it), so it is left alone.',
    next: 'evstore init --schema evstore',
  });
}

function lockHeld(lockTimeoutMs: number, cause: unknown): EvstoreError {
  return new EvstoreError('E_LOCK_HELD', `another migration held the lock for ${lockTimeoutMs} ms`, {
    why: 'Somebody else is creating or upgrading a schema in this database, or a transaction uses its tables.',
    next: 'evstore migrate status',
    cause,
  });
}
