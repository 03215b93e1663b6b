/** The connection and its transactions: the only module that uses better-sqlite3. Rows are arrays of values. */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { EvstoreError } from '../../../domain/errors.js';
import { openSqlFolder, type SqlFolder } from '../../shared/sql.js';
import type { FileTarget } from './connection-url.js';
import { isRetryable, namedError } from './errors.js';
import { failedByFolder, isFolderReadOnly, readFrozenFile, stampOf } from './frozen-file.js';
import { FileWatch } from './same-file.js';
import type { ExactValue, Parameter, RawRow, Snapshot } from './values.js';

/** Runs statements inside a transaction, or each on its own. Every call is finished when it returns. */
export interface Session {
  /** Returns the text of the statement NAME.sql of this engine. */
  readonly sql: SqlFolder;
  /** Runs the statement NAME.sql of this engine. */
  ask(name: string, parameters?: readonly Parameter[]): readonly RawRow[];
  /** Returns no rows for a statement that has none. */
  query(text: string, parameters?: readonly Parameter[]): readonly RawRow[];
  /** Returns the texts of a statement with one column. */
  texts(text: string, parameters?: readonly Parameter[]): readonly string[];
  /** Returns how many rows it changed, and the row id of the last one inserted. */
  run(text: string, parameters?: readonly Parameter[]): Sqlite.RunResult;
  /** Runs several statements without parameters or rows. */
  execute(text: string): void;
}

/** SQLite waits by blocking the process, so only this long. The rest of a wait leaves the process free. */
const busyTimeoutMs = 10;
const longestWaitMs = 50;
const defaultTimeoutMs = 30_000;
/** How long this connection may work without giving signals and timers their turn. */
const longestRunMs = 2;
const maxStatements = 200;

interface Prepared {
  readonly statement: Sqlite.Statement<unknown[], RawRow>;
  /** better-sqlite3 takes `?1`, `?2` … as names. */
  readonly isNumbered: boolean;
}

const sql = openSqlFolder(new URL('../', import.meta.url));

export class Database implements Session {
  readonly sql = sql;
  #connection: Sqlite.Database;
  readonly #target: FileTarget;
  #readOnly: boolean;
  readonly #prepared = new Map<string, Prepared>();
  #lastTurn = 0;
  readonly #watch: FileWatch;
  #isPrepared = false;
  /** Of the file that was read into memory; undefined when it is open. */
  #frozenStamp: string | undefined;

