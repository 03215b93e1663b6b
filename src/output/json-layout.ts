/** Lays out JSON for people: one member a line. Numbers and strings stay as they are written. */
import type { JsonText } from '../domain/event.js';
import { sanitiseJson } from '../domain/safe-json.js';
import { cutText, measureText } from './text-width.js';
import type { View } from './view.js';

const step = '  ';
/** More levels have no line of their own: the indentation would be many times the payload. */
const mostLevels = 20;
/** A string, a run of other characters that stay together, or one sign. Blanks between them are dropped. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"{}[\],:]+|[{}[\],:]/g;

export interface LaidOutJson {
  /** Safe to print. The first is not indented. */
  readonly lines: readonly string[];
  /** How many lines are cut to the width, because what is nested deepest is on one line. */
  readonly cut: number;
}

/** @param text valid JSON */
export function layOutJson(text: JsonText, { width, unicode }: Pick<View, 'width' | 'unicode'>): LaidOutJson {
  const levels = Math.max(4, Math.min(mostLevels, Math.floor(width / 4)));
  const lines: string[] = [];
  let cut = 0;
  let line = '';
  let depth = 0;
  let isNestedDeeper = false;
  const endLine = () => {
    // A grapheme has some twenty units at most: what is behind them cannot be shown.
    const safe = sanitiseJson(isNestedDeeper ? line.slice(0, width * 20) : line);
    const isCut = isNestedDeeper && (line.length > width * 20 || measureText(safe) > width);
    lines.push(isCut ? cutText(`${safe}${' '.repeat(width)}`, width, unicode) : safe);
    if (isCut) cut += 1;
    isNestedDeeper = false;
  };
  const breakLine = () => {
    if (depth > levels) {
      isNestedDeeper = true;
      return false;
    }
    endLine();
    line = step.repeat(depth);
    return true;
  };
  const all = text.match(tokens) ?? [];
  for (const [index, token] of all.entries()) {
    const next = all[index + 1];
    const isEmpty = (token === '{' && next === '}') || (token === '[' && next === ']');
    const closesEmpty = (token === '}' && all[index - 1] === '{') || (token === ']' && all[index - 1] === '[');
    if (isEmpty || closesEmpty) line += token;
    else if (token === '{' || token === '[') {
      line += token;
      depth += 1;
      breakLine();
    } else if (token === '}' || token === ']') {
      depth -= 1;
      if (depth < levels) breakLine();
      line += token;
    } else if (token === ',') {
      line += token;
      if (!breakLine()) line += ' ';
    } else line += token === ':' ? ': ' : token;
  }
  endLine();
  return { lines, cut };
}
