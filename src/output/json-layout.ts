/** Lays out JSON for people: one member a line. Numbers and strings stay as they are written. */
import type { JsonText } from '../domain/event.js';

const step = '  ';
/** A string, a run of other characters that stay together, or one sign. Blanks between them are dropped. */
const tokens = /"(?:[^"\\]|\\.)*"|[^\s"{}[\],:]+|[{}[\],:]/g;

/** @param text valid JSON. @returns lines, the first of which is not indented. */
export function layOutJson(text: JsonText): readonly string[] {
  const lines: string[] = [];
  let line = '';
  let depth = 0;
  const breakLine = () => {
    lines.push(line);
    line = step.repeat(depth);
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
      breakLine();
      line += token;
    } else if (token === ',') {
      line += token;
      breakLine();
    } else line += token === ':' ? ': ' : token;
  }
  return [...lines, line];
}
