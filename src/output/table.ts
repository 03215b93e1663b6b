/** Lists for people: padded lines. Every width in them is of one measure, so that no line is wider than was reckoned. */
import { sanitise } from '../terminal/sanitise.js';
import { glyphOf, type Mark } from './glyphs.js';
import { cutText, measureText, padText } from './text-width.js';
import type { View } from './view.js';

export interface Column<Row> {
  readonly heading: string;
  /** Raw text; it is made safe here. */
  readonly text: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** Colours the finished cell. */
  readonly paint?: (text: string, row: Row) => string;
  /** Where not all fit, `low` ones go first, then those without a rank. `high` ones stay, and so does the first. */
  readonly rank?: 'low' | 'high';
  /** An error: no column, but a line below its row. */
  readonly isBelow?: boolean;
}

const gap = '  ';
/** A narrower terminal shows a row that does not fit on two lines. */
const narrow = 60;
/** Names up to this length are cut last. */
const usualName = 40;
/** Names are not cut below this. */
const shortest = 12;

export interface Table {
  /** Ends with a line break; empty without rows. */
  readonly text: string;
  /** The headings of the columns that had no room, where a row has something in them. */
  readonly left: readonly string[];
}

/** @param mark puts a glyph before each row */
export function layOutTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  view: View,
  mark?: (row: Row) => Mark,
): Table {
  if (rows.length === 0) return { text: '', left: [] };
  const sorted = mark === undefined ? rows : sortRows(rows, mark);
  const below = columns.filter(({ isBelow }) => isBelow === true);
  const lines = sorted.map((row) => ({
    row,
    glyph: mark === undefined ? '' : `${glyphOf(mark(row), view)} `,
    below: below.flatMap((column) => {
      const text = textOf(column, row);
      return isEmpty(text) ? [] : [view.theme.bad(cutText(`${gap}${gap}${text}`, view.width, view.unicode))];
    }),
  }));
  const margin = mark === undefined ? 0 : 2;
  const cells = columns.filter((column) => !below.includes(column)).map((column) => measureCells(column, sorted));
  const chosen = fitColumns(cells, view.width - margin);
  if (chosen === undefined) {
    const records = lines.map((line, at) => renderRecord(line, cells, at, view));
    const left = cells.filter(({ column }) => records.some((record) => record.left.includes(column)));
    return { text: records.map(({ text }) => text).join(''), left: left.map(({ column }) => column.heading) };
  }
  const heading = chosen.map(({ column, width }) => view.theme.faint(padText(column.heading, width, column.align)));
  const body = lines.map(({ row, glyph }, at) =>
    chosen.map((cell, place) => (place === 0 ? glyph : '') + fillCell(cell, at, row, view)),
  );
  const rowsWithErrors = body.flatMap((line, at) => [line.join(gap), ...(lines[at]?.below ?? [])]);
  const all = [`${' '.repeat(margin)}${heading.join(gap)}`, ...rowsWithErrors];
  const shown = chosen.map(({ column }) => column);
  const left = cells.filter(({ column, texts }) => !shown.includes(column) && !texts.every(isEmpty));
  return {
    text: all.map((line) => `${line.trimEnd()}\n`).join(''),
    left: left.map(({ column }) => column.heading),
  };
}

/** The rows that need a hand first, each kind in its order. */
function sortRows<Row>(rows: readonly Row[], mark: (row: Row) => Mark): readonly Row[] {
  const order: readonly Mark[] = ['bad', 'caution'];
  const placeOf = (row: Row) => (order.indexOf(mark(row)) + order.length + 1) % (order.length + 1);
  return [...rows].sort((a, b) => placeOf(a) - placeOf(b));
}

/** A column with the text of each row. */
interface Cells<Row> {
  readonly column: Column<Row>;
  readonly texts: readonly string[];
  /** Of the widest, and of its heading. */
  readonly width: number;
}

function measureCells<Row>(column: Column<Row>, rows: readonly Row[]): Cells<Row> {
  const texts = rows.map((row) => textOf(column, row));
  const width = texts.reduce((widest, text) => Math.max(widest, measureText(text)), measureText(column.heading));
  return { column, texts, width };
}

/** One line: the rest of an error is in what shows one thing in full. */
function textOf<Row>({ text, isBelow }: Column<Row>, row: Row): string {
  const whole = text(row);
  return sanitise(isBelow === true ? (whole.split('\n', 1)[0] ?? '') : whole);
}

/** What a list shows where there is nothing. */
function isEmpty(text = ''): boolean {
  return text === '' || text === '-';
}

/**
 * Leaves out columns until they fit: empty ones, then low ones, then those without a rank, the last first. Then it cuts
 * the widest. A name that is unusually long, and longer than half the line, does not drive out other columns: it is cut.
 * @returns undefined where a row needs two lines
 */
