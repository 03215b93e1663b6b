/** Finds what is at a place in a JSON text, numbers with every digit. */
import { EvstoreError } from '../errors.js';
import type { JsonText } from '../event.js';
import { parseNumbers } from '../json-value.js';
import type { Found, Place } from './condition.js';

/** A parsed text, in which several places can be looked up. */
export type Lookup = (path: Place['path']) => Found;

/**
 * @param text valid JSON; of two equal keys the last counts
 * @returns a lookup that parses the text when it is first used
 */
export function lookupIn(text: JsonText): Lookup {
  let value: unknown;
  let isParsed = false;
  return (path) => {
    if (!isParsed) {
      value = hasInexactNumber(text) ? parseDigits(text) : JSON.parse(text);
      isParsed = true;
    }
    let found = value;
    for (const step of path) found = memberOf(found, step);
    return toFound(found);
  };
}

/**
 * Returns the texts of the values at places, numbers as they are written; undefined where there is nothing.
 * @param text valid JSON
 */
export function selectJson(text: JsonText, path: Place['path']): JsonText | undefined {
  if (path.length === 0) return text;
  let found = parseDigits(text);
  for (const step of path) found = memberOf(found, step);
  return found === undefined ? undefined : unlessTooDeep(() => writeDigits(found));
}

function parseDigits(text: JsonText): unknown {
  return unlessTooDeep(() => parseNumbers(text, (number) => new Digits(number)));
}

/** Other programs can write payloads that are nested deeper than the stack of this one. */
function unlessTooDeep<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new EvstoreError('E_CORRUPT', 'an event is nested too deeply to look for a value in it', {
      why: 'evstore stores at most 128 levels, so another program wrote it. It can be read as a whole.',
      next: 'evstore verify',
      cause: error,
    });
  }
}

function writeDigits(value: unknown): JsonText {
  if (value instanceof Digits) return value.text;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writeDigits).join()}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}:${writeDigits(each)}`)
    .join()}}`;
}

/** A number as written. */
class Digits {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function memberOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Digits) return undefined;
  if (Array.isArray(value)) return typeof step === 'number' ? value[step] : undefined;
  return typeof step === 'string' && Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
}

function toFound(value: unknown): Found {
  if (value === undefined) return undefined;
  if (value === null) return { type: 'null' };
  if (typeof value === 'number') return { type: 'number', text: String(value) };
  if (typeof value === 'string') return { type: 'string', text: value };
  if (typeof value === 'boolean') return { type: 'boolean', value };
  return value instanceof Digits ? { type: 'number', text: value.text } : { type: 'container' };
}

/**
 * Up to 15 digits, a number of JavaScript tells all decimals apart, and with an exponent of two digits. Ids in
 * strings look like that at times: then the slower way gives the same.
 */
function hasInexactNumber(text: JsonText): boolean {
  return /[\d.]{16}|\d[eE][+-]?\d{3}/.test(text);
}
