/** Comparisons as text: for a terminal, or in Markdown for a document. */
import { type Comparison, judge, type Line, type Target, type Unit } from './report.js';
import type { Spread } from './statistics.js';

const headings = ['', 'median', 'min–max', 'evstore is', 'to reach', ''];

export function renderComparison(comparison: Comparison): string {
  const rows = toCells(comparison);
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...rows.map((cells) => (cells[at] ?? '').length)),
  );
  const lines = [headings, ...rows].map((cells) =>
    cells
      .map((cell, at) => (at >= 1 && at <= 4 ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return `${titleOf(comparison)}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

export function renderMarkdown(comparison: Comparison): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  const alignment = headings.map((_, at) => (at >= 1 && at <= 4 ? '---:' : '---'));
  const [, ...others] = headings;
  const table = [[titleOf(comparison), ...others], alignment, ...toCells(comparison)];
  return `${table.map(line).join('')}\n`;
}

function titleOf({ title, unit, measured }: Comparison): string {
  const runs = Math.max(0, ...measured.map(({ figures }) => figures.length));
  return [title, unit, runs === 1 ? '1 run' : `${runs} runs`].filter((part) => part !== '').join(', ');
}

function toCells(comparison: Comparison): string[][] {
  return judge(comparison).map((line) => toRow(line, comparison.unit));
}

function toRow({ name, figure, ratio, limit, target, verdict }: Line, unit: Unit): string[] {
  return [
    name,
    figure === undefined ? '' : formatFigure(figure.median, unit),
    figure === undefined ? '' : formatRange(figure, (value) => formatFigure(value, unit)),
    ratio === undefined ? '' : `${formatRatio(ratio.median)} × (${formatRange(ratio, formatRatio)})`,
    limit !== undefined ? formatTarget(limit, '') : target !== undefined ? formatTarget(target, ' ×') : '',
    verdict,
  ];
}

function formatTarget({ is, value }: Target, suffix: string): string {
  return `${is === 'at least' ? '≥' : '≤'} ${value}${suffix}`;
}

function formatRange({ min, max }: Spread, format: (value: number) => string): string {
  return min === max ? format(min) : `${format(min)}–${format(max)}`;
}

function formatFigure(value: number, unit: Unit): string {
  if (unit === 'events/s') return Math.round(value).toLocaleString('en-US');
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });
}

function formatRatio(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
