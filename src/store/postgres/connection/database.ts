/** Connections and transactions: the only module that uses node-postgres. Rows are arrays of raw text. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { ConnectPatience } from '../../store.js';
import type { ConnectionTarget } from './connection-url.js';
import { Connector, defaultPatienceMs, firstWaitMs, longestWaitMs, pause } from './connector.js';
import { CopyOut } from './copy-out.js';
import { joinLines } from './copy-text.js';
import {
  isCancelled,
  isConnectionLost,
  isConnectionRefused,
  isRetryable,
  isStatementElsewhere,
  namedError,
  poisonsClient,
} from './errors.js';
import { fillIn } from './literals.js';
import { type SessionSettings, settingsOf } from './settings.js';
import { Statement, type StatementOptions } from './statement.js';
import type { Parameter, RawRow } from './values.js';

export interface Session {
  /** The schema of the store. */
  readonly schema: string;
  /** Returns the text of the statement NAME.sql of this engine. */
  readonly sql: SqlFolder;
  /** Runs the statement NAME.sql of this engine. */
  ask(name: string, parameters?: readonly Parameter[], timeoutMs?: number): Promise<readonly RawRow[]>;
  query(text: string, parameters?: readonly Parameter[], timeoutMs?: number): Promise<readonly RawRow[]>;
  /** Runs several statements in one message, without parameters and without rows. */
  script(text: string): Promise<void>;
  /** Runs COPY … FROM STDIN with the lines of `copyLine`: all rows or none. Reads them as fast as the server does. */
  copyIn(text: string, rows: Iterable<string>): Promise<void>;
}

export interface TransactionOptions {
  /** Statements to run with BEGIN in one message. */
  readonly prelude?: string;
  /** Called when the connection was lost after COMMIT was sent; by default the error is thrown. */
  readonly onLostCommit?: (error: unknown) => Promise<void>;
}

export interface ApartOptions {
  /** Told which process of the server runs them. */
  readonly started: (pid: number) => void;
  /** Cancels the statement that is running. */
  readonly signal: AbortSignal;
}

const timeLimits = `select pg_catalog.pg_backend_pid(), pg_catalog.current_setting('statement_timeout'),
       pg_catalog.current_setting('lock_timeout')`;
/** After this long the server ends a transaction of a frozen process, whose locks would block the next owner of its lease. */
const frozenAfterMs = 10_000;
/** The same for a snapshot: its locks block no writer, and the caller takes its items slowly. */
const frozenSnapshotAfterMs = 60_000;
/** The maximum of a timer of Node.js, and of a setting of Postgres in milliseconds. */
const longestTimeoutMs = 2_147_483_647;
const names = new Map<string, string>();

export interface DatabaseOptions {
  readonly schema: string;
  readonly sql: SqlFolder;
  readonly applicationName: string;
  readonly readOnly: boolean;
  readonly patience?: ConnectPatience | undefined;
}

export class Database implements Session {
  readonly schema: string;
  readonly sql: SqlFolder;
  readonly #settings: SessionSettings;
  readonly #readOnly: boolean;
  readonly #patience: ConnectPatience;
  readonly #connector: Connector;
  #isClosed = false;
  /** A pooler is in between: each transaction may use another connection of the server. */
  #isPooled = false;

  constructor(target: ConnectionTarget, { schema, sql, applicationName, readOnly, patience }: DatabaseOptions) {
    this.schema = schema;
    this.#settings = settingsOf(schema);
    this.sql = sql;
    this.#readOnly = readOnly;
    this.#patience = patience ?? {};
    this.#connector = new Connector(target, applicationName, this.#patience);
  }

  get location(): string {
    return this.#connector.location;
  }

  get isEncrypted(): boolean {
    return this.#connector.isEncrypted;
  }

  get isLocal(): boolean {
    return this.#connector.isLocal;
  }

