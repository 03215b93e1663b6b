/** The thread of an import: writes batches on a connection of its own, so that a transaction can stay open. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { ImportResult } from '../../store.js';
import { Database } from '../connection/database.js';
import { namedError } from '../connection/errors.js';
import { Importer } from './import.js';
import {
  type ImportReply,
  type ImportRequest,
  type ImportWork,
  type PackedEvents,
  packError,
  unpackEvents,
} from './import-protocol.js';

/**
 * Every few thousand events change most pages of the index of ids, so sharing a transaction saves writes. Other programs
 * cannot write meanwhile, so a pause follows, in which those that wait notice that the store is free.
 */
const longestTransactionMs = 500;
const pauseMs = 25;
/** A transaction without work ends after this long. */
const longestIdleMs = 100;
/** The page cache: twice SQLite's default, for that index. */
const cacheKib = 32_768;

const { target, conflict, joined } = workerData as ImportWork;

class Transactions {
  readonly #database: Database;
  #importer: Importer | undefined;
  #beganAt = 0;
  #results: ImportResult[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  async write(events: PackedEvents): Promise<void> {
    if (this.#importer === undefined) {
      await this.#database.begin();
      this.#importer = new Importer(this.#database, conflict);
      this.#beganAt = performance.now();
    }
    this.#results.push(this.#importer.insert(unpackEvents(events)));
    const isLong = performance.now() - this.#beganAt >= longestTransactionMs;
    if (!joined || isLong) this.commit();
    if (isLong) await sleep(pauseMs);
  }

  commit(): void {
    if (this.#importer === undefined) return;
    this.#importer.finish();
    this.#database.commit();
    answer({ kind: 'committed', results: this.#results });
    this.#importer = undefined;
    this.#results = [];
  }
}

function answer(reply: ImportReply): void {
  parentPort?.postMessage(reply);
}

function serve(database: Database): void {
  const transactions = new Transactions(database);
  let idle: NodeJS.Timeout | undefined;
  const attempt = async (work: () => void | Promise<void>) => {
    try {
      await work();
    } catch (error) {
      // Rolls back, and refuses the batches that were sent already.
      database.close();
      answer({ kind: 'failed', error: packError(namedError(error, target.location)) });
    }
  };
  const handle = async (request: ImportRequest) => {
    clearTimeout(idle);
    if (request.kind === 'write') {
      await transactions.write(request.events);
      idle = setTimeout(() => attempt(() => transactions.commit()), longestIdleMs);
      answer({ kind: 'taken' });
    } else {
      transactions.commit();
      database.close();
      answer({ kind: 'ended' });
    }
  };
  let last = attempt(async () => {
    await database.prepare();
    database.execute(`pragma cache_size = -${cacheKib}`);
  });
  parentPort?.on('message', (request: ImportRequest) => {
    last = last.then(() => attempt(() => handle(request)));
  });
}

serve(new Database(target, false, false));
