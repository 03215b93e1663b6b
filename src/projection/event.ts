/**
 * A stored event as handlers get it. The payload is parsed when somebody looks at it, and once: an event whose payload
 * nobody reads costs no parsing. `__proto__` in a payload is a key like any other, as JSON.parse has it.
 */
import type { RecordedEvent } from '../domain/event.js';
import type { Event } from './definition.js';

export function toEvent(recorded: RecordedEvent): Event {
  const { data: dataText, metadata: metadataText, ...rest } = recorded;
  let data: { readonly value: unknown } | undefined;
  let metadata: { readonly value: Readonly<Record<string, unknown>> } | undefined;
  return {
    ...rest,
    get data(): unknown {
      data ??= { value: JSON.parse(dataText) };
      return data.value;
    },
    get metadata() {
      metadata ??= { value: JSON.parse(metadataText) };
      return metadata.value;
    },
  };
}
