/** Lists: a table for people, TSV for pipes, one JSON document for programs. */

import type { Mark } from '../../src/output/glyphs.js';
import { renderReport } from '../../src/output/json-line.js';
import { groupDigits } from '../../src/output/numbers.js';
import type { Column } from '../../src/output/table.js';
import { type Field, renderTsv } from '../../src/output/tsv.js';
import { sanitise } from '../../src/terminal/sanitise.js';
import type { Context } from '../options/command.js';

export interface ListColumn<Row> extends Omit<Column<Row>, 'text'> {
  /** As programs see it; null is an empty field. */
  readonly field: (row: Row) => Field;
  /** As people see it. Default: the field, with `-` where there is none and the digits of numbers in groups. */
  readonly text?: (row: Row) => string;
  /** The heading that people see. Default: the one that programs see. */
  readonly title?: string;
  /** People see it in another column. */
  readonly isForPrograms?: boolean;
  /** What `--quiet` prints, one a line, and the first that people see. Default: the first column. */
  readonly isName?: boolean;
}

/** A column that people see only where a row has something to say in it; programs read it always. */
export function rarely<Row>(
  context: Context,
  rows: readonly Row[],
  column: ListColumn<Row>,
): readonly ListColumn<Row>[] {
  const isForPeople = context.format({ people: 'table', pipe: 'tsv' }) === 'table';
  return isForPeople && !rows.some((row) => Boolean(column.field(row))) ? [] : [column];
}

export interface ListAnswer<Row> {
  /** What `--json` prints. */
  readonly report: unknown;
  /** What a list without rows says on stderr, also in a pipe; null where the command says itself what it found. */
  readonly nothing: string | null;
  /** For people: a glyph before each row, and what needs a hand first. */
  readonly mark?: (row: Row) => Mark;
}

export async function printList<Row>(
  context: Context,
  rows: readonly Row[],
  columns: readonly ListColumn<Row>[],
  { report, nothing, mark }: ListAnswer<Row>,
): Promise<void> {
  const { stdout } = context.io;
  const format = context.format({ people: 'table', pipe: 'tsv' });
  if (format === 'json') await stdout.write(renderReport(report));
  else if (format === 'ndjson') for (const row of rows) await stdout.write(renderReport(row));
  else if (context.quiet) {
    const name = columns.find(({ isName }) => isName === true) ?? columns[0];
    const safe = stdout.isTTY ? sanitise : String;
    for (const row of rows) await stdout.write(`${safe(String(name?.field(row) ?? ''))}\n`);
  } else if (format === 'tsv') {
    const headings = columns.map(({ heading }) => heading);
    await stdout.write(
      renderTsv(
        headings,
        rows.map((row) => columns.map(({ field }) => field(row))),
      ),
    );
  } else {
    const named = columns.filter(({ isName }) => isName === true);
    const others = columns.filter((column) => !named.includes(column) && column.isForPrograms !== true);
    const shown = [...named, ...others].map((column) => ({
      ...column,
      heading: column.title ?? column.heading,
      text: column.text ?? ((row: Row) => show(column.field(row))),
    }));
    const { layOutTable } = await import('../../src/output/table.js');
    const { text, left } = layOutTable(rows, shown, context.view, mark);
    await stdout.write(text);
    if (left.length > 0) await context.note(`not shown: ${left.join(', ')} (wider terminal, or -o tsv)`);
  }
  if (rows.length === 0 && nothing !== null) await context.note(nothing);
}

function show(field: Field): string {
  if (field === null) return '-';
  return typeof field === 'number' ? groupDigits(field) : String(field);
}
