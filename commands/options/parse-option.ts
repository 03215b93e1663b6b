/** Texts of the command line as values. Each throws E_USAGE with what was expected. */
import { EvstoreError } from '../../src/domain/errors.js';
import type { ExpectedVersion } from '../../src/domain/event.js';
import { parseDuration } from '../../src/domain/timestamp.js';
import { isUuid } from '../../src/domain/uuid.js';

/** A whole number from `minimum` to `maximum`, by default 2^53-1. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
    const range = maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new EvstoreError('E_USAGE', `'${text}' is not a whole number ${range}`);
  };
}

/** Milliseconds. */
export function duration(text: string): number {
  return parseDuration(text);
}

/** Milliseconds, within a range that is written as durations are: `100ms`, `10m`. */
export function durationBetween(shortest: string, longest: string): (text: string) => number {
  return (text) => {
    const value = /^[\d.]+[a-z]+$/.test(text) ? parseDuration(text) : Number.NaN;
    if (value >= parseDuration(shortest) && value <= parseDuration(longest)) return value;
    throw new EvstoreError('E_USAGE', `'${text}' is not a duration from ${shortest} to ${longest}`);
  };
}

/** `A,B` → `['A', 'B']`. */
export function nameList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new EvstoreError('E_USAGE', `'${text}' is not a list of names such as A,B`);
  return names;
}

export function oneOf<Choice extends string>(...choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new EvstoreError('E_USAGE', `'${text}' is not one of ${choices.join(', ')}`);
    return found;
  };
}

export function expectedVersion(text: string): ExpectedVersion {
  if (text === 'any' || text === 'none' || text === 'exists') return text;
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new EvstoreError('E_USAGE', `'${text}' is not an expected version`, {
    why: 'It is a version (0 = the stream is new), any, none or exists.',
  });
}

/** Lower case. */
export function uuid(text: string): string {
  if (!isUuid(text)) throw new EvstoreError('E_USAGE', `'${text}' is not a UUID`);
  return text.toLowerCase();
}

/** A number of events, or `all`. */
export function parseSample(text: string): number | 'all' {
  return text === 'all' ? text : wholeNumber(1)(text);
}
