/** Opens connections: encryption, the pool, and waiting for a server that restarts or is full. */
import { Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { ConnectPatience } from '../../store.js';
import { cancelStatement } from './cancel.js';
import { type ConnectionTarget, isLocal } from './connection-url.js';
import { driver } from './driver.js';
import { isEncryptionRefused, isServerAway, namedError, sqlState, tooManyConnections } from './errors.js';
import { poolOptionsOf } from './pool-options.js';

const maxConnections = 8;
export const defaultPatienceMs = 5000;
export const [firstWaitMs, longestWaitMs] = [50, 1000];
/** A shorter wait is not told. */
const tellAfterMs = 1000;
const closePatienceMs = 1000;
const cancelEveryMs = 300;

export class Connector {
  readonly #target: ConnectionTarget;
  readonly #applicationName: string;
  readonly #patience: ConnectPatience;
  /** Index of the encryption in use. */
  #attempt = 0;
  #pool: pg.Pool;
  /** Open sockets: those that do not close by themselves would keep the process alive. */
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<pg.Client>();
  #hasConnected = false;

  constructor(target: ConnectionTarget, applicationName: string, patience: ConnectPatience) {
    this.#target = target;
    this.#applicationName = applicationName;
    this.#patience = patience;
    this.#pool = this.#makePool();
    if (patience.cancels !== true) return;
    // What ends soon ends by itself. Other statements may follow the first.
    const cancelOften = () => void setInterval(() => this.#cancelAll(), cancelEveryMs).unref();
    patience.signal?.addEventListener('abort', cancelOften, { once: true });
  }

  get location(): string {
    return this.#target.location;
  }

  /** Of the last connection. */
  get isEncrypted(): boolean {
    return this.#target.encryptions[this.#attempt] !== false;
  }

  /** The server is on this machine. */
  get isLocal(): boolean {
    return isLocal(this.#target.host);
  }

  /** Whether the server has ever answered. */
  get hasConnected(): boolean {
    return this.#hasConnected;
  }

  /** Waits for a server that restarts or is full: no statement was sent yet, so any work can wait. */
  async connect(timeoutMs = Number.POSITIVE_INFINITY): Promise<pg.PoolClient> {
    const startedAt = Date.now();
    const deadline = startedAt + Math.min(this.#patience.ms ?? defaultPatienceMs, timeoutMs);
    let isTold = false;
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      const pool = this.#pool;
      try {
        return await pool.connect();
      } catch (error) {
        if (isEncryptionRefused(error) && this.#attempt < this.#target.encryptions.length - 1) {
          // A concurrent call may have met the same refusal and changed the pool already.
          if (pool === this.#pool) {
            this.#attempt += 1;
            this.#pool = this.#makePool();
          }
          continue;
        }
        if (!this.#mayWaitFor(error) || Date.now() + waitMs > deadline) throw error;
        if (!isTold && Date.now() - startedAt >= tellAfterMs) {
          isTold = true;
          this.#patience.onWait?.(namedError(error, this.location));
        }
        await pause(waitMs, this.#patience.signal);
      }
    }
  }

  /** Callers that have been connected repeat their work themselves, and say that the connection was lost. */
  #mayWaitFor(error: unknown): boolean {
    return sqlState(error) === tooManyConnections || (!this.#hasConnected && isServerAway(error));
  }

  /** Never throws; does not wait longer than a second for the server. */
  async close(): Promise<void> {
    // A pool that ends never hands out a client requested in this tick, so that request goes first.
    await setImmediate();
    const patience = new AbortController();
    await Promise.race([
      this.#pool.end().catch(() => undefined),
      sleep(closePatienceMs, undefined, { signal: patience.signal, ref: false }).catch(() => undefined),
    ]);
    patience.abort();
    for (const socket of this.#sockets) socket.destroy();
  }

  #makePool(): pg.Pool {
    const pool = new driver.Pool({
      ...poolOptionsOf(this.#target),
      ssl: this.#target.encryptions[this.#attempt] ?? false,
      application_name: this.#applicationName,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      max: maxConnections,
      idleTimeoutMillis: 30_000,
      stream: () => this.#makeSocket(),
    });
    // A connection that breaks while idle matters to no query: the next one opens another.
    pool.on('error', () => undefined);
    pool.on('remove', (client) => this.#clients.delete(client));
    pool.on('connect', (client) => {
      this.#hasConnected = true;
      this.#clients.add(client);
      client.on('error', () => undefined);
    });
    return pool;
  }

  /** A closed connection alone would leave the server at work until it has something to send. */
  #cancelAll(): void {
    for (const client of this.#clients) cancelStatement(client);
  }

  #makeSocket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

/** Waits half to all of the time. @throws the reason of the signal when it aborts */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => signal?.throwIfAborted());
}
