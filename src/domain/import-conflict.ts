/** Compares a line of an import with a stored event of the same id, the same way for both engines. */
import { EvstoreError } from './errors.js';
import type { RecordedEvent } from './event.js';
import { jsonEquals } from './json.js';
import { shellWord } from './shell-word.js';

/** The members that make two events equal. */
export type EventContent = Pick<RecordedEvent, 'id' | 'streamId' | 'type' | 'data' | 'metadata'>;

/** Payloads are equal as JSON values, with numbers as decimals. */
export function isSameEvent(event: EventContent, other: EventContent): boolean {
  return (
    event.streamId === other.streamId &&
    event.type === other.type &&
    jsonEquals(event.data, other.data) &&
    jsonEquals(event.metadata, other.metadata)
  );
}

export function importConflict(event: EventContent, other: EventContent): EvstoreError {
  return new EvstoreError('E_ID_CONFLICT', `the store has an event with the id ${event.id} and different content`, {
    why: `It is in stream ${other.streamId}. An id belongs to one event; use a new id for a new event.`,
    next: `evstore read ${shellWord(other.streamId)}`,
    details: { id: event.id, streamId: other.streamId },
  });
}
