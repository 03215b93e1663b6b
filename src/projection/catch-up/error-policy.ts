/** What is done with an event that a handler, or the database, cannot take. */
import { fileURLToPath } from 'node:url';
import { detach } from '../../domain/detach.js';
import { type ErrorCode, type EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { EventBatch, RecordedEvent } from '../../domain/event.js';
import { BackOff } from '../../lease/back-off.js';
import type { SetAside } from '../../store/store.js';
import { failedPosition, refusedPosition } from '../define/handler-error.js';

/**
 * `stop`: nothing moves past it. `park`: it waits aside, and the later events of its stream behind it. `skip`: it is
 * recorded, and its stream goes on without it.
 */
export type OnError = 'stop' | 'park' | 'skip';

export interface ErrorPolicy {
  readonly onError: OnError;
  /** How often an event is tried again before that. */
  readonly retries: number;
}

/** What a command has to say about it. */
export interface ErrorHandling {
  /** Events that fail stop it unless said. */
  readonly policy?: ErrorPolicy | undefined;
  /** Told of each event that was put aside, when it is. */
  readonly tellAside?: ((aside: SetAside, projection: string) => void) | undefined;
}

export const stopAtOnce: ErrorPolicy = { onError: 'stop', retries: 0 };

/** An event that stayed a failure. */
export interface Failure {
  /** Of the last attempt. */
  readonly error: EvstoreError;
  readonly attempts: number;
}

/** What the user's code, or its rows and statements, are to blame for. Anything else is about the store or the lease. */
const theEvents: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['E_HANDLER', 'E_INVALID_INPUT']);

export function isEventsFault(error: unknown): error is EvstoreError {
  return isEvstoreError(error) && theEvents.has(error.code);
}

/** Of what is outside the store's database, and to blame on none of the events. */
export function isBatchFault(error: unknown): boolean {
  return isEvstoreError(error) && error.details.target !== undefined && failedPosition(error) === undefined;
}

/**
 * Does something again after a failure, with pauses that grow; undefined when it went well after all, or when the signal
 * aborts.
 * @param error of the first attempt
 * @throws what no event is to blame for
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
 * Acts on a batch; where the database refuses it, on one half and then the other, down to the event it refuses. So many
 * events that fail take no more attempts than twice their number. Where the error names an event that is still to be
 * acted on, on what is before it, on it alone, and on what is after it.
 * @param act whole or not at all; an error that is about what it has done up to, and one that no event is to blame for,
 *   passes
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

export const stateOf = { park: 'parked', skip: 'skipped' } as const;

/** @param failure null for an event that waits behind another */
export function toSetAside(event: RecordedEvent, state: SetAside['state'], failure: Failure | null): SetAside {
  const { globalPosition, id, streamId, type } = event;
  return {
    globalPosition,
    id: detach(id),
    streamId: detach(streamId),
    type: detach(type),
    state,
    error: failure === null ? null : describeFailure(failure.error),
    attempts: failure?.attempts ?? 0,
  };
}

/** Frames from here on say nothing about the user's code. */
const ownFolders = ['../..', '../../../commands', '../../../bin'].map((each) =>
  fileURLToPath(new URL(each, import.meta.url)),
);

function isOwn(frame: string): boolean {
  return (
    /\(node:|Promise\.all \(|node_modules.commander/.test(frame) || ownFolders.some((each) => frame.includes(each))
  );
}

/** Longer errors are cut: what they quote may be as large as an event. */
const longestError = 10_000;

/** Why, and below it where: fit for a text column of either engine. */
function describeFailure({ message, why = message, cause }: EvstoreError): string {
  const stack = cause instanceof Error && !isEvstoreError(cause) ? (cause.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !isOwn(line));
  return [why, ...frames].join('\n').replaceAll('\0', '').slice(0, longestError);
}
