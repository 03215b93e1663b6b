/** The rows of `lag --watch`: which columns fit, and what each of them shows. */
import { formatDuration } from '../domain/duration.js';
import { partOf } from '../domain/parts.js';
import type { ProjectionLag } from '../projection/status/lag.js';
import { progressBar } from '../terminal/progress-bar.js';
import { sanitise } from '../terminal/sanitise.js';
import { summariseFailure } from './failure-text.js';
import { glyphOf, type Mark } from './glyphs.js';
import type { LagHistory } from './lag-history.js';
import { markOf } from './lag-mark.js';
import { groupDigits } from './numbers.js';
import { sparkline, trendOf } from './sparkline.js';
import { cutText, measureText, padText } from './text-width.js';
import type { Theme } from './theme.js';
import type { View } from './view.js';

/** A rebuild that runs. */
export interface RebuildProgress {
  readonly projection: string;
  readonly version: number;
  /** Its built tables contain every event up to here. */
  readonly position: number;
}

export interface LagFacts {
  readonly safeHead: number;
  readonly rebuilds: readonly RebuildProgress[];
  readonly history: LagHistory;
  readonly measuredAt: Date;
  /** `lost`: without a connection. `failed`: the last query failed, so that nothing is known now. */
  readonly state: 'current' | 'lost' | 'failed';
}

export interface LagRows {
  /** Undefined where the terminal is too narrow for one. */
  readonly heading: string | undefined;
  /** Of each row, in the order of the rows: the row and what is below it. */
  readonly lines: readonly (readonly string[])[];
}

/** Narrower terminals show the name, how far it is behind, and where that goes. */
const compactBelow = 50;
const gap = '  ';
/** Columns go before names are cut below this. */
const usualName = 16;

interface LagColumn {
  readonly heading: string;
  readonly align?: 'right';
  /** Only in terminals that are at least this wide. */
  readonly from: number;
  readonly text: (lag: ProjectionLag, parts: Parts) => string;
  readonly paint?: (theme: Theme, text: string, mark: Mark) => string;
}

/** What a cell may need besides its row. */
interface Parts {
  readonly rebuild: RebuildProgress | undefined;
  readonly facts: LagFacts;
  readonly view: View;
}

const columns: readonly LagColumn[] = [
  { heading: 'status', from: 0, text: describeStatus, paint: paintStatus },
  { heading: 'behind', from: 0, align: 'right', text: describeBehind },
  { heading: 'last 60 s', from: 0, text: drawHistory },
  { heading: 'rate', from: 70, align: 'right', text: describeRate },
  { heading: 'eta', from: 70, align: 'right', text: describeEta },
  {
    heading: 'oldest',
    from: 100,
    align: 'right',
    text: ({ ageMs }, { view }) => (ageMs === null ? none(view) : span(ageMs)),
  },
  {
    heading: 'owner',
    from: 100,
    text: ({ owner }, { view }) => (owner === null ? none(view) : cutText(sanitise(owner), 24, view.unicode)),
    paint: (theme, text) => theme.faint(text),
  },
];

export function layOutLag(rows: readonly ProjectionLag[], facts: LagFacts, view: View): LagRows {
  if (view.width < compactBelow) return layOutCompact(rows, facts, view);
  const withParts = rows.map((lag) => ({ lag, parts: partsOf(lag, facts, view) }));
  const parked = describeHeldUp;
  const note: LagColumn = { heading: '', from: 100, text: parked, paint: (theme, text) => theme.caution(text) };
  const wanted = [...columns, ...(rows.some((lag) => parked(lag) !== '') ? [note] : [])];
  const cells = wanted
    .filter(({ from }) => view.width >= from)
    .map((column) => {
      const texts = withParts.map(({ lag, parts }) => column.text(lag, parts));
      return { column, texts, width: Math.max(measureText(column.heading), ...texts.map(measureText)) };
    });
  const names = rows.map(({ name }) => sanitise(name));
  const longest = Math.max('name'.length, ...names.map(measureText));
  const roomFor = (kept: typeof cells) => view.width - 2 - kept.reduce((sum, { width }) => sum + width + gap.length, 0);
  // The last column goes first; the name and how far it is behind stay.
  while (cells.length > 2 && roomFor(cells) < Math.min(longest, usualName)) cells.pop();
  const room = Math.max(1, Math.min(longest, roomFor(cells)));
  const { theme } = view;
  const hasNote = cells.some(({ column }) => column === note);
  const heading = [
    padText('name', room),
    ...cells.map(({ column, width }) => padText(column.heading, width, column.align)),
  ];
  return {
    heading: theme.faint(`  ${heading.join(gap)}`.trimEnd()),
    lines: withParts.map(({ lag, parts }, at) => {
      const mark = markOf(lag);
      const isOld = facts.state !== 'current';
      const shown = cells.map(({ column, texts, width }) => {
        const text = padText(texts[at] ?? '', width, column.align);
        return isOld || column.paint === undefined ? text : column.paint(theme, text, mark);
      });
      const row = [padText(cutText(names[at] ?? '', room, view.unicode), room), ...shown].join(gap).trimEnd();
      const below = hasNote
        ? describeError(lag, view)
        : [...describeError(lag, view), ...indent(parked(lag), 'caution', view)];
      return [`${glyph(lag, parts)} ${isOld ? theme.faint(row) : row}`, ...below];
    }),
  };
}

