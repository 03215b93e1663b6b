/** Findings for people: the worst first, each with its evidence and the command that mends it. */
import { type Finding, sortFindings } from '../domain/finding.js';
import type { CheckResult } from '../findings/check.js';
import type { Fact } from '../store/store.js';
import { sanitise } from '../terminal/sanitise.js';
import { summariseFailure } from './failure-text.js';
import { glyphOf, type Mark } from './glyphs.js';
import { wrapLines } from './text-width.js';
import type { View } from './view.js';

/** Below this width a finding has its kind on a line of its own. */
const wideEnough = 60;
const widestKind = 20;

const markOf: Readonly<Record<Finding['severity'], Mark>> = { error: 'bad', warning: 'caution', note: 'idle' };

/** Ends with a line break; nothing at all for no findings. */
export function renderFindings(findings: readonly Finding[], view: View): string {
  const kinds = findings.map(({ kind }) => kind.length);
  const width = view.width < wideEnough ? 0 : Math.min(widestKind, Math.max(0, ...kinds));
  return sortFindings(findings)
    .map((finding) => renderFinding(finding, width, view))
    .join('');
}

function renderFinding(finding: Finding, kindWidth: number, view: View): string {
  const { kind, severity, subject, detail, evidence, next } = finding;
  const { theme } = view;
  const indent = ' '.repeat(kindWidth === 0 ? 2 : kindWidth + 4);
  const head = `${glyphOf(markOf[severity], view)} ${theme.faint(kind.padEnd(kindWidth))}`;
  // A break in a name or an error of the store must not begin a line of its own.
  const texts = [`${theme.strong(sanitise(subject))} ${sanitise(detail)}`];
  if (evidence !== undefined) texts.push(theme.faint(sanitise(summariseFailure(evidence))));
  const lines = texts.map((text) => wrapLines(indent + text, view.width));
  if (next !== null) lines.push(`${indent}next: ${sanitise(next)}`);
  const [first = '', ...others] = lines.join('\n').split('\n');
  if (kindWidth === 0 || kind.length > kindWidth) return `${[head.trimEnd(), first, ...others].join('\n')}\n`;
  return `${[`${head}  ${first.slice(indent.length)}`, ...others].join('\n')}\n`;
}

/** Renders one line for each fact. */
export function renderFacts(facts: readonly Fact[], { theme }: View): string {
  const width = Math.max(0, ...facts.map(({ name }) => name.length));
  return facts.map(({ name, value }) => `${theme.faint(name.padEnd(width))}  ${sanitise(value)}\n`).join('');
}

/** Renders one line for each check that found nothing, or could not look. */
export function renderChecks(checks: readonly CheckResult[], view: View): string {
  const shown = checks.filter(({ result }) => result !== 'found');
  const width = Math.max(0, ...shown.map(({ name }) => name.length));
  return shown
    .map(({ name, purpose, result }) => {
      const mark = result === 'ok' ? 'active' : result === 'failed' ? 'bad' : 'idle';
      const text = result === 'ok' ? purpose : `not checked: ${purpose}`;
      return `${glyphOf(mark, view)} ${name.padEnd(width)}  ${view.theme.faint(text)}\n`;
    })
    .join('');
}