function fitColumns<Row>(all: readonly Cells<Row>[], room: number): readonly Cells<Row>[] | undefined {
  const isTooWide = (cells: readonly Cells<Row>[]) => widthOf(cells.map((each) => cutTo(each, most))) > room;
  const most = Math.max(room / 2, room < narrow - 2 ? 0 : usualName);
  let kept = all;
  if (room < narrow - 2) {
    kept = all.filter(({ texts }) => !texts.every(isEmpty));
    if (isTooWide(kept)) return undefined;
  }
  for (const canGo of [
    ({ texts }: Cells<Row>) => texts.every(isEmpty),
    ({ column }: Cells<Row>) => column.rank === 'low',
    ({ column }: Cells<Row>) => column.rank === undefined,
  ]) {
    for (const cells of [...kept.slice(1)].reverse()) {
      if (isTooWide(kept) && canGo(cells)) kept = kept.filter((each) => each !== cells);
    }
  }
  return cutWidest(kept, room);
}

function cutTo<Row>(cells: Cells<Row>, most: number): Cells<Row> {
  return cells.column.align === 'right' ? cells : { ...cells, width: Math.min(cells.width, Math.floor(most)) };
}

function cutWidest<Row>(kept: readonly Cells<Row>[], room: number): readonly Cells<Row>[] | undefined {
  const widths = kept.map(({ width }) => width);
  for (let excess = widthOf(kept) - room; excess > 0; excess -= 1) {
    const canShrink = ({ column }: Cells<Row>, at: number) =>
      column.align !== 'right' && (widths[at] ?? 0) > Math.max(shortest, column.heading.length);
    const widest = kept.reduce(
      (best, each, at) => (canShrink(each, at) && (widths[at] ?? 0) > (widths[best] ?? 0) ? at : best),
      -1,
    );
    if (widest === -1) return undefined;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return kept.map((cells, at) => ({ ...cells, width: widths[at] ?? cells.width }));
}

function widthOf(cells: readonly { readonly width: number }[]): number {
  return cells.reduce((sum, { width }) => sum + width, gap.length * (cells.length - 1));
}

function fillCell<Row>({ column, texts, width }: Cells<Row>, at: number, row: Row, { unicode }: View): string {
  const text = padText(cutText(texts[at] ?? '', width, unicode), width, column.align);
  return column.paint === undefined ? text : column.paint(text, row);
}

interface Line<Row> {
  readonly row: Row;
  readonly glyph: string;
  readonly below: readonly string[];
}

/** The name and its state on the first line, and on the second as much of the rest as fits, with headings. */
function renderRecord<Row>(
  { row, glyph, below }: Line<Row>,
  cells: readonly Cells<Row>[],
  at: number,
  view: View,
): { readonly text: string; readonly left: readonly Column<Row>[] } {
  const values = cells.flatMap(({ column, texts }, place) => {
    const text = texts[at] ?? '';
    return place > 0 && isEmpty(text)
      ? []
      : [{ column, text, paint: (cut: string) => column.paint?.(cut, row) ?? cut }];
  });
  const [name, ...others] = values;
  const state = others.find(({ column }) => column.rank === 'high' && column.align !== 'right');
  const room = view.width - (glyph === '' ? 0 : 2) - (state === undefined ? 0 : measureText(state.text) + gap.length);
  const hasState = state !== undefined && room >= shortest;
  const first = cutText(name?.text ?? '', hasState || state === undefined ? room : view.width - 2, view.unicode);
  const rest = others.filter((each) => !(hasState && each === state));
  const labelled = ({ column, text }: (typeof values)[number]) => `${column.heading} ${text}`;
  const fitting = new Set<(typeof values)[number]>();
  let left = view.width - gap.length;
  for (const rank of ['high', undefined, 'low'] as const) {
    for (const each of rest) {
      const needed = gap.length + measureText(labelled(each));
      if (each.column.rank !== rank) continue;
      if (needed > left) {
        // What has a lower rank is not shown in its place: it would come and go from row to row.
        if (rank !== 'high') left = 0;
        continue;
      }
      fitting.add(each);
      left -= needed;
    }
  }
  const second = rest.flatMap((each) => {
    return fitting.has(each) ? [`${view.theme.faint(each.column.heading)} ${each.paint(each.text)}`] : [];
  });
  const lines = [
    [glyph + (name?.paint(first) ?? ''), ...(hasState ? [state.paint(state.text)] : [])].join(gap),
    ...(second.length === 0 ? [] : [`${gap}${gap}${second.join(gap)}`]),
    ...below,
  ];
  const hidden = rest.filter((each) => !fitting.has(each));
  return { text: lines.map((line) => `${line}\n`).join(''), left: hidden.map(({ column }) => column) };
}
