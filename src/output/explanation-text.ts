/** Renders what an error means: for people, for programs, and as a page of the documentation. */
import { type ErrorCode, exitCodeOf } from '../domain/errors.js';
import { explanations } from './explanations.js';
import type { Theme } from './theme.js';

/** Ends with a line break. */
export function renderExplanation(code: ErrorCode, theme: Theme): string {
  const { means, causes, ways } = explanations[code];
  const list = (items: readonly string[]) => items.map((item) => `  - ${item}\n`).join('');
  return [
    `${theme.strong(code)} ${theme.faint(`(exit code ${exitCodeOf(code)})`)}\n`,
    `${means}\n\n`,
    `Why it happens:\n${list(causes)}\n`,
    `What to do:\n${list(ways)}`,
  ].join('');
}

export function explain(code: ErrorCode) {
  return { code, exitCode: exitCodeOf(code), ...explanations[code] };
}

/** Returns docs/reference/errors.md. */
export function renderErrorsPage(): string {
  const sections = (Object.keys(explanations) as ErrorCode[]).map((code) => {
    const { means, causes, ways } = explanations[code];
    const list = (items: readonly string[]) => items.map((item) => `- ${markCode(item)}\n`).join('');
    return `## ${code}\n\nExit code ${exitCodeOf(code)}. ${markCode(means)}\n\nWhy it happens:\n\n${list(causes)}\nWhat to do:\n\n${list(ways)}`;
  });
  const intro =
    '# Errors\n\nEvery error of evstore ends with its code, and the exit code follows from it. `evstore explain E_CODE` prints a section of this page.\n';
  return [intro, ...sections].join('\n');
}

/** A command, an option and a placeholder are code. */
function markCode(text: string): string {
  return text
    .replace(/(?<=: )(?:evstore|npm) .*$|(?<![\w-])--[a-z-]+/g, (code) => `\`${code}\``)
    .replaceAll('*', '\\*');
}
