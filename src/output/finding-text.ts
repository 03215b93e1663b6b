/** Findings for people: the worst first, each with the command to run. */
import type { Finding } from '../domain/finding.js';
import type { Fact } from '../store/store.js';
import { sanitise } from '../terminal/sanitise.js';
import type { Theme } from './theme.js';

const severities = ['error', 'warning', 'note'] as const;

/** Ends with a line break; nothing at all for no findings. */
export function renderFindings(findings: readonly Finding[], theme: Theme): string {
  return sortFindings(findings)
    .map((finding) => renderFinding(finding, theme))
    .join('');
}

/** Sorts errors before warnings before notes, each in their order. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return severities.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

function renderFinding({ kind, severity, subject, detail, next }: Finding, theme: Theme): string {
  const paint = { error: theme.bad, warning: theme.caution, note: theme.faint }[severity];
  const line = `${paint(severity)} ${theme.strong(sanitise(subject))} ${sanitise(detail)} ${theme.faint(`(${kind})`)}\n`;
  return next === null ? line : `${line}  next: ${sanitise(next)}\n`;
}

/** Renders one line for each fact. */
export function renderFacts(facts: readonly Fact[], theme: Theme): string {
  const width = Math.max(0, ...facts.map(({ name }) => name.length));
  return facts.map(({ name, value }) => `${theme.faint(name.padEnd(width))}  ${sanitise(value)}\n`).join('');
}
