/** Rows of values → what the port speaks of. */
import { EvstoreError } from '../../../domain/errors.js';
import type { RecordedEvent, StreamSummary } from '../../../domain/event.js';
import { normaliseTimestamp } from '../../../domain/timestamp.js';
import type { RawRow, RawValue } from './database.js';

/** Column order of every statement that reads whole events. */
export function toRecordedEvent(row: RawRow): RecordedEvent {
  return {
    globalPosition: toInteger(row[0]),
    streamId: toText(row[1]),
    version: toInteger(row[2]),
    type: toText(row[3]),
    schemaVersion: toInteger(row[4]),
    id: toText(row[5]).toLowerCase(),
    data: toText(row[6]),
    metadata: toText(row[7]),
    streamType: toText(row[8]),
    createdAt: toTimestamp(row[9]),
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

export function toText(value: RawValue | undefined): string {
  if (typeof value === 'string') return value;
  throw new EvstoreError('E_CORRUPT', `a required column holds ${value === null ? 'null' : typeof value}, not text`);
}

/** @throws E_CORRUPT above 2^53-1: a number is never rounded */
export function toInteger(value: RawValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (typeof value !== 'number') {
    throw new EvstoreError(
      'E_CORRUPT',
      `a required column holds ${value === null ? 'null' : typeof value}, not a number`,
    );
  }
  throw new EvstoreError('E_CORRUPT', `${value} is beyond 2^53-1 and would be rounded`);
}

/**
 * What this store writes is cut to the digits it needs; a foreign program's spelling goes the long way, and what has no
 * RFC 3339 spelling is passed on as it stands.
 */
export function toTimestamp(value: RawValue | undefined): string {
  const text = toText(value);
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
