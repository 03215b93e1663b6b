/**
 * GitHub Actions interprets some lines that a step prints: groups that fold, annotations shown at the pull request, and a
 * file whose Markdown becomes the summary of the run.
 */
import { promises as files } from 'node:fs';
import { resolve } from 'node:path';
import type { Io } from './io.js';
import { sanitise, sanitiseLines } from './sanitise.js';

type Environment = Io['env'];

export function isInActions({ GITHUB_ACTIONS }: Environment): boolean {
  return GITHUB_ACTIONS === 'true';
}

/** Returns the line, with its line break. @param text one or more lines; it is made safe here */
export function toAnnotation(level: 'warning' | 'error', text: string, title?: string): string {
  const property = title === undefined ? '' : ` title=${escapeProperty(sanitise(title))}`;
  return `::${level}${property}::${escapeData(sanitiseLines(text))}\n`;
}

export function openGroup(label: string): string {
  return `::group::${escapeData(sanitise(label))}\n`;
}

export const closeGroup = '::endgroup::\n';

/** Appends to the summary of the run, if there is one. @param markdown complete lines */
export async function appendSummary({ env, cwd }: Pick<Io, 'env' | 'cwd'>, markdown: string): Promise<void> {
  const file = env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  await files.appendFile(resolve(cwd, file), markdown);
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
