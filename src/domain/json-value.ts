/**
 * JSON text ↔ JavaScript values, without silent loss. A whole number that a JavaScript number would round is a BigInt:
 * arithmetic that mixes the two throws, whereas text would be joined to it.
 */
import type { JsonText } from './event.js';
import { canonicalNumber } from './json.js';

/** A value that JSON cannot express. The message completes "takes …". */
export class JsonValueFault extends Error {}

/** A number in a text that is none of JavaScript's. */
export class RoundedNumber extends Error {
  constructor(token: string) {
    super(`the number ${token} has more digits than a JavaScript number keeps, which would be ${Number(token)}`);
    this.name = 'RoundedNumber';
  }
}

/**
 * Returns the value of a text. Whole numbers beyond 2^53-1 are BigInts.
 * @param rounds takes the nearest number for a fraction of more digits
 * @throws SyntaxError, and RoundedNumber for such a fraction
 */
export function parseJson(text: JsonText, rounds = false): unknown {
  const value: unknown = JSON.parse(text);
  if (!hasLongNumber(text)) return value;
  const numbers = tokensOf(text).filter((token) => token.length >= longest && /^[-0-9]/.test(token));
  const rounded = rounds ? undefined : numbers.find((number) => !isBigNumber(number) && isRounded(number));
  if (rounded !== undefined) throw new RoundedNumber(rounded);
  if (!numbers.some(isBigNumber)) return value;
  return parseNumbers(text, (number) => (isBigNumber(number) ? BigInt(number) : Number(number)));
}

/** Returns the first whole number in the text that is parsed as a BigInt, as it is written. */
export function findBigNumber(text: JsonText): string | undefined {
  return hasLongNumber(text) ? tokensOf(text).find(isBigNumber) : undefined;
}

/**
 * Returns the text of a value, BigInts as numbers; undefined for undefined, a function or a symbol.
 * @throws JsonValueFault for a value that JSON.stringify would silently change: NaN, an invalid Date, a Map, undefined in
 * an array
 */
export function writeJson(value: unknown): JsonText | undefined {
  return holdsBigInt(value, '', 0) ? writeExactly(value) : JSON.stringify(value);
}

const longest = 16;

/**
 * Returns true when the text has 16 digits in a row, with or without a point: every number that a JavaScript number may
 * round has them. One of them is at a place that is looked at, so that most texts take one look for 16 characters.
 */
function hasLongNumber(text: string): boolean {
  for (let at = longest - 1; at < text.length; at += longest) {
    if (!isDigitOrPoint(text, at)) continue;
    let [from, to] = [at, at];
    while (isDigitOrPoint(text, from - 1)) from -= 1;
    while (isDigitOrPoint(text, to + 1)) to += 1;
    if (to - from + 1 >= longest) return true;
  }
  return false;
}

function isDigitOrPoint(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 48 && code <= 57) || code === 46;
}

function tokensOf(text: string): readonly string[] {
  return text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*|[[\]{}]|true|false|null/g) ?? [];
}

function isBigNumber(token: string): boolean {
  return /^-?[0-9]{16,}$/.test(token) && !Number.isSafeInteger(Number(token));
}

/**
 * Returns true for a number whose digits are not those of the nearest JavaScript number. A fraction that a program printed
 * from a double, with as many digits as it liked, is that double.
 */
function isRounded(token: string): boolean {
  const written = decimalOf(token);
  if (String(written.digits).replace('-', '').length < longest) return false;
  if (!Number.isFinite(Number(token))) return true;
  const double = decimalOf(Number(token).toPrecision(100));
  const exponent = Math.min(written.exponent, double.exponent);
  const scaled = ({ digits, exponent: own }: Decimal) => digits * 10n ** BigInt(own - exponent);
  const difference = scaled(written) - scaled(double);
  // Programs differ in how they round at the last digit.
  return 2n * (difference < 0n ? -difference : difference) > scaled({ digits: 1n, exponent: written.exponent });
}

interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

function decimalOf(token: string): Decimal {
  const [digits = '0', exponent = '0'] = canonicalNumber(token).split('e');
  return { digits: BigInt(digits), exponent: Number(exponent) };
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
  if (level > deepest) throw fault(`more than ${deepest} levels`, '');
  if (hasToJson(value)) return holdsBigInt(value.toJSON(''), place, level + 1);
  const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (!plain.has(kind)) throw fault(`a ${kind}`, place);
  let found = false;
  const isList = Array.isArray(value);
  for (const [key, each] of isList ? value.entries() : Object.entries(value)) {
    if (isList && each === undefined) throw fault('undefined', level === 0 ? String(key) : `${place}.${key}`);
    found = holdsBigInt(each, level === 0 ? String(key) : `${place}.${key}`, level + 1) || found;
  }
  return found;
}

/** No more can be stored. */
const deepest = 128;
/** Objects whose properties are their content. */
const plain: ReadonlySet<string> = new Set(['Object', 'Array', 'Arguments', 'String', 'Number', 'Boolean']);

function hasToJson(value: object): value is { toJSON(key: string): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function fault(what: string, place: string): JsonValueFault {
  return new JsonValueFault(`a value that JSON can express, not ${what}${place === '' ? '' : ` at ${place}`}`);
}

function writeExactly(value: unknown): JsonText | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (hasToJson(value)) return writeExactly(value.toJSON(''));
  if (Array.isArray(value)) return `[${value.map((each) => writeExactly(each) ?? 'null').join()}]`;
  const members = Object.entries(value).flatMap(([key, each]) => {
    const text = writeExactly(each);
    return text === undefined ? [] : [`${JSON.stringify(key)}:${text}`];
  });
  return `{${members.join()}}`;
}
