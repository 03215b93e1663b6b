/** The data of an event as projections get it. */
import { isEvstoreError } from '../domain/errors.js';
import type { JsonText, RecordedEvent } from '../domain/event.js';
import { writeJson } from '../domain/json-value.js';
import { matches } from '../domain/matches.js';
import { HandledEvent } from '../projection/define/event.js';
import { explain } from '../projection/define/handler-error.js';
import type { PreparedProjection } from '../projection/define/prepare.js';

/** What some projections get, which is the same for all of them. */
export interface Upcast {
  readonly projections: readonly string[];
  /** Of the data; null when there is none. */
  readonly schemaVersion: number | null;
  readonly data: JsonText | null;
  /** Why there is no data: no upcaster leads to the last version, or one threw. */
  readonly error: string | null;
}

/** Returns what the projections get that handle the event and have upcasters for its type. */
export function upcastFor(event: RecordedEvent, projections: readonly PreparedProjection[]): readonly Upcast[] {
  const groups = new Map<string, { readonly upcast: Omit<Upcast, 'projections'>; readonly names: string[] }>();
  for (const { name, filter, definition } of projections) {
    const hasUpcaster = definition.upcasters?.some(({ type }) => type === event.type) ?? false;
    if (!hasUpcaster || !matches(filter, event)) continue;
    const upcast = runUpcasters(event, definition);
    const key = JSON.stringify(upcast);
    const group = groups.get(key) ?? { upcast, names: [] };
    group.names.push(name);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ upcast, names }) => ({ projections: names, ...upcast }));
}

function runUpcasters(event: RecordedEvent, definition: PreparedProjection['definition']): Omit<Upcast, 'projections'> {
  try {
    const { data, schemaVersion } = new HandledEvent(event, definition);
    return { schemaVersion, data: writeJson(data) ?? 'null', error: null };
  } catch (error) {
    const why = isEvstoreError(error) ? [error.message, error.why].join('. ') : explain('upcasters', error);
    return { schemaVersion: null, data: null, error: why };
  }
}