  /** Returns true when the same work may succeed now. A server that was never reached may be a wrong URL, not a restart. */
  mayRetry(error: unknown): boolean {
    return isRetryable(error) && (this.#connector.hasConnected || !isConnectionRefused(error));
  }

  /** @throws E_READ_ONLY when the store was opened for reading */
  assertWritable(): void {
    if (!this.#readOnly) return;
    throw new EvstoreError('E_READ_ONLY', 'the store was opened for reading only');
  }

  ask(name: string, parameters?: readonly Parameter[], timeoutMs?: number): Promise<readonly RawRow[]> {
    return this.query(this.sql(name), parameters, timeoutMs);
  }

  /** Runs one statement in a transaction of its own. Without a timeout it may take any time. */
  async query(text: string, parameters: readonly Parameter[] = [], timeoutMs?: number): Promise<readonly RawRow[]> {
    const options = { before: this.#settings.statement, timeoutMs };
    return this.#withClient((client) => runStatement(client, text, parameters, options), timeoutMs);
  }

  /** Runs statements that change nothing. Repeats them when the server ends the connection because it restarts. */
  async repeatable<T>(work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + (this.#patience.ms ?? defaultPatienceMs);
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        return await work();
      } catch (error) {
        // The first connection has waited already.
        const isLost = isConnectionLost(error) && this.#connector.hasConnected;
        if (!isLost || Date.now() + waitMs > deadline) throw error;
        await pause(waitMs, this.#patience.signal);
      }
    }
  }

  /**
   * Runs a frequent statement as `ask`: the server keeps the statement and its plan. The statement itself sets what it
   * depends on, which takes a tenth of the time of a statement before it.
   */
  async askAgain(name: string, parameters: readonly Parameter[], timeoutMs?: number): Promise<readonly RawRow[]> {
    const text = this.sql(name);
    return this.#withClient(async (client) => {
      if (this.#isPooled) return runStatement(client, text, parameters, { timeoutMs });
      try {
        return await runStatement(client, text, parameters, { name: nameStatement(text), timeoutMs });
      } catch (error) {
        // The server refused it before doing anything.
        if (!isStatementElsewhere(error)) throw error;
        this.#isPooled = true;
        return await runStatement(client, text, parameters, { timeoutMs });
      }
    }, timeoutMs);
  }

  async script(text: string): Promise<void> {
    await this.#withClient((client) => client.query(`${this.#settings.script}; ${text}`));
  }

  async copyIn(text: string, rows: Iterable<string>): Promise<void> {
    await this.transaction((session) => session.copyIn(text, rows));
  }

  /**
   * Runs statements that cannot be part of a transaction, each in a message of its own. Names in them are qualified: a
   * setting would stay behind in a pooler. Only a time limit of the role is lifted, and only where there is one.
   */
  async runApart(statements: readonly string[], { started, signal }: ApartOptions): Promise<void> {
    await this.#withClient(async (client) => {
      const { rows } = await client.query<string[]>({ text: timeLimits, rowMode: 'array' });
      const [pid, ...limits] = rows[0] ?? [];
      const cancel = () => void this.query('select pg_cancel_backend($1)', [Number(pid)]).catch(() => undefined);
      signal.addEventListener('abort', cancel);
      const limited = ['statement_timeout', 'lock_timeout'].filter((_, index) => limits[index] !== '0');
      try {
        for (const name of limited) await client.query(`set ${name} = 0`);
        started(Number(pid));
        for (const statement of statements) {
          signal.throwIfAborted();
          await client.query(statement);
        }
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener('abort', cancel);
        for (const name of limited) await client.query(`reset ${name}`).catch(() => undefined);
      }
    });
  }

  /** Runs one query in a transaction of its own. Its rows come as complete lines of COPY's text format, many at a time. */
  async copyOut(query: string, parameters: readonly Parameter[], take: (lines: string) => void): Promise<void> {
    const text = `${this.#settings.script}; copy (${fillIn(query, parameters)}) to stdout`;
    await this.#withClient((client) => client.query(new CopyOut(text, take)).done);
  }

