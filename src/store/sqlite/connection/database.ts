/** The connection and its transactions: the only module that talks to better-sqlite3. Rows are arrays of values. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { EvstoreError } from '../../../domain/errors.js';
import type { FileTarget } from './connection-url.js';
import { isRetryable, namedError } from './errors.js';
import type { ExactRow, ExactValue, Parameter, RawRow } from './values.js';

/** Reads one state of the store; integers come as bigint. */
export interface Snapshot {
  query(text: string, parameters?: readonly ExactValue[]): readonly ExactRow[];
}

/** Works inside one transaction, or on its own: each call is done when it returns. */
export interface Session {
  query(text: string, parameters?: readonly Parameter[]): readonly RawRow[];
  /** Of a statement with one column, of texts. */
  texts(text: string, parameters?: readonly Parameter[]): readonly string[];
  /** How many rows it changed, and the row id of the last one inserted. */
  run(text: string, parameters?: readonly Parameter[]): Sqlite.RunResult;
  /** Several statements without parameters or rows. */
  execute(text: string): void;
}

/** SQLite waits by sleeping: as long as nobody notices. The rest of a wait leaves the process free. */
const busyTimeoutMs = 10;
const longestWaitMs = 50;
const defaultTimeoutMs = 30_000;
/** How long this connection's work may follow on itself before signals, timers and others get their turn. */
const longestRunMs = 2;
const maxStatements = 200;

interface Prepared {
  readonly statement: Sqlite.Statement<unknown[], RawRow>;
  /** `?1`, `?2` … are names to better-sqlite3. */
  readonly isNumbered: boolean;
}

export class Database implements Session {
  readonly #connection: Sqlite.Database;
  readonly #target: FileTarget;
  readonly #readOnly: boolean;
  readonly #prepared = new Map<string, Prepared>();
  #lastTurn = 0;

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
  }

  get target(): FileTarget {
    return this.#target;
  }

  get location(): string {
    return this.#target.location;
  }

  /** Settings of the connection, and the first look into the file. */
  async prepare(): Promise<void> {
    await this.retry(() => {
      this.#connection.pragma('synchronous = full');
      this.#connection.pragma('foreign_keys = on');
      this.#connection.pragma('recursive_triggers = on');
      this.#connection.pragma('schema_version');
      if (this.#readOnly) this.#connection.pragma('query_only = on');
    });
  }

  /** @throws E_READ_ONLY when the store was opened for reading */
  assertWritable(): void {
    if (!this.#readOnly) return;
    throw new EvstoreError('E_READ_ONLY', 'the store was opened for reading only');
  }

  query(text: string, parameters: readonly Parameter[] = []): readonly RawRow[] {
    const { statement, isNumbered } = this.#prepare(text);
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
    return isNumbered ? statement.run(numbered(parameters)) : statement.run(...parameters);
  }

  execute(text: string): void {
    this.#connection.exec(text);
  }

  /** Statements that see one state of the store and change nothing. */
  async read<T>(work: (session: Session) => T): Promise<T> {
    return this.retry(() => this.#within('begin', work));
  }

  /** Statements in one transaction that has the write lock from its beginning; any error rolls it back. */
  async transaction<T>(work: (session: Session) => T, timeoutMs?: number): Promise<T> {
    return this.retry(() => this.#within('begin immediate', work), timeoutMs);
  }

  /**
   * As `transaction`, for work that goes on over many turns, until `commit`. Only where nobody else has the connection:
   * their statements would be part of it. Closing it rolls back.
   */
  async begin(): Promise<void> {
    await this.retry(() => this.run('begin immediate'));
  }

  commit(): void {
    this.run('commit');
  }

  /** As `transaction`, for renaming tables: what refers to a table by name goes on naming what it named. */
  async alteration<T>(work: (session: Session) => T, timeoutMs?: number): Promise<T> {
    return this.retry(() => {
      // Not possible inside a transaction.
      this.execute('pragma foreign_keys = off; pragma legacy_alter_table = on');
      try {
        return this.#within('begin immediate', work);
      } finally {
        this.execute('pragma legacy_alter_table = off; pragma foreign_keys = on');
      }
    }, timeoutMs);
  }

  /**
   * Statements that see one state of the store for as long as the items are taken, and change nothing. They have a
   * connection of their own: on this one a transaction that stays open would take in everybody else's statements.
   * @throws E_USAGE for a store in memory, which has no second connection
   */
  async *snapshot<T>(work: (snapshot: Snapshot) => AsyncIterable<T>): AsyncGenerator<T> {
    if (this.#target.isMemory) {
      throw new EvstoreError('E_USAGE', 'a store in memory cannot be compared', {
        why: 'A comparison needs a second connection, and such a store has one.',
      });
    }
    const other = new Database(this.#target, true, false);
    try {
      await other.prepare();
      other.#connection.defaultSafeIntegers(true);
      other.execute('begin');
      yield* work({
        query: (text, parameters = []) => other.query(text, parameters as readonly Parameter[]),
      });
    } catch (error) {
      throw namedError(error, this.location);
    } finally {
      other.close();
    }
  }

  /**
   * Rows of one statement, by the names of its columns.
   * @throws E_HANDLER for one that writes, and for several
   */
  selectExactly(text: string, parameters: readonly Parameter[]): readonly Readonly<Record<string, ExactValue>>[] {
    const statement = this.#connection.prepare<unknown[], Readonly<Record<string, ExactValue>>>(text);
    if (!statement.readonly) throw new EvstoreError('E_HANDLER', 'a statement that is to read would write');
    return statement.safeIntegers(true).all(numbered(parameters));
  }

  /**
   * Does it again while somebody else holds the lock, with pauses in which the process is free.
   * @throws EvstoreError named by meaning
   */
  async retry<T>(work: () => T, timeoutMs = defaultTimeoutMs): Promise<T> {
    await this.#giveWay();
    const deadline = Date.now() + timeoutMs;
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
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
      // Whatever stands in the way of closing, the process ends the connection with itself.
    }
  }

  /** Every call here is done when it returns, so awaiting one after the other would never leave the queue of promises. */
  async #giveWay(): Promise<void> {
    if (performance.now() - this.#lastTurn < longestRunMs) return;
    await nextTurn();
    this.#lastTurn = performance.now();
  }

  #within<T>(begin: string, work: (session: Session) => T): T {
    this.run(begin);
    try {
      const result = work(this);
      this.run('commit');
      return result;
    } finally {
      // Some errors have rolled back already.
      if (this.#connection.inTransaction) this.execute('rollback');
    }
  }

  #prepare(text: string): Prepared {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare<unknown[], RawRow>(text);
    if (statement.reader) statement.raw();
    const prepared = { statement, isNumbered: text.includes('?1') };
    // Filters and read models make statements without end: the oldest goes.
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size >= maxStatements && oldest !== undefined) this.#prepared.delete(oldest);
    this.#prepared.set(text, prepared);
    return prepared;
  }
}

function numbered(parameters: readonly Parameter[]): Record<string, Parameter> {
  return Object.fromEntries(parameters.map((value, index) => [String(index + 1), value]));
}
