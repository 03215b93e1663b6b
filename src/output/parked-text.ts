/** Events put aside, for people and programs. */
import { renderEventLine } from '../domain/event-lines.js';
import type { ShownParked } from '../projection/parked/parked.js';
import type { RetriedStream } from '../projection/parked/retry-parked.js';
import type { ParkedEvent } from '../store/store.js';
import { sanitise } from '../terminal/sanitise.js';
import { renderEvent } from './event-text.js';
import { renderReport } from './json-line.js';
import { formatAgo } from './relative-time.js';
import type { View } from './view.js';

/** The first line of why; empty for one that only waits. */
export function summariseError({ error }: ParkedEvent): string {
  return error?.split('\n', 1)[0] ?? '';
}

/** `the live tables`, `the tables of rebuild 3` */
export function describeTables({ rebuild }: ParkedEvent): string {
  return rebuild === 0 ? 'live' : `rebuild ${rebuild}`;
}

/** Ends with a line break. */
export function renderShownParked(shown: ShownParked, view: View): string {
  const { parked, event } = shown;
  const { projection, state, type, globalPosition, attempts, parkedAt, error } = parked;
  const tried = attempts === 0 ? 'not tried yet' : `tried ${attempts} ${attempts === 1 ? 'time' : 'times'}`;
  const lines = [
    `${projection} (${describeTables(parked)}): ${state} ${sanitise(type)} at position ${globalPosition}, ${formatAgo(parkedAt, view.now)}, ${tried}`,
    ...describeOrder(shown),
    // Its lines are not ours: none of them may pass for one of the report, or for a command of a CI.
    ...(error === null ? [] : ['', ...error.split('\n').map((line) => `  | ${sanitise(line)}`)]),
    '',
    event === undefined ? 'The event is not in the log.' : renderEvent(event, view).trimEnd(),
  ];
  return `${lines.join('\n')}\n`;
}

/** Data and metadata of the event are passed through as text. */
export function renderShownParkedJson({ parked, event, waitsBehind, waitBehind }: ShownParked): string {
  const text = renderReport({ ...parked, waitsBehind, waitBehind }).trimEnd();
  return `${text.slice(0, -1)},"event":${event === undefined ? 'null' : renderEventLine(event)}}\n`;
}

export function describeRetried({ streamId, applied, waiting, error }: RetriedStream): string {
  const name = sanitise(streamId);
  if (error === null) return `${name}: ${count(applied)} applied`;
  return `${name}: ${count(applied)} applied, ${count(waiting)} still parked: ${sanitise(error.message)}`;
}

function describeOrder({ waitsBehind, waitBehind }: ShownParked): readonly string[] {
  const [first] = waitsBehind;
  return [
    ...(first === undefined
      ? []
      : [`It waits behind ${count(waitsBehind.length)} of its stream, from position ${first}.`]),
    ...(waitBehind === 0
      ? []
      : [`${count(waitBehind)} of its stream ${waitBehind === 1 ? 'waits' : 'wait'} behind it.`]),
  ];
}

function count(events: number): string {
  return `${events} ${events === 1 ? 'event' : 'events'}`;
}
