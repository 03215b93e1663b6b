/** What happens to an event that a handler or the database cannot take. */
import { type ErrorCode, type EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { EventBatch, RecordedEvent } from '../../domain/event.js';
import { BackOff } from '../../lease/back-off.js';
import { failedPosition, refusedPosition } from '../define/handler-error.js';
import type { Failure } from '../define/set-aside.js';

/** Errors of the user's code, or of its rows and statements. All others are about the store or the lease. */
const theEvents: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['E_HANDLER', 'E_INVALID_INPUT']);

export function isEventsFault(error: unknown): error is EvstoreError {
  return isEvstoreError(error) && theEvents.has(error.code);
}

/** Returns true when what is outside the store's database failed, and not for one event. */
export function isBatchFault(error: unknown): boolean {
  return isEvstoreError(error) && error.details.target !== undefined && failedPosition(error) === undefined;
}

/**
 * Retries work after a failure, with growing pauses. Returns undefined when a retry succeeds or the signal aborts.
 * @param error the error of the first attempt
 * @throws every error that is not the fault of an event
 */
export async function tryAgain(
  error: unknown,
  retries: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<Failure | undefined> {
  if (!isEventsFault(error)) throw error;
  const backOff = new BackOff(100, 5_000);
  let last = error;
  for (let attempt = 0; attempt < retries; attempt += 1) {
    await backOff.wait(signal);
    if (signal.aborted) return undefined;
    try {
      await work();
      return undefined;
    } catch (thrown) {
      if (!isEventsFault(thrown)) throw thrown;
      last = thrown;
    }
  }
  return { error: last, attempts: retries + 1 };
}

/**
 * Acts on a batch. If the database refuses it, acts on one half and then the other, down to the event that is refused:
 * failing events take at most twice as many attempts as there are events. If the error names the refused event, acts on
 * the events before it, on it alone, and on those after it.
 * @param act acts on all events of a batch or on none. An error that names a handled event, or that is not the fault of an
 *   event, is rethrown.
 */
export async function narrow(
  batch: EventBatch,
  act: (batch: EventBatch) => Promise<void>,
  refuse: (event: RecordedEvent, error: EvstoreError) => Promise<void>,
): Promise<void> {
  const { events, upTo } = batch;
  try {
    await act(batch);
  } catch (error) {
    const refused = refusedPosition(error);
    if (!isEventsFault(error) || isBatchFault(error) || (failedPosition(error) ?? refused) !== refused) throw error;
    const named = events.findIndex(({ globalPosition }) => globalPosition === refused);
    const cuts = named === -1 ? [Math.ceil(events.length / 2)] : [named, named + 1];
    const parts = [0, ...cuts]
      .map((start, index) => events.slice(start, cuts[index]))
      .filter((part) => part.length > 0);
    const [first = []] = parts;
    if (first.length === events.length) {
      const [single] = first;
      if (single === undefined) throw error;
      return refuse(single, error);
    }
    for (const [index, part] of parts.entries()) {
      const next = parts[index + 1]?.[0];
      await narrow({ events: part, upTo: next === undefined ? upTo : next.globalPosition - 1 }, act, refuse);
    }
  }
}
