/** Draws one frame of `lag --watch`: what needs a hand first, and never more lines than there is room for. */
import { formatDuration } from '../domain/duration.js';
import type { Head } from '../domain/event.js';
import { isHeld } from '../findings/held-back.js';
import type { LagReport, ProjectionLag } from '../projection/status/lag.js';
import { sanitise } from '../terminal/sanitise.js';
import { glyphOf, type Mark } from './glyphs.js';
import { markOf } from './lag-mark.js';
import { type LagFacts, layOutLag } from './lag-rows.js';
import { groupDigits } from './numbers.js';
import { showTime } from './relative-time.js';
import { sparkline } from './sparkline.js';
import { cutText, measureText } from './text-width.js';
import { plainTheme } from './theme.js';
import type { View } from './view.js';

export type LagOrder = 'worst' | 'behind' | 'oldest' | 'name';

export interface LagFrame extends Omit<LagFacts, 'safeHead'> {
  /** The store, as a person knows it. */
  readonly title: string;
  readonly report: LagReport;
  /** Why, where the state is not current. */
  readonly fault?: string | undefined;
  readonly order: LagOrder;
  readonly errorsOnly: boolean;
  readonly isPaused: boolean;
  readonly intervalMs: number;
  /** `none` where no key can be read. */
  readonly foot: 'keys' | 'help' | 'none';
}

/** Of rows, before the foot is shown. */
const fewestLines = 4;

export interface FrameView extends View {
  /** Lines that the frame may have. */
  readonly height: number;
}

/** @returns lines without line breaks, none wider than the view, and at most as many as its height */
export function renderLagFrame(frame: LagFrame, view: FrameView): readonly string[] {
  const head = [renderHead(frame, view), ...renderHeld(frame, view), ...renderFault(frame, view)];
  const foot = renderFoot(frame, view);
  const rows = sortRows(frame);
  const { heading, lines } = layOutLag(rows, { ...frame, safeHead: frame.report.safeHead }, view);
  const headings = heading === undefined ? [] : [heading];
  const room = view.height - head.length - headings.length;
  if (rows.length === 0) {
    const nothing = frame.errorsOnly ? 'nothing needs a hand' : 'no projection has run on this store yet';
    return [...head, view.theme.faint(cutText(`  ${nothing}`, view.width, view.unicode)), ...foot].slice(
      0,
      view.height,
    );
  }
  const footLines = room - foot.length >= Math.min(fewestLines, lines.flat().length) ? foot : [];
  const body = fitRows(rows, lines, room - footLines.length, view);
  return [...head, ...headings, ...body, ...footLines].slice(0, Math.max(0, view.height));
}

/** Rows that do not fit are counted: the last line says whether any of them is behind. */
function fitRows(rows: readonly ProjectionLag[], lines: readonly (readonly string[])[], room: number, view: View) {
  if (lines.flat().length <= room) return lines.flat();
  const shown: string[] = [];
  let at = 0;
  for (; at < lines.length && shown.length + (lines[at]?.length ?? 0) < room; at += 1) shown.push(...(lines[at] ?? []));
  const hidden = rows.slice(at);
  const behind = hidden.filter(({ lag, estimated }) => lag > 0 || estimated).length;
  const broken = hidden.filter((row) => ['bad', 'caution'].includes(markOf(row))).length;
  const parts = [
    ...(broken > 0 ? [`${broken} with trouble`] : []),
    ...(behind > 0 ? [`${behind} behind`] : []),
    ...(broken + behind === 0 ? ['all current'] : []),
  ];
  const text = `${view.unicode ? '…' : '...'} ${hidden.length} more, ${parts.join(', ')}`;
  return [...shown, view.theme.faint(cutText(`  ${text}`, view.width, view.unicode))];
}

const severity: readonly Mark[] = ['bad', 'caution', 'active', 'idle'];

