/** Validates an append before the database is asked, so that both engines answer the same. */

import { EvstoreError } from './errors.js';
import type { ExpectedVersion, JsonText, NewEvent } from './event.js';
import { scanJson } from './json.js';
import { maxBatchEvents, maxOrdinaryBytes, maxPayloadBytes } from './limits.js';
import { checkEventType, checkStreamId, checkStreamType } from './names.js';
import { groupDigits } from './numbers.js';
import { isObject } from './raw-json.js';
import { normaliseTimestamp } from './timestamp.js';
import { isUuid } from './uuid.js';

export interface ValidateOptions {
  /** Allows data and metadata beyond 10 KB, up to 1 MB. */
  readonly allowLarge?: boolean;
  /** Data and metadata come from a JSON text that was scanned already. */
  readonly isScanned?: boolean;
}

/**
 * Returns the events as they will be stored: ids in lower case, times in UTC.
 * @throws E_USAGE for an impossible batch, E_INVALID_INPUT for a value that cannot be stored
 */
export function validateAppend(
  streamId: string,
  events: readonly NewEvent[],
  expected: ExpectedVersion,
  options: ValidateOptions = {},
): NewEvent[] {
  checkStreamId(streamId);
  if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 0)) {
    throw new EvstoreError('E_USAGE', `expected version ${expected} is not a version`, {
      why: 'An expected version is a whole number from 0, any, none or exists.',
    });
  }
  if (events.length === 0) throw new EvstoreError('E_USAGE', 'no event to append');
  if (events.length > maxBatchEvents) {
    throw new EvstoreError('E_USAGE', `too many events for one append: ${groupDigits(events.length)}`, {
      why: `One append has at most ${groupDigits(maxBatchEvents)} events; use import for more.`,
    });
  }
  const valid = events.map((event, index) => validateEvent(event, nameEvent(events, index), options));
  checkDistinct(valid);
  return valid;
}

/**
 * Returns one event as it will be stored.
 * @param name how errors name it, e.g. `line 3`; empty if there is only one
 * @throws E_INVALID_INPUT
 */
export function validateEvent<E extends NewEvent>(event: E, name: string, options: ValidateOptions = {}): E {
  try {
    return checkedEvent(event, options);
  } catch (error) {
    if (!(error instanceof EvstoreError) || name === '') throw error;
    throw new EvstoreError(error.code, `${name}: ${error.message}`, error);
  }
}

function checkedEvent<E extends NewEvent>(event: E, options: ValidateOptions): E {
  if (!isUuid(event.id)) throw invalid(`'${event.id.slice(0, 60)}' is not a UUID`, 'An event id is a UUID.');
  checkEventType(event.type);
  if (event.streamType !== undefined) checkStreamType(event.streamType);
  if (!(Number.isInteger(event.schemaVersion) && event.schemaVersion >= 1 && event.schemaVersion <= 2_147_483_647)) {
    throw invalid(`schema version ${event.schemaVersion} is not a whole number from 1`);
  }
  checkPayload('data', event.data, options);
  checkPayload('metadata', event.metadata, options);
  if (!isObject(event.metadata)) throw invalid('metadata is not a JSON object');
  const id = event.id.toLowerCase();
  const createdAt = event.createdAt === undefined ? undefined : checkedTime(event.createdAt);
  if (id === event.id && createdAt === event.createdAt) return event;
  return { ...event, id, ...(createdAt !== undefined && { createdAt }) };
}

function checkPayload(what: 'data' | 'metadata', text: JsonText, options: ValidateOptions): void {
  const { allowLarge = false, isScanned = false } = options;
  // A UTF-16 unit has at most three bytes in UTF-8.
  const bytes = text.length * 3 > maxOrdinaryBytes ? Buffer.byteLength(text) : 0;
  if (bytes > maxPayloadBytes) {
    throw invalid(
      `${what} is ${bytes} bytes long`,
      'An event has at most 1 MB; store the document elsewhere and append a reference.',
    );
  }
  if (bytes > maxOrdinaryBytes && !allowLarge) {
    throw invalid(
      `${what} is ${bytes} bytes long`,
      'Events beyond 10 KB make every reader slow; --allow-large takes them up to 1 MB.',
    );
  }
  const fault = isScanned ? undefined : scanJson(text);
  if (fault === undefined) return;
  const { line, column, reason, offset } = fault;
  throw new EvstoreError('E_INVALID_INPUT', `${what} is not JSON that can be stored`, {
    why: `Line ${line}, column ${column}: ${reason}.`,
    details: { field: what, line, column, offset, reason },
  });
}

function checkedTime(text: string): string {
  try {
    return normaliseTimestamp(text);
  } catch (error) {
    throw new EvstoreError('E_INVALID_INPUT', 'createdAt is not a time', {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
}

function checkDistinct(events: readonly NewEvent[]): void {
  const seen = new Set<string>();
  for (const { id } of events) {
    if (seen.has(id)) {
      throw new EvstoreError('E_USAGE', `the id ${id} appears twice in one append`, {
        why: 'Each event needs its own id.',
        details: { id },
      });
    }
    seen.add(id);
  }
}

function nameEvent(events: readonly NewEvent[], index: number): string {
  return events.length === 1 ? '' : `event ${index + 1}`;
}

function invalid(what: string, why?: string): EvstoreError {
  return new EvstoreError('E_INVALID_INPUT', what, { why });
}
