/** Converts the values of a row. Each statement lists its columns in the order read here. */
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent, StreamSummary } from '../../domain/event.js';
import { normaliseTimestamp } from '../../domain/timestamp.js';

/** A value as a driver returns it: Postgres sends every value as text, SQLite what it stores. */
export type RawValue = string | number | Buffer | null;
export type RawRow = readonly RawValue[];

/** Columns as in cut-event.ts. */
export function toRecordedEvent(row: RawRow): RecordedEvent {
  return {
    globalPosition: toInteger(row[1]),
    streamId: toText(row[9]),
    version: toInteger(row[2]),
    type: toText(row[8]),
    schemaVersion: toInteger(row[3]),
    id: toText(row[0]).toLowerCase(),
    data: toText(row[6]),
    metadata: toText(row[5]),
    streamType: toText(row[7]),
    createdAt: toTimestamp(row[4]),
  };
}

export function toStreamSummary(row: RawRow): StreamSummary {
  return {
    streamId: toText(row[0]),
    streamType: toText(row[1]),
    events: toInteger(row[2]),
    firstAt: toTimestamp(row[3]),
    lastAt: toTimestamp(row[4]),
    lastPosition: toInteger(row[5]),
  };
}

/** @throws E_CORRUPT for anything but text */
export function toText(value: RawValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new EvstoreError('E_CORRUPT', `a required column holds ${kindOf(value)}, not text`);
}

/**
 * Never rounds.
 * @throws E_CORRUPT for anything but a whole number up to 2^53-1
 */
export function toInteger(value: RawValue | undefined): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  if (typeof number === 'number' && !Number.isNaN(number)) {
    throw new EvstoreError('E_CORRUPT', `${value} is beyond 2^53-1 and would be rounded`);
  }
  throw new EvstoreError('E_CORRUPT', `a required column holds ${kindOf(value)}, not a number`);
}

/** @throws E_CORRUPT for anything but the truth value of an engine */
export function toBoolean(value: RawValue | undefined): boolean {
  if (value === 't' || value === 1) return true;
  if (value === 'f' || value === 0) return false;
  throw new EvstoreError('E_CORRUPT', `a required column holds ${kindOf(value)}, not true or false`);
}

/** As `toInteger`, but returns a text of digits beyond 2^53-1 unchanged. */
export function toBigInteger(value: RawValue | undefined): number | string {
  const isBig = typeof value === 'string' && /^-?\d{16,19}$/.test(value) && !Number.isSafeInteger(Number(value));
  return isBig ? value : toInteger(value);
}

/**
 * Takes the spelling of either engine, in JSON quotes or without. Returns a time without an RFC 3339 spelling
 * (`infinity`, years before 1 or after 9999) unchanged.
 */
export function toTimestamp(value: RawValue | undefined): string {
  const given = toText(value);
  const text = given.startsWith('"') ? given.slice(1, -1) : given;
  // As SQLite stores times: no need to parse.
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(text)) {
    return text.endsWith('000Z') ? `${text.slice(0, 23)}Z` : text;
  }
  try {
    return normaliseTimestamp(text);
  } catch (error) {
    if (error instanceof RangeError) return text;
    throw error;
  }
}

export function toOptional<T>(value: RawValue | undefined, convert: (value: RawValue | undefined) => T): T | null {
  return value === null || value === undefined ? null : convert(value);
}

/** @throws E_CORRUPT for a text that is none of `known` */
export function toOneOf<T extends string>(known: readonly T[], value: RawValue | undefined, what: string): T {
  const found = known.find((each) => each === value);
  if (found !== undefined) return found;
  throw new EvstoreError('E_CORRUPT', `unknown ${what} in the store: ${value}`);
}

function kindOf(value: RawValue | undefined): string {
  if (value === null || value === undefined) return 'null';
  return typeof value === 'object' ? 'bytes' : typeof value;
}
