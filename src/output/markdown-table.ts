/** A table in Markdown, for the summary of a run in CI. What a store holds is text in it, and never markup. */
import { sanitise } from '../terminal/sanitise.js';

export interface MarkdownColumn<Row> {
  readonly heading: string;
  /** Raw text: it is made safe here. */
  readonly text: (row: Row) => string;
  readonly align?: 'left' | 'right';
}

/** A heading and a table, with a blank line behind it. */
export function renderMarkdownTable<Row>(
  title: string,
  rows: readonly Row[],
  columns: readonly MarkdownColumn<Row>[],
): string {
  const lines = [
    columns.map(({ heading }) => escapeMarkdown(heading)),
    columns.map(({ align }) => (align === 'right' ? '---:' : '---')),
    ...rows.map((row) => columns.map(({ text }) => escapeMarkdown(text(row)))),
  ];
  return `### ${escapeMarkdown(title)}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')}\n`;
}

function escapeMarkdown(text: string): string {
  const plain = sanitise(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return plain.replace(/[\\`*_[\]|~#@]/g, (character) => `\\${character}`);
}
