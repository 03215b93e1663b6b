/** The head of the log, the safe head, and waiting for it to rise. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Head, Holder } from '../../../domain/event.js';
import { toInteger, toOptional, toText } from '../../shared/rows.js';
import type { Database } from '../connection/database.js';

/** How often a reader that has everything asks for more: an event waits this long at most. */
const pollMs = 5;
/** At this rate each poll costs appends more than it gains, so polls are delayed, up to `longestPollMs`. */
const manyPerMs = 3;
const longestPollMs = 40;
const pollTimeoutMs = 30_000;

export async function readHead(database: Database, { holder = false }: { readonly holder?: boolean }): Promise<Head> {
  const safeHead = await readSafeHead(database);
  const [row] = await database.ask('head');
  const head = toInteger(row?.[0]);
  return { head, safeHead, heldBackBy: holder && safeHead < head ? await findHolder(database) : null };
}

/** @param after when nothing is visible beyond it, the locks are not read */
export async function readSafeHead(database: Database, after = -1): Promise<number> {
  const [row] = await database.askAgain('safe-head', [after], pollTimeoutMs);
  return toInteger(row?.[0]);
}

export class HeadWatch {
  readonly #database: Database;
  #pollMs = pollMs;

  constructor(database: Database) {
    this.#database = database;
  }

  /** As `EventLog.waitForAppend`. */
  async wait(
    after: number,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<number> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      // The pause comes first: the caller has just read everything, and under load it would ask for each event.
      const pauseMs = Math.max(0, Math.min(this.#pollMs, deadline - Date.now()));
      await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
      const safeHead = await readSafeHead(this.#database, after);
      const isMany = safeHead - after >= manyPerMs * this.#pollMs;
      this.#pollMs = isMany ? Math.min(this.#pollMs * 2, longestPollMs) : pollMs;
      if (safeHead > after || Date.now() >= deadline || signal?.aborted) return safeHead;
    }
  }
}

async function findHolder(database: Database): Promise<Holder | null> {
  const [tagRow] = await database.ask('tag');
  const [row] = await database.ask('holder', [toInteger(tagRow?.[0])]);
  if (row === undefined) return null;
  return {
    pid: toOptional(row[0], toInteger),
    gid: toOptional(row[1], toText),
    application: toOptional(row[2], toText),
    state: toOptional(row[3], toText),
    ageMs: toOptional(row[4], toInteger),
  };
}
