import { EvstoreError } from '../../domain/errors.js';
import { groupDigits } from '../../domain/numbers.js';
import type { EventLog } from '../../store/store.js';

/** How long one wait in the store lasts before the deadline and the signal are checked, in milliseconds. */
const lookMs = 500;

export interface ReadableOptions {
  /** On the clock of `performance.now()`; waits without a limit unless said. */
  readonly deadline?: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until every event up to `position` can be read. The safe head may be below a position that was read before,
 * while an older transaction is still open.
 * @throws E_TIMEOUT when an open transaction holds the safe head below `position` until the deadline
 * @throws the signal's reason when it aborts
 */
export async function waitUntilReadable(
  log: EventLog,
  position: number,
  { deadline = Number.POSITIVE_INFINITY, signal }: ReadableOptions,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const timeoutMs = Math.max(0, Math.min(lookMs, deadline - performance.now()));
    const safeHead = await log.waitForAppend(position - 1, { timeoutMs, signal });
    if (safeHead >= position) return;
    signal.throwIfAborted();
    if (performance.now() < deadline) continue;
    throw new EvstoreError('E_TIMEOUT', `timed out waiting for the events up to position ${groupDigits(position)}`, {
      why: `An open transaction holds the safe head at position ${groupDigits(safeHead)}, and nothing above it can be read yet.`,
      next: 'evstore lag',
      details: { position, safeHead },
    });
  }
}
