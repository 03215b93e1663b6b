/**
 * Converts values into a column and back. Each value is written in one spelling, so that a row in memory equals the row when
 * it is read back.
 */
import { normaliseDecimal } from '../../domain/decimal.js';
import { detach } from '../../domain/detach.js';
import { scanJson } from '../../domain/json.js';
import { JsonValueFault, parseJson, writeJson } from '../../domain/json-value.js';
import type { ColumnType, StoredValue } from '../../domain/read-model.js';
import { normaliseTimestamp } from '../../domain/timestamp.js';

/** A value that a column cannot hold. The message completes "column x takes …". */
export class ValueFault extends Error {}

/** A value fault that names its property. */
export class ColumnFault extends ValueFault {
  readonly property: string;

  constructor(property: string, message: string) {
    super(message);
    this.property = property;
  }
}

/** Null and undefined are stored as null. @throws ValueFault */
export function toStoredValue(type: ColumnType, value: unknown): StoredValue {
  return value === null || value === undefined ? null : writers[type](value);
}

/** Parses json, and a bigint beyond 2^53-1 as BigInt; every other value is read as it is stored. */
export function fromStoredValue(type: ColumnType, value: StoredValue): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'json') return parseJson(value);
  return type === 'bigint' ? BigInt(value) : value;
}

const writers: Readonly<Record<ColumnType, (value: unknown) => StoredValue>> = {
  text: (value) => (typeof value === 'string' ? checkText(value) : refuse('text', value)),
  integer: (value) =>
    isWholeNumber(value) && value >= -(2 ** 31) && value < 2 ** 31
      ? withoutMinusZero(value)
      : refuse('a whole number of 32 bits', value),
  bigint: (value) => {
    if (isWholeNumber(value)) return withoutMinusZero(value);
    const isText = typeof value === 'string' && /^[+-]?\d{1,40}$/.test(value);
    const whole = typeof value === 'bigint' || isText ? BigInt(value) : undefined;
    if (whole === undefined || whole !== BigInt.asIntN(64, whole)) {
      return refuse('a whole number up to 2^53-1, or a BigInt or decimal string of 64 bits', value);
    }
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : String(whole);
  },
  real: (value) =>
    typeof value === 'number' && Number.isFinite(value) ? withoutMinusZero(value) : refuse('a finite number', value),
  numeric: (value) => {
    const isDecimal = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
    // Arithmetic may have rounded it already.
    const isRounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
    if (isRounded) return refuse('a whole number beyond 2^53-1 as a BigInt or a decimal string', value);
    const decimal = isDecimal ? normaliseDecimal(String(value)) : undefined;
    return decimal === undefined ? refuse("a decimal, such as '10.50'", value) : detach(decimal);
  },
  boolean: (value) => (typeof value === 'boolean' ? value : refuse('true or false', value)),
  json: (value) => {
    const text = toJson(value);
    if (text === undefined) return refuse('a value that JSON can express', value);
    const fault = scanJson(text);
    if (fault !== undefined) throw new ValueFault(`JSON without this fault: ${fault.reason}`);
    return text === 'null' ? null : text;
  },
  timestamp: (value) => {
    try {
      if (value instanceof Date) return normaliseTimestamp(value.toISOString());
      if (typeof value === 'string') return detach(normaliseTimestamp(value));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    return refuse('a Date, or a time such as 2026-01-31T09:30:00Z', value);
  },
  uuid: (value) =>
    typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
      ? detach(value.toLowerCase())
      : refuse('a UUID', value),
};

function toJson(value: unknown): string | undefined {
  try {
    return writeJson(value);
  } catch (error) {
    throw error instanceof JsonValueFault ? new ValueFault(error.message) : error;
  }
}

/** Every engine refuses what Postgres refuses. */
function checkText(text: string): string {
  if (text.includes('\0')) throw new ValueFault('text without the character U+0000');
  if (/\p{Surrogate}/u.test(text)) throw new ValueFault('Unicode text, not half of a surrogate pair');
  return detach(text);
}

function isWholeNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

/** Because SQLite reads -0 back as 0. */
function withoutMinusZero(value: number): number {
  return value === 0 ? 0 : value;
}

function refuse(wanted: string, value: unknown): never {
  throw new ValueFault(`${wanted}, not ${describeValue(value)}`);
}

/** Returns true for what an async function returns. That it rejects, too, is then no error of its own. */
export function isPromise(value: unknown): boolean {
  if (value instanceof Promise) value.catch(() => {});
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Describes a value and its type in a few characters. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (isPromise(value)) return 'a promise: it cannot be async';
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : `the ${typeof value} ${String(value)}`;
}