  /** @throws E_NO_SCHEMA, E_CONNECT, E_CORRUPT, E_CONFIG */
  constructor(target: FileTarget, readOnly: boolean, create: boolean) {
    this.#target = target;
    this.#readOnly = readOnly;
    try {
      this.#connection = new Sqlite(target.path, {
        timeout: busyTimeoutMs,
        fileMustExist: !create && !target.isMemory,
      });
    } catch (error) {
      throw namedError(error, target.location);
    }
    this.#watch = new FileWatch(target, {
      read: (text) => this.query(text),
      isInTransaction: () => this.#connection.inTransaction,
      readAfresh: (work) => this.#readAfresh(work),
    });
  }

  get target(): FileTarget {
    return this.#target;
  }

  get location(): string {
    return this.#target.location;
  }

  /** Whether this is a copy in memory, which never changes: the folder of the file is read-only. */
  get isFrozen(): boolean {
    return this.#frozenStamp !== undefined;
  }

  /** Sets up the connection, and reads the file for the first time. */
  async prepare(): Promise<void> {
    try {
      await this.retry(() => this.#setUp());
      // No one can change the journal mode there, and nothing is written: the mode is no reason to refuse readers.
      if (this.#connection.pragma('journal_mode', { simple: true }) === 'delete' && isFolderReadOnly(this.#target)) {
        await this.#freeze();
      }
    } catch (error) {
      if (!failedByFolder(this.#target, error)) throw error;
      await this.#freeze(error);
    }
    this.#isPrepared = true;
    await this.retry(() => this.#assertSameFile());
  }

  async #freeze(cause?: unknown): Promise<void> {
    const stamp = stampOf(this.#target);
    const bytes = readFrozenFile(this.#target, cause);
    this.close();
    this.#connection = new Sqlite(bytes, { readonly: true });
    this.#readOnly = true;
    this.#frozenStamp = stamp;
    await this.retry(() => this.#setUp());
  }

  #setUp(): void {
    this.#connection.pragma('synchronous = full');
    this.#connection.pragma('foreign_keys = on');
    this.#connection.pragma('recursive_triggers = on');
    this.#connection.pragma('schema_version');
    if (this.#readOnly) this.#connection.pragma('query_only = on');
  }

  /** @throws E_DIVERGED when the file was replaced, or has another history than the one that was read */
  #assertSameFile(): void {
    if (!this.#isPrepared || !this.#connection.open) return;
    if (this.#frozenStamp === undefined) this.#watch.check();
    else if (this.#frozenStamp !== stampOf(this.#target)) throw this.#changedWhileFrozen();
  }

  #changedWhileFrozen(): EvstoreError {
    return new EvstoreError('E_DIVERGED', `${this.location} changed while a copy of it was read`, {
      why: 'Its folder is read-only for this process, so changes are not seen. Start again to read what is there now.',
    });
  }

  /** @throws E_READ_ONLY when the store was opened for reading */
  assertWritable(): void {
    if (!this.#readOnly) return;
    if (this.isFrozen) throw new EvstoreError('E_READ_ONLY', `the folder is read-only: ${this.location}`);
    throw new EvstoreError('E_READ_ONLY', 'the store was opened for reading only');
  }

  ask(name: string, parameters?: readonly Parameter[]): readonly RawRow[] {
    return this.query(sql(name), parameters);
  }

  query(text: string, parameters: readonly Parameter[] = []): readonly RawRow[] {
    const { statement, isNumbered } = this.#prepare(text);
    if (!statement.reader) {
      run(statement, isNumbered, parameters);
      return [];
    }
    return isNumbered ? statement.all(numbered(parameters)) : statement.all(...parameters);
  }

  texts(text: string, parameters: readonly Parameter[] = []): readonly string[] {
    const { statement } = this.#prepare(text);
    return statement.pluck().all(numbered(parameters)) as unknown as readonly string[];
  }

  run(text: string, parameters: readonly Parameter[] = []): Sqlite.RunResult {
    const { statement, isNumbered } = this.#prepare(text);
    if (statement.reader) {
      this.query(text, parameters);
      return { changes: 0, lastInsertRowid: 0 };
    }
    return run(statement, isNumbered, parameters);
  }

  execute(text: string): void {
    this.#connection.exec(text);
  }

  /** Runs statements that see one state of the store and change nothing. */
  async read<T>(work: (session: Session) => T): Promise<T> {
    return this.retry(() => this.#within('begin', work));
  }

  /** Runs statements in one transaction that has the write lock from the start; any error rolls it back. */
  async transaction<T>(work: (session: Session) => T, timeoutMs?: number): Promise<T> {
    return this.retry(() => this.#write(work), timeoutMs);
  }

  /**
   * Begins a transaction that lasts over many turns, until `commit`. Only for a connection with a single user: the
   * statements of others would be part of it. Closing the connection rolls back.
   */
  async begin(): Promise<void> {
    await this.retry(() => this.run('begin immediate'));
  }

  commit(): void {
    this.run('commit');
  }

  /** Runs a transaction that renames tables: references to a table keep its old name. */
  async alteration<T>(work: (session: Session) => T, timeoutMs?: number): Promise<T> {
    return this.retry(() => {
      // Not possible inside a transaction.
      this.execute('pragma foreign_keys = off; pragma legacy_alter_table = on');
      try {
        return this.#write(work);
      } finally {
        this.execute('pragma legacy_alter_table = off; pragma foreign_keys = on');
      }
    }, timeoutMs);
  }

  /**
   * Runs statements that see one state of the store for the whole iteration, and change nothing. They have a connection of
   * their own: on this one, an open transaction would include the statements of other callers.
   * @throws E_USAGE for a store in memory, which has no second connection
   */
  async *snapshot<T>(work: (snapshot: Snapshot) => AsyncIterable<T>): AsyncGenerator<T> {
    if (this.#target.isMemory) {
      throw new EvstoreError('E_USAGE', 'a store in memory has no snapshots', {
        why: 'A snapshot needs a second connection, and a store in memory has only one.',
      });
    }
    const other = new Database(this.#target, true, false);
    try {
      await other.prepare();
      other.#connection.defaultSafeIntegers(true);
      other.execute('begin');
      const query = (text: string, parameters: readonly ExactValue[] = []) =>
        other.query(text, parameters as readonly Parameter[]);
      yield* work({
        query,
        ask: (name, parameters) => query(sql(name), parameters),
        each: (text, parameters = []) => other.#each(text, parameters as readonly Parameter[]),
      });
    } catch (error) {
      throw namedError(error, this.location);
    } finally {
      other.close();
    }
  }

  /**
   * Returns the rows of one statement, by the names of its columns.
   * @throws E_HANDLER for one that writes, and for several
   */
  selectExactly(text: string, parameters: readonly Parameter[]): readonly Readonly<Record<string, ExactValue>>[] {
    const statement = this.#connection.prepare<unknown[], Readonly<Record<string, ExactValue>>>(text);
    if (!statement.readonly)
      throw new EvstoreError('E_HANDLER', 'only one SELECT statement is allowed: this one would write');
    return statement.safeIntegers(true).all(numbered(parameters));
  }

  /**
   * Repeats the work while another connection holds the lock, with pauses in which the process is free.
   * @throws EvstoreError named by meaning; E_DIVERGED when the file was replaced while it was open
   */
  async retry<T>(work: () => T, timeoutMs = defaultTimeoutMs): Promise<T> {
    const isTurn = await this.#giveWay();
    const deadline = Date.now() + timeoutMs;
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        if (isTurn) this.#assertSameFile();
        return work();
      } catch (error) {
        const pauseMs = waitMs * (0.5 + Math.random());
        if (!isRetryable(error) || Date.now() + pauseMs >= deadline) throw namedError(error, this.location);
        await sleep(pauseMs);
      }
    }
  }

  /** Never throws. */
  close(): void {
    try {
      this.#connection.close();
    } catch {
      // The end of the process closes the connection in any case.
    }
  }

  /** Every call is finished when it returns, so awaiting many in a row would never leave the queue of promises. */
  async #giveWay(): Promise<boolean> {
    if (performance.now() - this.#lastTurn < longestRunMs) return false;
    await nextTurn();
    this.#lastTurn = performance.now();
    return true;
  }

  #readAfresh<T>(work: (read: (text: string) => readonly RawRow[]) => T): T {
    const other = new Sqlite(this.#target.path, { timeout: busyTimeoutMs, fileMustExist: true });
    try {
      return work((text) => other.prepare<unknown[], RawRow>(text).raw().all());
    } finally {
      other.close();
    }
  }

  #each(text: string, parameters: readonly Parameter[]): Iterable<RawRow> {
    const { statement, isNumbered } = this.#prepare(text);
    return isNumbered ? statement.iterate(numbered(parameters)) : statement.iterate(...parameters);
  }

  /** Looks again, however short ago it did: what is written to a file that was removed would be lost. */
  #write<T>(work: (session: Session) => T): T {
    this.#assertSameFile();
    return this.#within('begin immediate', work);
  }

  #within<T>(begin: string, work: (session: Session) => T): T {
    this.run(begin);
    try {
      const result = work(this);
      this.run('commit');
      return result;
    } finally {
      // Some errors roll back by themselves.
      if (this.#connection.inTransaction) this.execute('rollback');
    }
  }

  #prepare(text: string): Prepared {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare<unknown[], RawRow>(text);
    if (statement.reader) statement.raw();
    const prepared = { statement, isNumbered: text.includes('?1') };
    // Filters and read models produce any number of statements: the oldest is dropped.
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size >= maxStatements && oldest !== undefined) this.#prepared.delete(oldest);
    this.#prepared.set(text, prepared);
    return prepared;
  }
}

function run(
  statement: Prepared['statement'],
  isNumbered: boolean,
  parameters: readonly Parameter[],
): Sqlite.RunResult {
  return isNumbered ? statement.run(numbered(parameters)) : statement.run(...parameters);
}

function numbered(parameters: readonly Parameter[]): Record<string, Parameter> {
  return Object.fromEntries(parameters.map((value, index) => [String(index + 1), value]));
}
