/** The members of a JSON object as the texts they were written in: digits, spelling and key order stay as they were. */
import type { JsonText } from './event.js';

/**
 * Key → text of its value. Only for a text in which `scanJson` finds no fault.
 * @returns undefined when the text is not an object
 */
export function splitMembers(text: JsonText): Map<string, JsonText> | undefined {
  const members = new Map<string, JsonText>();
  let at = skipSpace(text, 0);
  if (text[at] !== '{') return undefined;
  at = skipSpace(text, at + 1);
  while (text[at] === '"') {
    const keyEnd = endOfString(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = endOfValue(text, start);
    members.set(key, text.slice(start, end));
    at = skipSpace(text, end);
    if (text[at] !== ',') break;
    at = skipSpace(text, at + 1);
  }
  return members;
}

/**
 * The object with members added in front, where it has none of that name. A text that is no object is given back as it
 * is, for the validation to refuse.
 */
export function addMembers(text: JsonText, added: Readonly<Record<string, string>>): JsonText {
  const members = splitMembers(text);
  const missing = Object.entries(added).filter(([key]) => members !== undefined && !members.has(key));
  if (members === undefined || missing.length === 0) return text;
  const front = missing.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join();
  const rest = text.slice(text.indexOf('{') + 1);
  return members.size === 0 ? `{${front}}` : `{${front},${rest}`;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (depth === 0) return endOfWord(text, at);
    at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"' && at < text.length) at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Of a number, `true`, `false` or `null`. */
function endOfWord(text: string, start: number): number {
  let at = start;
  while (/[-+.\w]/.test(text[at] ?? '')) at += 1;
  return at;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at += 1;
  return at;
}
