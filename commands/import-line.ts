/** A line of an import as an event: what it leaves out is filled in, the same way each time. */
import { basename } from 'node:path';
import { EvstoreError, isEvstoreError } from '../src/domain/errors.js';
import { type EventLine, parseEventLine } from '../src/domain/event-line.js';
import { checkStreamId } from '../src/domain/names.js';
import { derivedId } from '../src/domain/uuid.js';
import { validateEvent } from '../src/domain/validate.js';
import type { ImportedEvent } from '../src/store/store.js';
import type { Line } from '../src/terminal/lines.js';

/**
 * Without an id, one is derived from the file's name, the line's number and its text, so that a second run of the same
 * file finds its events again.
 * @throws E_INVALID_INPUT with file and line
 */
export function toImportedEvent({ text, number }: Line, name: string): ImportedEvent {
  const place = `${name} line ${number}`;
  try {
    const line = parseEventLine(text);
    const { streamId, data } = line;
    if (streamId === undefined) throw new EvstoreError('E_INVALID_INPUT', "the member 'streamId' is missing");
    if (data === undefined) throw new EvstoreError('E_INVALID_INPUT', "the member 'data' is missing");
    checkStreamId(streamId);
    const id = line.id ?? derivedId(`${basename(name)}\n${number}\n${text}`);
    return { ...validateEvent(toEvent(line, id, data), '', { allowLarge: true }), streamId };
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    const { code, message, why, next, details } = error;
    const facts = { why, next, details: { ...details, file: name, line: number }, cause: error };
    throw new EvstoreError(code, `${place}: ${message}`, facts);
  }
}

function toEvent(line: EventLine, id: string, data: string) {
  const { type, metadata = '{}', schemaVersion = 1, streamType, createdAt } = line;
  const event = { id, type, schemaVersion, data, metadata };
  return {
    ...event,
    ...(streamType !== undefined && { streamType }),
    ...(createdAt !== undefined && { createdAt }),
  };
}
