/** Errors of the user's code, with the projection, the event and the line. */

import { fileURLToPath } from 'node:url';
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { findBigNumber, RoundedNumber } from '../../domain/json-value.js';
import { groupDigits } from '../../domain/numbers.js';
import { shellWord } from '../../domain/shell-word.js';
import { ColumnFault, ValueFault } from './values.js';

/**
 * @param part the function that was running: the handler's name in `on`, `key` …
 * @param target where it was writing, if that is outside the store's database
 */
export function toHandlerError(
  projection: string,
  event: Omit<RecordedEvent, 'data' | 'metadata'> & { readonly data: unknown; readonly metadata: unknown },
  part: string,
  cause: unknown,
  target?: string,
): EvstoreError {
  const { globalPosition, type, streamId, version, id } = event;
  return new EvstoreError(
    'E_HANDLER',
    `projection ${projection} failed on ${type} at position ${groupDigits(globalPosition)}`,
    {
      why: `${explain(part, cause)} ${explainBigNumber(event, cause)}The event is version ${version} of ${streamId}.`,
      next: `evstore read ${shellWord(streamId)} --from-version ${version} --to-version ${version}`,
      details: {
        projection,
        globalPosition,
        type,
        streamId,
        version,
        id,
        ...(target !== undefined && { target }),
        ...(cause instanceof ColumnFault && { column: cause.property }),
      },
      cause,
    },
  );
}

/** Returns the position of the event a handler failed on; undefined for any other error. */
export function failedPosition(error: unknown): number | undefined {
  const position = isEvstoreError(error) && error.code === 'E_HANDLER' ? error.details.globalPosition : undefined;
  return typeof position === 'number' ? position : undefined;
}

/** Removes the event's name from the error of a batch that is applied as a whole, so that the event is searched for. */
export function withoutName(error: unknown): unknown {
  if (failedPosition(error) === undefined || !isEvstoreError(error)) return error;
  return new EvstoreError('E_HANDLER', error.message, { why: error.why, cause: error });
}

/** Returns an error that names the event at fault. */
export function toNamedError(projection: string, event: RecordedEvent, error: EvstoreError): EvstoreError {
  const named = [error, error.cause].find((each) => failedPosition(each) !== undefined);
  return isEvstoreError(named) ? named : toHandlerError(projection, event, `on.${event.type}`, error);
}

/** As `failedPosition`, for an event refused outside the store's database: the events before it are not written yet. */
export function refusedPosition(error: unknown): number | undefined {
  return isEvstoreError(error) && error.details.target !== undefined ? failedPosition(error) : undefined;
}

/** Describes what a part of the user's code threw, as a sentence. */
export function explain(part: string, cause: unknown): string {
  if (cause instanceof ColumnFault) return `${part}: column ${cause.property} takes ${cause.message}.`;
  if (cause instanceof ValueFault) return `${part} returns ${cause.message}.`;
  if (cause instanceof RoundedNumber) {
    return `${part}: ${cause.message}. Write such numbers as text, or say roundNumbers: true in the definition.`;
  }
  if (isEvstoreError(cause)) return `${part}: ${cause.message}.${cause.why === undefined ? '' : ` ${cause.why}`}`;
  const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const place = placeOf(cause);
  return `${part}${place === undefined ? '' : ` (${place})`}: ${message}.`;
}

/** Names the number when the user's code could not take a BigInt: one sentence and a space, or nothing. */
export function explainBigNumber(
  event: { readonly data: unknown; readonly metadata: unknown },
  cause: unknown,
): string {
  if (!(cause instanceof Error) || !/bigint/i.test(cause.message)) return '';
  const texts = [event.data, event.metadata].filter((text) => typeof text === 'string');
  const number = texts.map(findBigNumber).find((found) => found !== undefined);
  return number === undefined
    ? ''
    : `Its number ${number} is beyond 2^53-1: handlers get it as a BigInt, because a JavaScript number would round it. `;
}

/** Returns `file:line` of the first stack frame outside Node and packages. */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const line of error.stack.split('\n')) {
    const [, file, row] =
      /^\s+at (?:.*\()?(file:\/\/\/[^()]*?|\/[^()]*?|[A-Za-z]:[\\/][^()]*?):(\d+):\d+\)?$/.exec(line) ?? [];
    if (file === undefined || file.includes('/node_modules/')) continue;
    // In an ES module the frame has a URL, where a name that is not ASCII is encoded.
    return `${file.startsWith('file:') ? fileURLToPath(file) : file}:${row}`;
  }
  return undefined;
}
