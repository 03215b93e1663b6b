/**
 * A substring keeps the whole string in memory, and the texts of an event are substrings of a whole batch: a text that
 * outlives its batch must be copied.
 */
import type { RecordedEvent } from './event.js';

/** V8 copies shorter substrings itself. */
const shortestCut = 13;

/** Returns the same text with its own memory. */
export function detach(text: string): string {
  return text.length < shortestCut ? text : `${text} `.slice(0, -1);
}

/** Returns the same event with its own memory. */
export function detachEvent(event: RecordedEvent): RecordedEvent {
  return {
    ...event,
    streamId: detach(event.streamId),
    type: detach(event.type),
    id: detach(event.id),
    data: detach(event.data),
    metadata: detach(event.metadata),
    streamType: detach(event.streamType),
    createdAt: detach(event.createdAt),
  };
}
