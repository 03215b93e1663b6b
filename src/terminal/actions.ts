/**
 * GitHub Actions reads commands among the lines a step prints: groups that fold, annotations that stand at the pull
 * request, and a file whose Markdown becomes the summary of the run.
 */
import { promises as files } from 'node:fs';
import { resolve } from 'node:path';
import type { Io } from './io.js';
import { sanitise, sanitiseLines } from './sanitise.js';

type Environment = Io['env'];

export function isInActions({ GITHUB_ACTIONS }: Environment): boolean {
  return GITHUB_ACTIONS === 'true';
}

/** Ends with a line break. @param text of one line or several; what it says is made safe here */
export function toAnnotation(level: 'warning' | 'error', text: string, title?: string): string {
  const property = title === undefined ? '' : ` title=${escapeProperty(sanitise(title))}`;
  return `::${level}${property}::${escapeData(sanitiseLines(text))}\n`;
}

export function openGroup(label: string): string {
  return `::group::${escapeData(sanitise(label))}\n`;
}

export const closeGroup = '::endgroup::\n';

/** Nothing happens where nobody asks for a summary. @param markdown whole lines */
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
