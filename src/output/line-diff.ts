/** The lines in which two versions of a generated file differ, for people. */
import { sanitise } from '../terminal/sanitise.js';
import type { Theme } from './theme.js';

/** Lines around a change that are shown. */
const context = 2;

/** Returns `- old` and `+ new` lines with some of what is around them; nothing for equal texts. */
export function renderLineDiff(path: string, before: string, after: string, theme: Theme): string {
  if (before === after) return '';
  const lines = diffLines(linesOf(before), linesOf(after));
  const isNear = lines.map((_, at) =>
    lines.slice(Math.max(0, at - context), at + context + 1).some(({ sign }) => sign !== ' '),
  );
  const shown = lines.flatMap(({ sign, text }, at) => {
    if (!isNear[at]) return isNear[at - 1] ? ['  …\n'] : [];
    const line = `${sign} ${sanitise(text)}`;
    return [`${sign === '-' ? theme.bad(line) : sign === '+' ? theme.good(line) : line}\n`];
  });
  return `${theme.strong(sanitise(path))}\n${shown.join('')}`;
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

interface DiffLine {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** By the longest common subsequence; both have some hundred lines. */
function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const longest = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (row: number, column: number) => longest[row]?.[column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      const cells = longest[row] ?? new Uint32Array();
      const isSame = before[row] === after[column];
      cells[column] = isSame ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: DiffLine[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    if (row < before.length && column < after.length && before[row] === after[column]) {
      lines.push({ sign: ' ', text: before[row] ?? '' });
      row += 1;
      column += 1;
    } else if (column >= after.length || (row < before.length && at(row + 1, column) >= at(row, column + 1))) {
      lines.push({ sign: '-', text: before[row] ?? '' });
      row += 1;
    } else {
      lines.push({ sign: '+', text: after[column] ?? '' });
      column += 1;
    }
  }
  return lines;
}