function layOutCompact(rows: readonly ProjectionLag[], facts: LagFacts, view: View): LagRows {
  const behind = rows.map((lag) => describeBehind(lag, partsOf(lag, facts, view)));
  const widest = Math.max(0, ...behind.map(measureText));
  const names = rows.map(({ name }) => sanitise(name));
  const room = Math.max(1, Math.min(view.width - widest - 5, Math.max(0, ...names.map(measureText))));
  const lines = rows.map((lag, at) => {
    const name = padText(cutText(names[at] ?? '', room, view.unicode), room);
    const trend = trendOf(valuesOf(lag, facts, 16), view.unicode);
    const whole = `${name} ${padText(behind[at] ?? '', widest, 'right')} ${trend}`.trimEnd();
    const row = cutText(whole, view.width - 2, view.unicode);
    const parts = partsOf(lag, facts, view);
    return [`${glyph(lag, parts)} ${facts.state === 'current' ? row : view.theme.faint(row)}`];
  });
  return { heading: undefined, lines };
}

function partsOf({ name, status }: ProjectionLag, facts: LagFacts, view: View): Parts {
  const { projection } = partOf(name);
  const rebuild = status === 'rebuilding' ? facts.rebuilds.find((each) => each.projection === projection) : undefined;
  return { rebuild, facts, view };
}

function glyph(lag: ProjectionLag, { rebuild, view }: Parts): string {
  return rebuild !== undefined && markOf(lag) === 'active' && view.unicode
    ? view.theme.good('↻')
    : glyphOf(markOf(lag), view);
}

function describeError({ error }: ProjectionLag, view: View): readonly string[] {
  return indent(summariseFailure(error ?? ''), 'bad', view);
}

function indent(text: string, colour: 'bad' | 'caution', { theme, width, unicode }: View): readonly string[] {
  return text === '' ? [] : [theme[colour](cutText(`    ${sanitise(text)}`, width, unicode))];
}

/** What waits for a person: parked events, and overdue instances of a saga. */
function describeHeldUp({ parked, overdue = 0 }: ProjectionLag): string {
  const parts = [
    parked > 0 ? `${groupDigits(parked)} parked` : '',
    overdue > 0 ? `${groupDigits(overdue)} overdue` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function describeStatus({ status }: ProjectionLag, { rebuild, facts }: Parts): string {
  if (rebuild === undefined) return status;
  return `${status} v${rebuild.version} ${Math.floor(shareOf(rebuild, facts) * 100)} %`;
}

function paintStatus(theme: Theme, text: string, mark: Mark): string {
  const paint = { bad: theme.bad, caution: theme.caution, active: theme.good, idle: theme.faint };
  return paint[mark](text);
}

function describeBehind({ lag, estimated }: ProjectionLag, { facts }: Pick<Parts, 'facts'>): string {
  if (facts.state === 'failed') return '?';
  return `${estimated ? '~' : ''}${groupDigits(lag)}`;
}

function drawHistory(lag: ProjectionLag, { rebuild, facts, view }: Parts): string {
  const width = view.width >= 100 ? 16 : 8;
  if (rebuild !== undefined) return progressBar(shareOf(rebuild, facts), width, view.unicode);
  const values = valuesOf(lag, facts, width);
  return `${sparkline(values, view.unicode)} ${trendOf(values, view.unicode)}`;
}

function valuesOf({ name }: ProjectionLag, { history, measuredAt }: LagFacts, parts: number) {
  return history.values(`behind ${name}`, parts, measuredAt.getTime());
}

function shareOf({ position }: RebuildProgress, { safeHead }: LagFacts): number {
  return safeHead === 0 ? 0 : Math.min(1, position / safeHead);
}

function describeRate({ rate }: ProjectionLag, { rebuild, facts, view }: Parts): string {
  const perSecond = rebuild === undefined ? rate : facts.history.perSecond(`rebuild ${rebuild.projection}`);
  if (perSecond === null || perSecond === undefined) return none(view);
  return `${rebuild === undefined ? '' : '~'}${groupDigits(Math.round(perSecond))}/s`;
}

function describeEta({ etaMs, lag }: ProjectionLag, { rebuild, facts, view }: Parts): string {
  if (rebuild !== undefined) {
    const perSecond = facts.history.perSecond(`rebuild ${rebuild.projection}`) ?? 0;
    return perSecond === 0 ? none(view) : span(((facts.safeHead - rebuild.position) / perSecond) * 1_000);
  }
  return etaMs === null || lag === 0 ? none(view) : span(etaMs);
}

function span(milliseconds: number): string {
  return milliseconds < 1_000 ? '<1 s' : formatDuration(milliseconds);
}

function none({ unicode }: View): string {
  return unicode ? '–' : '-';
}
