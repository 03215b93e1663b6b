/** JSON as text: checks that it can be stored, and compares two texts by value. */
import type { JsonText } from './event.js';
import { JsonScanner, ScanFault } from './json-scanner.js';

/** Why a JSON text cannot be stored, and where the fault is. */
export interface JsonFault {
  /** Characters (UTF-16 units) before the fault. */
  readonly offset: number;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly reason: string;
}

/**
 * Returns undefined when every store preserves the value of the text. Refused are: text that RFC 8259 does not allow,
 * `\u0000`, lone surrogates, duplicate keys, numbers outside the range of an exact decimal, more than 128 levels.
 */
export function scanJson(text: string): JsonFault | undefined {
  return scan(text, new JsonScanner(text));
}

/** Like `scanJson`. Puts the members of the outermost object, if it is one, into `members`, as they were written. */
export function scanMembers(text: string, members: Map<string, JsonText>): JsonFault | undefined {
  return scan(text, new JsonScanner(text, members));
}

function scan(text: string, scanner: JsonScanner): JsonFault | undefined {
  try {
    scanner.scan();
    return undefined;
  } catch (error) {
    if (!(error instanceof ScanFault)) throw error;
    const before = text.slice(0, error.offset);
    const line = before.split('\n').length;
    return { offset: error.offset, line, column: error.offset - before.lastIndexOf('\n'), reason: error.message };
  }
}

/**
 * Returns whether two texts have the same JSON value: numbers as decimals (`1.0` = `1e0`, every digit of a big integer counts),
 * keys in any order. A text that cannot be stored equals only itself.
 */
export function jsonEquals(a: JsonText, b: JsonText): boolean {
  if (a === b) return true;
  if (scanJson(a) !== undefined || scanJson(b) !== undefined) return false;
  return canonicalJson(a) === canonicalJson(b);
}

interface Frame {
  readonly isObject: boolean;
  readonly parts: string[];
  key: string;
}

/** Returns one spelling of a value that `scanJson` accepts: keys sorted, no white space, numbers as digits and exponent. */
export function canonicalJson(text: JsonText): string {
  const frames: Frame[] = [{ isObject: false, parts: [], key: '' }];
  let frame = frames[0] as Frame;
  let isKey = false;
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*|[[\]{},:]|true|false|null/g)) {
    if (token === '{' || token === '[') {
      frame = { isObject: token === '{', parts: [], key: '' };
      frames.push(frame);
      isKey = frame.isObject;
    } else if (token === '}' || token === ']') {
      frames.pop();
      const closed = frame.isObject ? `{${frame.parts.sort().join()}}` : `[${frame.parts.join()}]`;
      frame = frames.at(-1) as Frame;
      frame.parts.push(frame.key + closed);
    } else if (token === ',') {
      isKey = frame.isObject;
    } else if (isKey) {
      frame.key = `${canonicalScalar(token)}:`;
      isKey = false;
    } else if (token !== ':') {
      frame.parts.push(frame.key + canonicalScalar(token));
    }
  }
  return frame.parts.join();
}

function canonicalScalar(token: string): string {
  if (token.startsWith('"')) return token.includes('\\') ? JSON.stringify(JSON.parse(token)) : token;
  return /^[-0-9]/.test(token) ? canonicalNumber(token) : token;
}

/** Returns sign, digits without zeros at either end, and exponent: `-1.50` → `-15e-1`. */
export function canonicalNumber(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(token) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
