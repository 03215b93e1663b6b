/** One parked event in full, for people. */
import { count } from '../domain/words.js';
import type { ShownParked } from '../projection/parked/parked.js';
import { sanitise } from '../terminal/sanitise.js';
import { renderEvent } from './event-text.js';
import { groupDigits } from './numbers.js';
import { describeTables } from './parked-text.js';
import { showTime } from './relative-time.js';
import { wrapLines } from './text-width.js';
import type { View } from './view.js';

/** Ends with a line break. */
export function renderShownParked(shown: ShownParked, view: View): string {
  const { parked, event } = shown;
  const { projection, state, type, globalPosition, attempts, parkedAt, error } = parked;
  const tried = attempts === 0 ? 'not tried yet' : `tried ${count(attempts, 'time')}`;
  const lines = [
    `${projection} (${describeTables(parked)}): ${state} ${sanitise(type)} at position ${groupDigits(globalPosition)}, ${showTime(parkedAt, view, 'relative')}, ${tried}`,
    ...describeOrder(shown),
    // The text comes from user code: no line of it may look like a line of this report, or a command to a CI.
    ...(error === null ? [] : ['', ...quote(error, view)]),
    '',
    event === undefined ? 'The event is not in the log.' : renderEvent(event, view).trimEnd(),
  ];
  return `${lines.join('\n')}\n`;
}

function quote(error: string, { width }: View): readonly string[] {
  const bar = '  | ';
  const lines = error.split('\n').flatMap((line) => wrapLines(sanitise(line), width - bar.length).split('\n'));
  return lines.map((line) => bar + line);
}

function describeOrder({ waitsBehind, waitBehind }: ShownParked): readonly string[] {
  const [first] = waitsBehind;
  return [
    ...(first === undefined
      ? []
      : [`It waits behind ${count(waitsBehind.length, 'event')} of its stream, from position ${groupDigits(first)}.`]),
    ...(waitBehind === 0
      ? []
      : [`${count(waitBehind, 'event')} of its stream ${waitBehind === 1 ? 'waits' : 'wait'} behind it.`]),
  ];
}
