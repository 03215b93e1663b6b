/** When a line of an import bears an id that is in the store: is it the same event? Both engines ask here. */
import { EvstoreError } from './errors.js';
import type { RecordedEvent } from './event.js';
import { jsonEquals } from './json.js';
import { shellWord } from './shell-word.js';

/** What makes an event the one it is. */
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
  return new EvstoreError('E_ID_CONFLICT', `an event with the id ${event.id} exists with other content`, {
    why: `It is in stream ${other.streamId}. An id names one event for ever: a new event takes a new id.`,
    next: `evstore read ${shellWord(other.streamId)}`,
    details: { id: event.id, streamId: other.streamId },
  });
}
