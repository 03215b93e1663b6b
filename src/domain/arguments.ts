/**
 * Checks the arguments of the library before a statement is made from them, so that both engines refuse the same values
 * with the same error. Each member is read once: a getter or a proxy cannot change it after the check.
 */
import { type ErrorFacts, EvstoreError, isEvstoreError } from './errors.js';
import type { ExpectedVersion, JsonText } from './event.js';
import { JsonValueFault, writeJson } from './json-value.js';
import { normaliseTimestamp } from './timestamp.js';
import type { Condition } from './where/condition.js';
import { parseEventCondition } from './where/event.js';

/**
 * Returns the value, with its type.
 * @param name how errors name the argument
 * @throws E_INVALID_INPUT
 */
export type Check<Value> = (value: unknown, name: string) => Value;

type Checks = Readonly<Record<string, Check<unknown>>>;
type Checked<Of extends Checks> = { -readonly [Name in keyof Of]?: ReturnType<Of[Name]> };

/**
 * Returns the members that are not undefined.
 * @param prefix what errors put before the name of a member
 * @param ignored members that may be there and have no effect
 */
export function checkMembers<Of extends Checks>(
  value: unknown,
  name: string,
  checks: Of,
  { prefix = '', ignored = [] }: { readonly prefix?: string; readonly ignored?: readonly string[] } = {},
): Checked<Of> {
  const members = readable(name, () => {
    const object = checkObject(value, name);
    const unknown = Object.keys(object).filter((key) => !Object.hasOwn(checks, key) && !ignored.includes(key));
    return {
      given: Object.keys(checks).map((key) => [key, object[key]] as const),
      unknown: unknown.find((key) => object[key] !== undefined),
    };
  });
  if (members.unknown !== undefined) {
    throw invalid(`${name} has an unknown member '${members.unknown}'`, {
      why: `Known are: ${Object.keys(checks).join(', ')}.`,
    });
  }
  const given = members.given.filter(([, member]) => member !== undefined);
  return Object.fromEntries(given.map(([key, member]) => [key, checks[key]?.(member, prefix + key)])) as Checked<Of>;
}

/** Any object but an array. */
export function checkObject(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${name} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

/** A string that both engines can hold. */
export function checkText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalid(`${name} is not a string`);
  if (value.includes('\0')) throw invalid(`${name} contains the character U+0000`);
  if (/\p{Surrogate}/u.test(value)) throw invalid(`${name} contains half of a surrogate pair`);
  return value;
}

export function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw invalid(`${name} is not true or false`);
  return value;
}

export function checkOneOf<Value extends string>(...values: readonly Value[]): Check<Value> {
  return (value, name) => {
    const found = values.find((each) => each === value);
    if (found === undefined) throw invalid(`${name} is not ${values.join(' or ')}`);
    return found;
  };
}

export function checkWholeNumber(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Check<number> {
  return (value, name) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
    throw invalid(`${name} is not a whole number from ${minimum}`, {
      why: maximum === Number.MAX_SAFE_INTEGER ? undefined : `It is at most ${maximum}.`,
    });
  };
}

/** Returns whether the value is an array, where one is not required. */
export function isList(value: unknown, name: string): boolean {
  return readable(name, () => Array.isArray(value));
}

export function checkList<Value>(check: Check<Value>): Check<readonly Value[]> {
  return (value, name) => {
    const items = readable(name, () => (Array.isArray(value) ? [...(value as readonly unknown[])] : undefined));
    if (items === undefined) throw invalid(`${name} is not an array`);
    return items.map((item, index) => check(item, `${name}[${index}]`));
  };
}

/** A Date, RFC 3339 (UTC if it has no zone), or a date such as 2026-01-31 (midnight UTC); returned as RFC 3339 in UTC. */
export function checkTime(value: unknown, name: string): string {
  try {
    const text = isDate(value) ? value.toISOString() : value;
    if (typeof text === 'string') {
      return normaliseTimestamp(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw invalid(`${name} is not a time`, { why: 'It is a Date, or a text such as 2026-01-31T09:30:00Z.' });
}

export function checkExpectedVersion(value: unknown, name: string): ExpectedVersion {
  if (value === 'any' || value === 'none' || value === 'exists') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(`${name} is not an expected version`, {
    why: 'It is a whole number from 0 (0 = the stream is new), any, none or exists.',
  });
}

export function checkSignal(value: unknown, name: string): AbortSignal {
  const isSignal = readable(name, () => value instanceof AbortSignal);
  if (!isSignal) throw invalid(`${name} is not an AbortSignal`);
  return value as AbortSignal;
}

/** Any value that JSON can hold without loss; returned as JSON. */
export function checkJson(value: unknown, name: string): JsonText {
  let text: string | undefined;
  try {
    text = writeJson(value);
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0] : undefined;
    const why = error instanceof JsonValueFault ? `It takes ${message}.` : message && `${message}.`;
    throw invalid(`${name} cannot be written as JSON`, { why, cause: error });
  }
  if (text === undefined) throw invalid(`${name} is not a JSON value`);
  return text;
}

/** Also of another realm. */
function isDate(value: unknown): value is Date {
  try {
    Date.prototype.getTime.call(value);
    return true;
  } catch {
    return false;
  }
}

/** A getter or a proxy may throw anything. */
function readable<Value>(name: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof EvstoreError) throw error;
    throw invalid(`${name} cannot be read`, { cause: error });
  }
}

function invalid(what: string, facts: ErrorFacts = {}): EvstoreError {
  return new EvstoreError('E_INVALID_INPUT', what, facts);
}

/** A condition as after `--where`. */
export function checkCondition(value: unknown, name: string): Condition {
  const text = checkText(value, name);
  try {
    return parseEventCondition(text, new Date());
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    const { message, why, details } = error;
    throw new EvstoreError('E_INVALID_INPUT', `${name}: ${message}`, { why, details, cause: error });
  }
}
