/** Lists for programs: a heading line, tabs between fields, and `\t`, `\n`, `\r`, `\\` for those characters in a field. */
import { sanitiseField } from '../terminal/sanitise.js';

const escapes: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' };

export type Field = string | number | boolean | null;

export function renderTsvLine(fields: readonly Field[]): string {
  return `${fields.map((field) => (field === null ? '' : escapeField(String(field)))).join('\t')}\n`;
}

/** The heading is printed even without rows, so that a reader always knows the columns. */
export function renderTsv(headings: readonly string[], rows: readonly (readonly Field[])[]): string {
  return [headings, ...rows].map(renderTsvLine).join('');
}

function escapeField(text: string): string {
  return text
    .split(/([\t\n\r\\])/)
    .map((part) => escapes[part] ?? sanitiseField(part))
    .join('');
}
