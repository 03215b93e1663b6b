/** What happens to an event that the user's code cannot take, and how it is kept. */
import { fileURLToPath } from 'node:url';
import { detach } from '../../domain/detach.js';
import { type EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import type { SetAside } from '../../store/store.js';

/**
 * `stop`: the projection stops before it. `park`: it is kept for a retry, and the later events of its stream wait behind
 * it. `skip`: it is recorded, and its stream continues without it.
 */
export type OnError = 'stop' | 'park' | 'skip';

export interface ErrorPolicy {
  readonly onError: OnError;
  /** How many times an event is retried before that. */
  readonly retries: number;
}

/** How a command handles failing events. */
export interface ErrorHandling {
  /** Stops at an event that fails unless set. */
  readonly policy?: ErrorPolicy | undefined;
  /** Called for each event once it is parked or skipped. */
  readonly tellAside?: ((aside: SetAside, projection: string) => void) | undefined;
}

export const stopAtOnce: ErrorPolicy = { onError: 'stop', retries: 0 };

/** The failure of an event after all retries. */
export interface Failure {
  /** The error of the last attempt. */
  readonly error: EvstoreError;
  readonly attempts: number;
}

export const stateOf = { park: 'parked', skip: 'skipped' } as const;

/** @param failure null for an event that waits behind a parked one */
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

/** Frames in these folders are not of the user's code: modules of the sources, and the files that the build joins them to. */
const ownFolders = ['../..', '../../../commands', '../../../bin', '../../../chunks'].map((each) =>
  fileURLToPath(new URL(each, import.meta.url)),
);

function isOwn(frame: string): boolean {
  return (
    /\(node:|Promise\.all \(|node_modules.commander/.test(frame) || ownFolders.some((each) => frame.includes(each))
  );
}

/** Longer errors are cut, because they may quote a whole event. */
const longestError = 10_000;

/** The reason and, below it, the frames of the user's code: text that either engine can store. */
function describeFailure({ message, why = message, cause }: EvstoreError): string {
  const stack = cause instanceof Error && !isEvstoreError(cause) ? (cause.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line) && !isOwn(line));
  return [why, ...frames].join('\n').replaceAll('\0', '').slice(0, longestError);
}
