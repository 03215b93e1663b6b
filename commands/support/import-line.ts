/** A line of an import as an event: what it leaves out is filled in, the same way each time. */
import { basename } from 'node:path';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import { parseEventLine } from '../../src/domain/event-line.js';
import { checkStreamId } from '../../src/domain/names.js';
import { derivedId } from '../../src/domain/uuid.js';
import { validateEvent } from '../../src/domain/validate.js';
import type { ImportedEvent } from '../../src/store/store.js';
import type { Line } from '../../src/terminal/lines.js';

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] };

/**
 * Without an id, one is derived from the file's name, the line's number and its text, so that a second run of the same
 * file finds its events again.
 * @throws E_INVALID_INPUT with file and line
 */
export function toImportedEvent({ text, number }: Line, name: string): ImportedEvent {
  try {
    const line = parseEventLine(text);
    const { streamId, data } = line;
    if (streamId === undefined) throw new EvstoreError('E_INVALID_INPUT', "the member 'streamId' is missing");
    if (data === undefined) throw new EvstoreError('E_INVALID_INPUT', "the member 'data' is missing");
    checkStreamId(streamId);
    const { type, metadata = '{}', schemaVersion = 1, streamType, createdAt } = line;
    const id = line.id ?? derivedId(`${basename(name)}\n${number}\n${text}`);
    const event: Mutable<ImportedEvent> = { streamId, id, type, schemaVersion, data, metadata };
    if (streamType !== undefined) event.streamType = streamType;
    if (createdAt !== undefined) event.createdAt = createdAt;
    return validateEvent(event, '', { allowLarge: true, isScanned: true });
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    const { code, message, why, next, details } = error;
    const facts = { why, next, details: { ...details, file: name, line: number }, cause: error };
    throw new EvstoreError(code, `${name} line ${number}: ${message}`, facts);
  }
}
