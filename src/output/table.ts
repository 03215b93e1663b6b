/** Lists for people. The only user of cli-table3, which needs seconds for thousands of rows: long lists are padded lines. */
import Table from 'cli-table3';
import { sanitise } from '../terminal/sanitise.js';
import { cutText, measureText, padText, wrapLines } from './text-width.js';
import type { View } from './view.js';

export interface Column<Row> {
  readonly heading: string;
  /** Raw text; it is made safe here. */
  readonly text: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** Colours the finished cell. */
  readonly paint?: (text: string, row: Row) => string;
}

const maxTableRows = 200;
const gap = '  ';

/** Returns the list with a line break at the end; empty without rows. */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], view: View): string {
  if (rows.length === 0) return '';
  const texts = rows.map((row) => columns.map((column) => sanitise(column.text(row))));
  const widths = fitWidths(columns, texts, view.width);
  if (widths === undefined) {
    const filled = columns.filter((_, at) => texts.some((line) => !isEmpty(line[at])));
    return filled.length === columns.length ? renderRecords(rows, columns, view) : renderTable(rows, filled, view);
  }
  const cells = texts.map((line, index) =>
    line.map((text, at) => {
      const padded = padText(cutText(text, widths[at] ?? 0, view.unicode), widths[at] ?? 0, columns[at]?.align);
      const paint = columns[at]?.paint;
      const row = rows[index];
      return paint === undefined || row === undefined ? padded : paint(padded, row);
    }),
  );
  const headings = columns.map(({ heading, align }, at) => view.theme.faint(padText(heading, widths[at] ?? 0, align)));
  const lines = rows.length > maxTableRows ? joinCells([headings, ...cells]) : layOut([headings, ...cells]);
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** What a list shows where there is nothing. */
function isEmpty(text = ''): boolean {
  return text === '' || text === '-';
}

/** For a terminal that is too narrow: the first column on a line of its own, and below it what else there is to say. */
function renderRecords<Row>(rows: readonly Row[], columns: readonly Column<Row>[], view: View): string {
  const records = rows.map((row) => {
    const [name = '', ...others] = columns.map(({ text, heading, paint = same }, at) => {
      const value = sanitise(text(row));
      if (at === 0) return paint(cutText(value, view.width, view.unicode), row);
      return isEmpty(value) ? '' : `${view.theme.faint(heading)} ${paint(value, row)}`;
    });
    const indent = gap + gap;
    const lines: string[] = [];
    for (const part of others.filter((other) => other !== '')) {
      const longer = `${lines.at(-1) ?? ''}${gap}${part}`;
      if (lines.length > 0 && measureText(longer) <= view.width) lines[lines.length - 1] = longer;
      else lines.push(...wrapLines(indent + part, view.width).split('\n'));
    }
    return [name, ...lines].join('\n');
  });
  return `${records.join('\n')}\n`;
}

function same(text: string): string {
  return text;
}

/** Undefined when they do not fit. Right-aligned cells are padded on the left. */
function fitWidths<Row>(
  columns: readonly Column<Row>[],
  texts: readonly (readonly string[])[],
  width: number,
): readonly number[] | undefined {
  const widths = columns.map(({ heading }, at) =>
    texts.reduce((widest, line) => Math.max(widest, measureText(line[at] ?? '')), measureText(heading)),
  );
  let excess = widths.reduce((sum, each) => sum + each, 0) + gap.length * (columns.length - 1) - width;
  // The widest columns shrink first, none below the width of its heading.
  while (excess > 0) {
    const widest = widths.reduce((best, each, at) => (isShrinkable(at) && each > (widths[best] ?? 0) ? at : best), 0);
    const current = widths[widest] ?? 0;
    if (!isShrinkable(widest)) return undefined;
    widths[widest] = current - 1;
    excess -= 1;
  }
  return widths;

  function isShrinkable(at: number): boolean {
    const column = columns[at];
    return column !== undefined && column.align !== 'right' && (widths[at] ?? 0) > Math.max(12, column.heading.length);
  }
}

function joinCells(rows: readonly (readonly string[])[]): string[] {
  return rows.map((cells) => cells.join(gap));
}

function layOut(rows: readonly (readonly string[])[]): string[] {
  const nothing = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'];
  const inner = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
  const chars = Object.fromEntries([...nothing, ...inner].map((name) => [name, '']));
  const table = new Table({
    chars: { ...chars, middle: gap },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const cells of rows) table.push([...cells]);
  return table.toString().split('\n');
}
