/** Events as the store has them. */
import type { RecordedEvent } from '../domain/event.js';
import type { Event } from '../projection/define/definition.js';

/** An event whose `data` and `metadata` are the stored JSON text: no digit of a number is lost, and none is converted. */
export interface EventText extends Omit<Event, 'data' | 'metadata'> {
  /** JSON. */
  readonly data: string;
  /** A JSON object. */
  readonly metadata: string;
}

export function toEventText(recorded: RecordedEvent): EventText {
  const { id, streamId, streamType, type, schemaVersion, data, metadata, version, globalPosition, createdAt } =
    recorded;
  return { id, streamId, streamType, type, schemaVersion, data, metadata, version, globalPosition, createdAt };
}
