/** Conditions over events: what they may name, and where it is found. */
import type { JsonText, RecordedEvent } from '../event.js';
import { storedTimestamp } from '../timestamp.js';
import type { Condition, Found, Place } from './condition.js';
import { holds } from './evaluate.js';
import { lookupIn, selectJson } from './json-place.js';
import { parseCondition, parsePlace, type Roots } from './parse.js';

const plain: Readonly<Record<string, (event: RecordedEvent) => Found>> = {
  type: ({ type }) => ({ type: 'string', text: type }),
  stream: ({ streamId }) => ({ type: 'string', text: streamId }),
  streamId: ({ streamId }) => ({ type: 'string', text: streamId }),
  streamType: ({ streamType }) => ({ type: 'string', text: streamType }),
  id: ({ id }) => ({ type: 'string', text: id }),
  version: ({ version }) => ({ type: 'number', text: String(version) }),
  schemaVersion: ({ schemaVersion }) => ({ type: 'number', text: String(schemaVersion) }),
  position: ({ globalPosition }) => ({ type: 'number', text: String(globalPosition) }),
  globalPosition: ({ globalPosition }) => ({ type: 'number', text: String(globalPosition) }),
  createdAt: ({ createdAt }) => ({ type: 'string', text: storedTimestamp(createdAt) }),
};

const roots: Roots = { json: ['data', 'metadata'], plain: Object.keys(plain), times: ['createdAt'], uuids: ['id'] };

/** @throws E_USAGE that marks the place of the mistake */
export function parseEventCondition(text: string, now: Date): Condition {
  return parseCondition(text, roots, now);
}

/**
 * A value of events to print: `streamId`, `data.items[0].price`.
 * @throws E_USAGE that marks the place of the mistake
 */
export function parseEventPlace(text: string): Place {
  return parsePlace(text, roots);
}

/** Returns the JSON text of what is at the place; undefined where there is nothing. */
export function selectFromEvent({ root, path }: Place, event: RecordedEvent): JsonText | undefined {
  if (root === 'data' || root === 'metadata') return selectJson(event[root], path);
  if (root === 'createdAt') return JSON.stringify(event.createdAt);
  const found = plain[root]?.(event);
  if (found?.type === 'number') return found.text;
  return found?.type === 'string' ? JSON.stringify(found.text) : undefined;
}

export function eventHolds(condition: Condition, event: RecordedEvent): boolean {
  const lookups = { data: lookupIn(event.data), metadata: lookupIn(event.metadata) };
  return holds(condition, ({ root, path }) => {
    if (root === 'data' || root === 'metadata') return lookups[root](path);
    return plain[root]?.(event);
  });
}
