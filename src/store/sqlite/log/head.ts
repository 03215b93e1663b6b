/** The head of the log, and waiting for it to rise. */
import { setTimeout as sleep } from 'node:timers/promises';
import { toInteger } from '../../shared/rows.js';
import type { Database, Session } from '../connection/database.js';

/** How often a reader that has everything asks for more: an event waits this long at most. */
const pollMs = 4;

export function readHead(session: Session): number {
  return toInteger(session.ask('head')[0]?.[0]);
}

/** As `EventLog.waitForAppend`. */
export async function waitForAppend(
  database: Database,
  after: number,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<number> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    // The pause comes first: the caller has just read everything, and under load it would ask for each event.
    const pauseMs = Math.max(0, Math.min(pollMs, deadline - Date.now()));
    await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
    const head = await database.retry(() => readHead(database));
    if (head > after || Date.now() >= deadline || signal?.aborted) return head;
  }
}
