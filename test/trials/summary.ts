/** Reports of trials as text that can be put into a document. */
import type { TrialReport } from './trial.js';

type Row = Readonly<Record<string, string | number>>;

export function describeReports(reports: readonly TrialReport[]): string {
  return reports.map(describeReport).join('\n');
}

function describeReport({ trial, engine, seed, facts, rows = [], findings }: TrialReport): string {
  const summary = { ...facts, findings: findings.length };
  const lines = [
    `### ${trial} on ${engine}, seed ${seed}`,
    '',
    ...toTable(Object.entries(summary).map(([what, figure]) => ({ what, figure }))),
    ...(rows.length === 0 ? [] : ['', ...toTable(rows)]),
    ...(findings.length === 0 ? [] : ['', ...findings.slice(0, 50).map((finding) => `FOUND ${finding}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

function toTable(rows: readonly Row[]): string[] {
  const headings = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly (string | number | undefined)[]) =>
    `| ${cells.map((cell) => String(cell ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(headings),
    line(headings.map(() => '---')),
    ...rows.map((row) => line(headings.map((heading) => row[heading]))),
  ];
}
