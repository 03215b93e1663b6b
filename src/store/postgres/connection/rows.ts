/** Rows of raw text → what the port speaks of. */
import { EvstoreError } from '../../../domain/errors.js';
import type { RecordedEvent, StreamSummary } from '../../../domain/event.js';
import { normaliseTimestamp } from '../../../domain/timestamp.js';
import type { RawRow } from './database.js';

/** Columns as in cut-event.ts, in every statement that reads whole events. The time comes as JSON. */
export function toRecordedEvent(row: RawRow): RecordedEvent {
  return {
    globalPosition: toInteger(row[1]),
    streamId: toText(row[9]),
    version: toInteger(row[2]),
    type: toText(row[8]),
    schemaVersion: toInteger(row[3]),
    id: toText(row[0]),
    data: toText(row[6]),
    metadata: toText(row[5]),
    streamType: toText(row[7]),
    createdAt: toTimestamp(toText(row[4]).slice(1, -1)),
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

export function toText(value: string | null | undefined): string {
  if (value === null || value === undefined) throw new EvstoreError('E_CORRUPT', 'a required column is null');
  return value;
}

/** @throws E_CORRUPT above 2^53-1: a number is never rounded */
export function toInteger(value: string | null | undefined): number {
  const number = Number(toText(value));
  if (Number.isSafeInteger(number)) return number;
  throw new EvstoreError('E_CORRUPT', `${value} is beyond 2^53-1 and would be rounded`);
}

/** What has no RFC 3339 spelling (`infinity`, years before 1 or after 9999) is passed on as Postgres spells it. */
export function toTimestamp(value: string | null | undefined): string {
  const text = toText(value);
  try {
    return normaliseTimestamp(text);
  } catch (error) {
    if (error instanceof RangeError) return text;
    throw error;
  }
}

export function toOptional<T>(
  value: string | null | undefined,
  convert: (value: string | null | undefined) => T,
): T | null {
  return value === null || value === undefined ? null : convert(value);
}
