/** Renders a Markdown table for the summary of a CI run. Content of the store is escaped: it is never markup. */
import { sanitise } from '../terminal/sanitise.js';

export interface MarkdownColumn<Row> {
  readonly heading: string;
  /** Raw text; it is made safe here. */
  readonly text: (row: Row) => string;
  readonly align?: 'left' | 'right';
}

/** Returns a heading and a table, followed by a blank line. */
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
