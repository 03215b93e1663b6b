/** Reads events from lines of COPY's text format, with the columns of cut-event.ts. */
import type { RecordedEvent } from '../../../domain/event.js';
import { cutEvent, type RowSpelling } from '../../shared/cut-event.js';
import { toInteger, toRecordedEvent, toTimestamp } from '../../shared/rows.js';
import { splitLine } from '../connection/copy-text.js';

const [digit0, digit9, letterT] = [48, 57, 84];
const spelling: RowSpelling = { separator: '\t', cutTimestamp, toInteger };

/**
 * Adds the events of the lines. A line with a backslash has an escape of COPY, which takes the slow path.
 * @param lines complete, with their line ends
 */
export function addCopiedEvents(lines: string, events: RecordedEvent[]): void {
  let backslash = lines.indexOf('\\');
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\n', start);
    const isPlain = backslash === -1 || backslash > end;
    const event = isPlain ? cutEvent(spelling, lines, start, end) : undefined;
    events.push(event ?? toRecordedEvent(splitLine(lines.slice(start, end))));
    if (!isPlain) backslash = lines.indexOf('\\', end);
    start = end + 1;
  }
}

/** Takes `"2026-01-31T09:30:00.1"`, without zeros at the end of a second's digits; other spellings take the slow path. */
function cutTimestamp(text: string, quote: number, quoteEnd: number): string {
  const [from, to] = [quote + 1, quoteEnd - 1];
  const last = text.charCodeAt(to - 1);
  const digits = to - from - '2026-01-31T09:30:00.'.length;
  if (text.charCodeAt(from + 10) !== letterT || last < digit0 || last > digit9)
    return toTimestamp(text.slice(from, to));
  if (digits === 3 || digits === 6) return `${text.slice(from, to)}Z`;
  if (digits < 0) return `${text.slice(from, to)}.000Z`;
  return `${text.slice(from, to)}${'0'.repeat(digits < 3 ? 3 - digits : 6 - digits)}Z`;
}
