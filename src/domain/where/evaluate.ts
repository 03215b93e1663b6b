/** Decides whether a condition holds. This is what a condition means; a database may only help to find candidates. */
import { compareDecimals } from '../decimal.js';
import type { Condition, Found, Literal, Operator, Place } from './condition.js';

/**
 * A value equals, precedes or follows only values of its own type: numbers as decimals, texts by code points. Nothing is
 * equal to no value, so a comparison with it is false, and its `not` true.
 * @param find returns what is at a place
 */
export function holds(condition: Condition, find: (place: Place) => Found): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.terms.every((term) => holds(term, find));
    case 'or':
      return condition.terms.some((term) => holds(term, find));
    case 'not':
      return !holds(condition.term, find);
    case 'compare':
      return isOrdered(compare(find(condition.place), condition.value), condition.operator);
    case 'in': {
      const found = find(condition.place);
      return condition.values.some((value) => compare(found, value) === 0);
    }
    case 'like': {
      const found = find(condition.place);
      return found?.type === 'string' && isLike(found.text, condition.pattern);
    }
    case 'exists':
      return find(condition.place) !== undefined;
  }
}

/** Returns less than, equal to or more than 0; undefined when the two have no order. */
function compare(found: Found, value: Literal): number | undefined {
  if (found?.type === 'number' && value.type === 'number') return compareDecimals(found.text, value.text);
  if (found?.type === 'string' && value.type === 'string') return compareTexts(found.text, value.text);
  if (found?.type === 'boolean' && value.type === 'boolean') return found.value === value.value ? 0 : undefined;
  return found?.type === 'null' && value.type === 'null' ? 0 : undefined;
}

function isOrdered(order: number | undefined, operator: Operator): boolean {
  if (order === undefined) return false;
  switch (operator) {
    case '=':
      return order === 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/**
 * By code points, as both engines sort bytes; JavaScript sorts UTF-16 units. Half of a surrogate pair, which only an escape in
 * JSON can write and no engine can decode, sorts as a pair that begins with it: after all other characters of its length.
 */
export function compareTexts(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at += 1) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (a === b) continue;
    // The halves of pairs stand for code points above all others.
    const isPair = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
    return isPair(a) === isPair(b) ? a - b : isPair(a) ? 1 : -1;
  }
  return one.length - other.length;
}

/** Linear but for the characters that `%` may stand for: it goes back to the last one only. */
function isLike(text: string, pattern: string): boolean {
  const letters = [...text];
  const signs = parsePattern(pattern);
  let [at, sign] = [0, 0];
  let retry: { readonly sign: number; at: number } | undefined;
  while (at < letters.length) {
    const wanted = signs[sign];
    if (wanted === any) {
      retry = { sign, at };
      sign += 1;
    } else if (wanted !== undefined && (wanted === one || wanted === letters[at])) {
      at += 1;
      sign += 1;
    } else if (retry !== undefined) {
      retry.at += 1;
      at = retry.at;
      sign = retry.sign + 1;
    } else return false;
  }
  return signs.slice(sign).every((rest) => rest === any);
}

const any = Symbol('any characters');
const one = Symbol('one character');

function parsePattern(pattern: string): readonly (string | typeof any | typeof one)[] {
  const signs: (string | typeof any | typeof one)[] = [];
  for (const [token] of pattern.matchAll(/\\.|./gsu)) {
    if (token === '%') signs.push(any);
    else if (token === '_') signs.push(one);
    else signs.push(token.length > 1 && token.startsWith('\\') ? token.slice(1) : token);
  }
  return signs;
}
