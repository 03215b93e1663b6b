/** Statistics for people: totals, growth as bars, sizes, the largest streams. */
import type { Stats } from '../query/stats.js';
import { sanitise } from '../terminal/sanitise.js';
import { formatBytes, groupDigits } from './numbers.js';
import { showTime } from './relative-time.js';
import { cutText, padText } from './text-width.js';
import type { View } from './view.js';

const gap = '  ';
/** The most rows of bars, and of a list. */
const mostBars = { day: 14, hour: 24 };
const mostRows = 10;
const widestBar = 40;
/** Events of one day, or of it and the next, are shown by hour unless days are asked for. */
const shortMs = 86_400_000;

export type Period = 'day' | 'hour';

interface Line {
  readonly name: string;
  readonly value: number;
  readonly text: string;
}

/** Returns text with a line break at the end. @param by what a bar stands for; by default it depends on the span */
export function renderStats(stats: Stats, view: View, by?: Period): string {
  const { events, streams, bytes, firstAt, lastAt, estimated } = stats;
  const about = (value: number) => `${estimated ? '~' : ''}${groupDigits(value)}`;
  const size = [`${formatBytes(bytes.store)} on disk`];
  if (bytes.payload !== null) size.push(`${formatBytes(bytes.payload)} an event`);
  const span =
    firstAt === null || lastAt === null ? [] : [`first ${when(firstAt, view)}`, `last ${when(lastAt, view)}`];
  const head = [`${about(events)} events`, `${about(streams)} streams`, ...size, ...span];
  const period = by ?? (spanOf(stats) <= shortMs ? 'hour' : 'day');
  const bars = toBars(stats, period).map(([name, value]) => toLine(name, value, about));
  const tables = Object.entries(bytes.tables ?? {}).map(([name, value]) => ({ name, value, text: formatBytes(value) }));
  const sections = [
    renderBars(`events by ${period}`, bars, mostBars[period], view),
    renderList('bytes by table', tables.sort(byValue), view),
    renderList(
      'largest streams',
      stats.largestStreams.map((each) => toLine(each.streamId, each.events, groupDigits)),
      view,
    ),
    renderList(
      lastAt === null ? '' : `types of the last hour of the log (until ${showTime(lastAt, view, 'local')})`,
      stats.lastHour.map((each) => toLine(each.type, each.events, about)),
      view,
    ),
  ];
  return `${[wrap(head, view), ...sections].filter((section) => section !== '').join('\n')}`;
}

/** From the beginning of the first day that has events to that of the last, in milliseconds. */
function spanOf({ byDay }: Stats): number {
  const [first, last] = [byDay[0], byDay.at(-1)];
  return first === undefined || last === undefined ? 0 : Date.parse(last.day) - Date.parse(first.day);
}

/** Only hours of one day can do without their date. */
function toBars({ byDay, byHour }: Stats, period: Period): readonly (readonly [name: string, events: number])[] {
  if (period === 'day') return byDay.map(({ day, events }) => [day, events]);
  const from = byDay.length === 1 ? '2026-01-31T'.length : 0;
  return byHour.map(({ hour, events }) => [`${hour.slice(from, 16).replace('T', ' ')} UTC`, events]);
}

function when(time: string, view: View): string {
  return showTime(time, view, 'relative');
}

function byValue(a: Line, b: Line): number {
  return b.value - a.value;
}

function toLine(name: string, value: number, show: (value: number) => string): Line {
  return { name, value, text: show(value) };
}

/** As many of the facts on a line as fit. */
function wrap(facts: readonly string[], { width }: View): string {
  const lines: string[] = [];
  for (const fact of facts) {
    const longer = `${lines.at(-1)}${gap}${fact}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(fact);
  }
  return `${lines.join('\n')}\n`;
}

/** The last periods, each with a bar; periods without events are not shown. */
function renderBars(title: string, periods: readonly Line[], most: number, { theme, width, unicode }: View): string {
  if (periods.length === 0) return '';
  const shown = periods.slice(-most);
  const highest = Math.max(...shown.map(({ value }) => value));
  const textWidth = Math.max(...shown.map(({ text }) => text.length));
  const nameWidth = Math.max(...shown.map(({ name }) => name.length));
  const room = Math.max(0, Math.min(widestBar, width - nameWidth - textWidth - 2 * gap.length));
  const left = periods.length - shown.length;
  const lines = shown.map(({ name, value, text }) => {
    const length = highest === 0 ? 0 : Math.max(value > 0 ? 1 : 0, Math.round((value / highest) * room));
    const bar = (unicode ? '█' : '#').repeat(Math.min(length, room));
    return `${theme.faint(name.padEnd(nameWidth))}${gap}${text.padStart(textWidth)}${gap}${theme.good(bar)}`.trimEnd();
  });
  const heading = left === 0 ? title : `${title}, the last ${shown.length} of ${periods.length}`;
  return `${theme.strong(heading)}\n${lines.join('\n')}\n`;
}

function renderList(title: string, lines: readonly Line[], { theme, width, unicode }: View): string {
  if (lines.length === 0) return '';
  const shown = lines.slice(0, mostRows);
  const textWidth = Math.max(...shown.map(({ text }) => text.length));
  const room = Math.max(1, width - textWidth - gap.length);
  const rows = shown.map(({ name, text }) => {
    return `${text.padStart(textWidth)}${gap}${padText(cutText(sanitise(name), room, unicode), 0)}`.trimEnd();
  });
  const left = lines.length - shown.length;
  return `${theme.strong(left === 0 ? title : `${title}, ${shown.length} of ${lines.length}`)}\n${rows.join('\n')}\n`;
}
