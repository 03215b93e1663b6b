/**
 * JSON text ↔ JavaScript values, without silent loss. A whole number that a JavaScript number would round is a BigInt:
 * arithmetic that mixes the two throws, whereas text would be joined to it.
 */
import type { JsonText } from './event.js';

/** A value that JSON cannot express. The message completes "takes …". */
export class JsonValueFault extends Error {}

/** Returns the value of a text. Whole numbers beyond 2^53-1 are BigInts. @throws SyntaxError */
export function parseJson(text: JsonText): unknown {
  const value: unknown = JSON.parse(text);
  return hasLongNumber(text)
    ? parseNumbers(text, (number) => (isBigNumber(number) ? BigInt(number) : Number(number)))
    : value;
}

/** Returns the first whole number in the text that is parsed as a BigInt, as it is written. */
export function findBigNumber(text: JsonText): string | undefined {
  return hasLongNumber(text) ? tokensOf(text).find(isBigNumber) : undefined;
}

/**
 * Returns the text of a value, BigInts as numbers; undefined for undefined, a function or a symbol.
 * @throws JsonValueFault for a value that JSON.stringify would silently change: NaN, an invalid Date, a Map
 */
export function writeJson(value: unknown): JsonText | undefined {
  return holdsBigInt(value, '', 0) ? writeExactly(value) : JSON.stringify(value);
}

const longest = 16;

/**
 * Returns true when the text has 16 digits in a row; every number beyond 2^53-1 has them. One of them is at a place that
 * is looked at, so that most texts take one look for 16 characters.
 */
function hasLongNumber(text: string): boolean {
  for (let at = longest - 1; at < text.length; at += longest) {
    if (!isDigit(text, at)) continue;
    let [from, to] = [at, at];
    while (isDigit(text, from - 1)) from -= 1;
    while (isDigit(text, to + 1)) to += 1;
    if (to - from + 1 >= longest) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function tokensOf(text: string): readonly string[] {
  return text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*|[[\]{}]|true|false|null/g) ?? [];
}

function isBigNumber(token: string): boolean {
  return /^-?[0-9]{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
}

/**
 * Returns the value of a text whose numbers are what `readNumber` makes of them as they are written.
 * @param text valid JSON
 */
export function parseNumbers(text: JsonText, readNumber: (number: string) => unknown): unknown {
  const tokens = tokensOf(text);
  let next = 0;
  return read();

  function read(): unknown {
    const token = tokens[next++] ?? '';
    if (token === '[') return readUntil(']', read);
    if (token === '{') return Object.fromEntries(readUntil('}', () => [JSON.parse(tokens[next++] ?? ''), read()]));
    return /^[-0-9]/.test(token) ? readNumber(token) : JSON.parse(token);
  }

  function readUntil<Item>(end: string, readItem: () => Item): Item[] {
    const items: Item[] = [];
    while (tokens[next] !== end) items.push(readItem());
    next += 1;
    return items;
  }
}

/** @param place of the value, for the fault @throws JsonValueFault */
function holdsBigInt(value: unknown, place: string, level: number): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value === 'number' && !Number.isFinite(value)) throw fault(String(value), place);
  if (level > 0 && (typeof value === 'function' || typeof value === 'symbol')) throw fault(`a ${typeof value}`, place);
  if (typeof value !== 'object' || value === null) return false;
  if (value instanceof Date && Number.isNaN(value.getTime())) throw fault('an invalid Date', place);
  if ('toJSON' in value) return false;
  if (level > deepest) throw fault(`more than ${deepest} levels`, '');
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (!plain.has(kind)) throw fault(`a ${kind}`, place);
  let found = false;
  for (const [key, each] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    found = holdsBigInt(each, level === 0 ? String(key) : `${place}.${key}`, level + 1) || found;
  }
  return found;
}

/** No more can be stored. */
const deepest = 128;
/** Objects whose properties are their content. */
const plain: ReadonlySet<string> = new Set(['Object', 'Array', 'Arguments', 'String', 'Number', 'Boolean']);

function fault(what: string, place: string): JsonValueFault {
  return new JsonValueFault(`a value that JSON can express, not ${what}${place === '' ? '' : ` at ${place}`}`);
}

function writeExactly(value: unknown): JsonText | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => writeExactly(each) ?? 'null').join()}]`;
  const members = Object.entries(value).flatMap(([key, each]) => {
    const text = writeExactly(each);
    return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`];
  });
  return `{${members.join()}}`;
}
