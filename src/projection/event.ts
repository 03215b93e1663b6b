/**
 * A stored event as handlers get it. The payload is parsed when somebody looks at it, and once: an event whose payload
 * nobody reads costs no parsing. `__proto__` in a payload is a key like any other, as JSON.parse has it.
 */
import type { RecordedEvent } from '../domain/event.js';
import type { Event } from './definition.js';
import { findUpcasts, type Upcaster } from './upcaster.js';

const none: readonly Upcaster[] = [];

/** @param upcasters what an event of an older schema version goes through before its data is seen */
export function toEvent(recorded: RecordedEvent, upcasters = none): Event {
  const upcasts = upcasters.length === 0 ? none : findUpcasts(upcasters, recorded);
  let data: unknown;
  let metadata: Readonly<Record<string, unknown>> | undefined;
  // Spelled out: one per event of a replay, and spreading takes three times as long.
  return {
    id: recorded.id,
    streamId: recorded.streamId,
    streamType: recorded.streamType,
    type: recorded.type,
    schemaVersion: upcasts.at(-1)?.to ?? recorded.schemaVersion,
    version: recorded.version,
    globalPosition: recorded.globalPosition,
    createdAt: recorded.createdAt,
    get data(): unknown {
      if (data === undefined) {
        data = JSON.parse(recorded.data);
        for (const { up } of upcasts) data = up(data);
      }
      return data;
    },
    get metadata() {
      metadata ??= JSON.parse(recorded.metadata) as Readonly<Record<string, unknown>>;
      return metadata;
    },
  };
}
