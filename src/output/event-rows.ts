/** Events for people, one line each. */

import type { RecordedEvent } from '../domain/event.js';
import { sanitiseJson } from '../domain/safe-json.js';
import { sanitise } from '../terminal/sanitise.js';
import { loosenJson } from './loose-json.js';
import { groupDigits } from './numbers.js';
import { showTime } from './relative-time.js';
import { cutText, measureText, padText } from './text-width.js';
import type { View } from './view.js';

const indent = '    ';
const gap = '  ';
/** A narrower terminal shows the data on a line of its own. */
const narrow = 60;
/** Of the data, that one line must have room for. */
const fewest = 12;
/** How much of the line a column may take: names do not push out the data. */
const shares = [1, 1, 0.3, 1, 0.25];
/** Columns are as wide as what the last lines needed. */
const remembered = 50;

/** Returns what renders batches of events, one line each: time, position, stream, version, type, data. */
export function createEventRows(view: View): (events: readonly RecordedEvent[], now: Date) => string {
  const { theme, width, unicode } = view;
  const columns = Array.from({ length: 5 }, () => new Recent());
  const alignments = ['left', 'right', 'left', 'right', 'left'] as const;
  return (events, now) => {
    const lines = events.map((event) => ({
      event,
      texts: [
        showTime(event.createdAt, { ...view, now }, 'local'),
        `#${groupDigits(event.globalPosition)}`,
        sanitise(event.streamId),
        String(event.version),
        sanitise(event.type),
      ],
    }));
    return slices(lines, remembered).flatMap(renderSlice).join('');
  };

  function renderSlice(lines: readonly Line[]): string[] {
    for (const { texts } of lines) for (const [at, text] of texts.entries()) columns[at]?.add(measureText(text));
    const whole = columns.map(({ widest }, at) => Math.min(widest, Math.floor(width * (shares[at] ?? 1))));
    const withoutPosition = whole.map((room, at) => (at === 1 ? 0 : room));
    const rooms = width < narrow ? undefined : [whole, withoutPosition].find((each) => width - taken(each) >= fewest);
    return lines.map((line) => (rooms === undefined ? renderTwoLines(line) : renderLine(line, rooms)));
  }

  function renderLine({ event, texts }: Line, rooms: readonly number[]): string {
    const cells = texts.map((text, at) =>
      padText(cutText(text, rooms[at] ?? 0, unicode), rooms[at] ?? 0, alignments[at]),
    );
    return `${paint(event, cells)}${gap}${cutData(event.data, width - taken(rooms), unicode)}\n`;
  }

  /** Without the position; the stream and the type share what the time and the version leave. */
  function renderTwoLines({ event, texts }: Line): string {
    const [time = 0, , stream = 0, version = 0, type = 0] = texts.map(measureText);
    const left = width - time - version - 3 * gap.length;
    const shownType = Math.min(type, Math.max(6, left - stream, Math.floor(left / 2)));
    const rooms = [time, 0, Math.max(6, Math.min(stream, left - shownType)), version, shownType];
    const cells = texts.map((text, at) => cutText(text, rooms[at] ?? 0, unicode));
    return `${paint(event, cells)}\n${indent}${cutData(event.data, width - indent.length, unicode)}\n`;
  }

  function paint(
    { streamId }: RecordedEvent,
    [time = '', position = '', stream = '', version = '', type = '']: string[],
  ): string {
    const painted = [
      theme.faint(time),
      theme.faint(position),
      theme.hashed(stream, streamId),
      version,
      theme.strong(type),
    ];
    return painted.filter((_, at) => at !== 1 || position !== '').join(gap);
  }
}

/** With the gap behind each. */
function taken(rooms: readonly number[]): number {
  return rooms.reduce((sum, room) => (room === 0 ? sum : sum + room + gap.length), 0);
}

interface Line {
  readonly event: RecordedEvent;
  readonly texts: readonly string[];
}

function slices<Item>(items: readonly Item[], length: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, at) =>
    items.slice(at * length, (at + 1) * length),
  );
}

/** Only the beginning is measured: data may be a megabyte, and the longest graphemes have some twenty units. */
function cutData(data: string, width: number, unicode: boolean): string {
  const beginning = sanitiseJson(data.slice(0, Math.max(0, width) * 20));
  return cutText(loosenJson(beginning), Math.max(1, width), unicode);
}

/** The width of a column: of the widest of the last texts, which may be a mark that has no width of its own. */
class Recent {
  readonly #widths: number[] = [];

  add(width: number): void {
    this.#widths.push(width);
    if (this.#widths.length > remembered) this.#widths.shift();
  }

  get widest(): number {
    return Math.max(1, ...this.#widths);
  }
}