  /** Runs statements in one transaction under READ COMMITTED; any error rolls it back. */
  async transaction<T>(work: (session: Session) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.#withClient(async (client) => {
      let result: T;
      try {
        await client.query(
          `begin isolation level read committed; ${this.#settings.script};
           set local idle_in_transaction_session_timeout = ${frozenAfterMs}; ${options.prelude ?? ''}`,
        );
        result = await work(this.#sessionOf(client));
      } catch (error) {
        if (!poisonsClient(error)) await client.query('rollback');
        throw error;
      }
      try {
        await client.query('commit');
      } catch (error) {
        if (!poisonsClient(error) || options.onLostCommit === undefined) throw error;
        await options.onLostCommit(error);
      }
      return result;
    });
  }

  /** Runs statements that see one state of the store for the whole iteration, and change nothing. */
  async *snapshot<T>(work: (session: Session) => AsyncIterable<T>, prelude: string): AsyncGenerator<T> {
    try {
      const client = await this.#lend();
      let isSound = false;
      try {
        await client.query(
          `begin isolation level repeatable read, read only; ${this.#settings.script};
           set local idle_in_transaction_session_timeout = ${frozenSnapshotAfterMs}; ${prelude}`,
        );
        isSound = true;
        yield* work(this.#sessionOf(client));
      } catch (error) {
        isSound = !poisonsClient(error);
        throw error;
      } finally {
        if (isSound)
          isSound = await client.query('rollback').then(
            () => true,
            () => false,
          );
        client.release(!isSound);
      }
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** Never throws; does not wait longer than a second for the server. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#connector.close();
  }

  /** @param timeoutMs of the work; it also limits the wait for a connection */
  async #withClient<T>(work: (client: pg.PoolClient) => Promise<T>, timeoutMs?: number): Promise<T> {
    try {
      const client = await this.#lend(timeoutMs);
      try {
        const result = await work(client);
        client.release();
        return result;
      } catch (error) {
        client.release(poisonsClient(error));
        throw error;
      }
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** The reason of an abort stays what it is, and is why the server cancelled what it was working on. */
  #named(error: unknown): unknown {
    const { signal, cancels = false } = this.#patience;
    if (cancels && signal?.aborted === true && isCancelled(error)) return signal.reason;
    return error === signal?.reason ? error : namedError(error, this.location);
  }

  #sessionOf(client: pg.PoolClient): Session {
    const { schema, sql } = this;
    return {
      schema,
      sql,
      ask: (name, parameters = [], timeoutMs) => runStatement(client, sql(name), parameters, { timeoutMs }),
      query: (text, parameters = [], timeoutMs) => runStatement(client, text, parameters, { timeoutMs }),
      script: async (text) => {
        await client.query(text);
      },
      copyIn: (text, rows) => runCopyIn(client, text, rows),
    };
  }

  async #lend(timeoutMs?: number): Promise<pg.PoolClient> {
    if (this.#isClosed) throw new EvstoreError('E_CONNECT', `the store was closed: ${this.location}`);
    return this.#connector.connect(timeoutMs);
  }
}

/** A prelude: the code of projections runs between the statements, and may take long for a batch. */
export const foldsWithin = 'set local idle_in_transaction_session_timeout = 60000';

/** A prelude: no statement of the transaction waits longer than this for a lock. */
export function lockTimeout(timeoutMs: number): string {
  return `set local lock_timeout = ${timeoutOf(timeoutMs)}`;
}

function timeoutOf(milliseconds: number): number {
  return Math.min(longestTimeoutMs, Math.max(1, Math.ceil(milliseconds)));
}

function runStatement(
  client: pg.PoolClient,
  text: string,
  parameters: readonly Parameter[],
  { timeoutMs, ...options }: StatementOptions,
): Promise<readonly RawRow[]> {
  return client.query(new Statement(text, parameters, { ...options, timeoutMs: timeoutMs && timeoutOf(timeoutMs) }))
    .rows;
}

/** Returns a name derived from the text, so that no two statements on a shared connection have the same name. */
function nameStatement(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `evstore_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
    names.set(text, name);
  }
  return name;
}

/** When reading the rows fails, the server is told, and the error is thrown after its answer. */
async function runCopyIn(client: pg.PoolClient, text: string, rows: Iterable<string>): Promise<void> {
  const { from } = await import('pg-copy-streams');
  await pipeline(Readable.from(joinLines(rows)), client.query(from(text)));
}