function sortRows({ report, order, errorsOnly }: LagFrame): readonly ProjectionLag[] {
  const isTrouble = (row: ProjectionLag) => severity.indexOf(markOf(row)) < 2;
  const rows = report.projections.filter((row) => !errorsOnly || isTrouble(row));
  if (order === 'name') return rows;
  const keys: Readonly<Record<Exclude<LagOrder, 'name'>, (row: ProjectionLag) => readonly number[]>> = {
    worst: (row) => [-Math.min(2, severity.indexOf(markOf(row))), row.lag],
    behind: ({ lag }) => [lag],
    oldest: ({ ageMs }) => [ageMs ?? -1],
  };
  const keyOf = keys[order];
  return rows.toSorted((a, b) => compareKeys(keyOf(b), keyOf(a)));
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  return a.map((value, at) => value - (b[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function renderHead(frame: LagFrame, view: View): string {
  const { report, history, measuredAt, title } = frame;
  const { theme, width, unicode } = view;
  const clock = cutText(describeClock(frame, view), width, unicode);
  const painted = frame.state === 'current' ? theme.faint(clock) : theme.caution(clock);
  const rate = history.perSecond('head');
  const speed = rate === undefined ? '' : `~${groupDigits(Math.round(rate))} ev/s`;
  const bars = sparkline(history.rates('head', 8, measuredAt.getTime()), unicode).trim();
  const full = sanitise(title);
  const name = cutText(full, 40, unicode);
  const position = `head ${groupDigits(report.head)}`;
  const safe = `safe ${groupDigits(report.safeHead)}`;
  const choices = [
    [full, position, safe, bars === '' ? speed : `${speed} ${bars}`],
    [name, position, safe, bars === '' ? speed : `${speed} ${bars}`],
    [name, position, safe, speed],
    [position, safe, speed],
    [position, safe],
    [position],
    [],
  ];
  const textOf = (parts: readonly string[]) => parts.filter((part) => part !== '').join('   ');
  const left = choices.map(textOf).find((text) => measureText(text) + measureText(clock) + 2 <= width) ?? '';
  const gap = ' '.repeat(Math.max(0, width - measureText(left) - measureText(clock)));
  const start = [full, name].find((each) => left.startsWith(`${each} `)) ?? '';
  return theme.strong(start) + left.slice(start.length) + gap + painted;
}

function describeClock({ state, isPaused, measuredAt }: LagFrame, view: View): string {
  const time = showTime(measuredAt.toISOString(), { now: view.now, times: 'local' }, 'local');
  if (state === 'lost') return `reconnecting${view.unicode ? '…' : '...'} (last ${time})`;
  if (state === 'failed') return `not measured (last ${time})`;
  return isPaused ? `paused (last ${time})` : time;
}

/** Held readers look current: nothing that is behind is seen before the transaction ends. */
function renderHeld({ report }: LagFrame, { theme, width, unicode }: View): readonly string[] {
  if (!isHeld(report)) return [];
  return [theme.caution(cutText(`${unicode ? '▲' : '^'} ${describeHolding(report)}`, width, unicode))];
}

function describeHolding({ head, safeHead, heldBackBy }: Head): string {
  const { pid = null, gid = null, application, ageMs = null } = heldBackBy ?? {};
  const process = pid === null ? `prepared transaction ${gid}` : `pid ${pid}`;
  const who = application ? `${sanitise(application)} (${process})` : process;
  const age = ageMs === null ? '' : ` for ${formatDuration(ageMs)}`;
  return `readers held at ${groupDigits(safeHead)}${age} by ${who}: up to ${groupDigits(head - safeHead)} events wait`;
}

function renderFault({ fault }: LagFrame, { theme, width, unicode }: View): readonly string[] {
  return fault === undefined ? [] : [theme.bad(cutText(`  ${sanitise(fault)}`, width, unicode))];
}

function renderFoot({ foot, order, errorsOnly, isPaused, intervalMs }: LagFrame, view: View): readonly string[] {
  if (foot === 'none') return [];
  if (foot === 'help') return renderHelp(view);
  const minus = view.unicode ? '−' : '-';
  const keys = [
    ['s', order === 'name' ? 'sort' : `sort: ${order}`],
    ['n', 'name'],
    ['e', errorsOnly ? 'show all' : 'errors only'],
    ['p', isPaused ? 'continue' : 'pause'],
    [`+ ${minus}`, formatDuration(intervalMs)],
    ['?', 'help'],
    ['q', 'quit'],
  ] as const;
  // The way out is the last to go.
  const kept = new Set<(typeof keys)[number]>();
  let left = view.width - 1;
  for (const at of [6, 5, 0, 2, 1, 3, 4]) {
    const key = keys[at];
    const needed = key === undefined ? 0 : measureText(key.join(' ')) + 3;
    if (key === undefined || needed > left) break;
    kept.add(key);
    left -= needed;
  }
  const shown = keys.filter((key) => kept.has(key)).map(([key, what]) => `${key} ${view.theme.faint(what)}`);
  return [` ${shown.join('   ')}`];
}

function renderHelp(view: View): readonly string[] {
  const [bad, caution, active, idle] = severity.map((mark) => glyphOf(mark, { ...view, theme: plainTheme }));
  const lines = [
    `${bad} stopped by an error   ${caution} old code, parked or overdue   ${active} has an owner   ${idle} has none`,
    'behind: events that wait; ~ is an estimate, ? is not known',
    'last 60 s: behind, on a scale of logarithms, each row up to its own highest',
    's sort by trouble, behind, oldest   n sort by name   e only what needs a hand   q quit',
    'p stop and continue measuring   + and - lengthen and shorten the interval   ? close',
  ];
  return lines.map((line) => cutText(` ${line}`, view.width, view.unicode));
}
