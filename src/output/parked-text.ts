/** Parked events, for people and programs. */
import { renderEventLine } from '../domain/event-lines.js';
import { count } from '../domain/words.js';
import type { ShownParked } from '../projection/parked/parked.js';
import type { RetriedStream } from '../projection/parked/retry-parked.js';
import type { ParkedEvent } from '../store/store.js';
import { sanitise } from '../terminal/sanitise.js';
import { renderEvent } from './event-text.js';
import { renderReport } from './json-line.js';
import { formatAgo } from './relative-time.js';
import type { View } from './view.js';

/** Returns the first line of the error; empty for an event that waits behind another. */
export function summariseError({ error }: ParkedEvent): string {
  return error?.split('\n', 1)[0] ?? '';
}

/** Returns whose tables lack the event: `live`, `rebuild 3`. */
export function describeTables({ rebuild }: ParkedEvent): string {
  return rebuild === 0 ? 'live' : `rebuild ${rebuild}`;
}

/** Ends with a line break. */
export function renderShownParked(shown: ShownParked, view: View): string {
  const { parked, event } = shown;
  const { projection, state, type, globalPosition, attempts, parkedAt, error } = parked;
  const tried = attempts === 0 ? 'not tried yet' : `tried ${count(attempts, 'time')}`;
  const lines = [
    `${projection} (${describeTables(parked)}): ${state} ${sanitise(type)} at position ${globalPosition}, ${formatAgo(parkedAt, view.now)}, ${tried}`,
    ...describeOrder(shown),
    // The text comes from user code: no line of it may look like a line of this report, or a command to a CI.
    ...(error === null ? [] : ['', ...error.split('\n').map((line) => `  | ${sanitise(line)}`)]),
    '',
    event === undefined ? 'The event is not in the log.' : renderEvent(event, view).trimEnd(),
  ];
  return `${lines.join('\n')}\n`;
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

function describeOrder({ waitsBehind, waitBehind }: ShownParked): readonly string[] {
  const [first] = waitsBehind;
  return [
    ...(first === undefined
      ? []
      : [`It waits behind ${count(waitsBehind.length, 'event')} of its stream, from position ${first}.`]),
    ...(waitBehind === 0
      ? []
      : [`${count(waitBehind, 'event')} of its stream ${waitBehind === 1 ? 'waits' : 'wait'} behind it.`]),
  ];
}
