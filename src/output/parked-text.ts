/** Parked events, for people and programs. */

import { renderEventLine } from '../domain/event-lines.js';
import { count } from '../domain/words.js';
import type { ShownParked } from '../projection/parked/parked.js';
import type { RetriedStream } from '../projection/parked/retry-parked.js';
import type { ParkedEvent } from '../store/store.js';
import { sanitise } from '../terminal/sanitise.js';
import { summariseReason } from './failure-text.js';
import { renderReport } from './json-line.js';

/** Returns the first line of the error; empty for an event that waits behind another. */
export function summariseError({ error }: ParkedEvent): string {
  return error?.split('\n', 1)[0] ?? '';
}

/** Returns what went wrong, then where in the code. The row names the event, so this does not. */
export function describeReason({ error }: Pick<ParkedEvent, 'error'>): string {
  return summariseReason(error ?? '');
}

/** Returns whose tables lack the event: `live`, `rebuild 3`. */
export function describeTables({ rebuild }: ParkedEvent): string {
  return rebuild === 0 ? 'live' : `rebuild ${rebuild}`;
}

/** Parked events that have the projection, the tables, the type and the error in common. */
export interface ParkedGroup {
  readonly projection: string;
  readonly tables: string;
  readonly type: string;
  readonly events: number;
  readonly streams: number;
  /** Empty for events that wait behind another. */
  readonly error: string;
  readonly since: string;
}

/** The largest first. */
export function groupParked(events: readonly ParkedEvent[]): readonly ParkedGroup[] {
  const groups = new Map<string, ParkedEvent[]>();
  for (const event of events) {
    const key = keyOf(event);
    const same = groups.get(key);
    if (same === undefined) groups.set(key, [event]);
    else same.push(event);
  }
  return [...groups.values()]
    .flatMap((same) => {
      const [first] = same;
      if (first === undefined) return [];
      const times = same.map(({ parkedAt }) => parkedAt).sort();
      return {
        projection: first.projection,
        tables: describeTables(first),
        type: first.type,
        events: same.length,
        streams: new Set(same.map(({ streamId }) => streamId)).size,
        error: describeReason(first),
        since: times[0] ?? first.parkedAt,
      };
    })
    .sort((a, b) => b.events - a.events);
}

function keyOf(event: ParkedEvent): string {
  return JSON.stringify([event.projection, event.rebuild, event.type, describeReason(event)]);
}

/** Passes data and metadata of the event through as text. */
export function renderShownParkedJson({ parked, event, waitsBehind, waitBehind }: ShownParked): string {
  const text = renderReport({ ...parked, waitsBehind, waitBehind }).trimEnd();
  return `${text.slice(0, -1)},"event":${event === undefined ? 'null' : renderEventLine(event)}}\n`;
}

export function describeRetried({ streamId, applied, waiting, error }: RetriedStream): string {
  const name = sanitise(streamId);
  if (error === null) return `${name}: ${count(applied, 'event')} applied`;
  return `${name}: ${count(applied, 'event')} applied, ${count(waiting, 'event')} still parked: ${sanitise(error.message)}`;
}
