/** Measures text in terminal cells, cuts it to a width, and breaks it into lines. */
import stringWidth from 'string-width';
import { commandInText, commandLine } from '../domain/command-text.js';

const graphemes = new Intl.Segmenter();

export function measureText(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text);
}

/** Cuts between graphemes, with an ellipsis for what is missing. */
export function cutText(text: string, width: number, unicode = true): string {
  if (measureText(text) <= width) return text;
  if (width <= 0) return '';
  const ellipsis = unicode ? '…' : '...';
  let room = width - measureText(ellipsis);
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    room -= measureText(segment);
    if (room < 0) break;
    kept += segment;
  }
  return kept + ellipsis;
}

/** Joins parts to lines: one that does not fit begins the next, indented. The parts may be coloured. */
export function fillLines(parts: readonly string[], width: number, indent: string, between = '   '): readonly string[] {
  const [first = '', ...others] = parts;
  const lines = [first];
  for (const part of others) {
    const longer = `${lines.at(-1)}${between}${part}`;
    if (measureText(longer.replace(colours, '')) <= width) lines[lines.length - 1] = longer;
    else lines.push(indent + part);
  }
  return lines;
}

export function padText(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const gap = ' '.repeat(Math.max(0, width - measureText(text)));
  return side === 'left' ? text + gap : gap + text;
}

/** Longer lines are left to the terminal: finding the graphemes of a string takes time that grows with its square. */
const longestWrapped = 4_000;

/** What moves no cursor: colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour begins with
const colour = /(\u001b\[[\d;]*m)/;
const colours = new RegExp(colour, 'g');

/**
 * Breaks the lines that a terminal of this width would break, between words where it can. What follows is indented as
 * the line was. A command to copy is never broken: it gets a line of its own when it does not fit, and when it is longer
 * than that, the terminal breaks it, which copies as one line.
 */
export function wrapLines(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => (canStay(line, width) ? line : wrapLine(line, width).join('\n')))
    .join('\n');
}

function canStay(line: string, width: number): boolean {
  return line.length > longestWrapped || measureText(line) <= width || commandLine.test(line.replace(colours, ''));
}

function wrapLine(line: string, width: number): string[] {
  const indent = line.slice(0, line.length - line.trimStart().length);
  const lines: string[] = [];
  /** What is not in `lines` yet. */
  let text = '';
  let at = 0;
  for (const { 0: command, index } of line.matchAll(commandInText)) {
    text += line.slice(at, index);
    at = index + command.length;
    const broken = wrapText(text, width);
    // One cell is for what may follow it.
    if (measureText(`${broken.at(-1)} ${command}`) < width) {
      text += command;
      continue;
    }
    lines.push(...broken, `${indent}  ${command}`);
    const [punctuation = ''] = /^[,;.)]* */.exec(line.slice(at)) ?? [];
    at += punctuation.length;
    text = indent;
  }
  text += line.slice(at);
  if (text.replace(colours, '').trim() !== '') lines.push(...wrapText(text, width));
  else lines.push(`${lines.pop() ?? ''}${text.trimStart()}`);
  return lines;
}

function wrapText(line: string, width: number): string[] {
  const indent = ' '.repeat(Math.min(line.length - line.trimStart().length, Math.floor(width / 2)));
  const lines: string[] = [];
  let current = indent;
  let room = width - indent.length;
  for (const word of line.trim().split(/(?<= )/)) {
    if (measureText(word.trimEnd()) > room && current.trim() !== '') breakLine();
    for (const piece of word.split(colour)) {
      if (colour.test(piece)) current += piece;
      else for (const { segment } of graphemes.segment(piece)) add(segment);
    }
  }
  return [...lines, current.trimEnd()];

  function add(grapheme: string): void {
    const cells = measureText(grapheme);
    if (cells > room && grapheme !== ' ') breakLine();
    current += grapheme;
    room -= cells;
  }

  function breakLine(): void {
    lines.push(current.trimEnd());
    current = indent;
    room = width - indent.length;
  }
}
