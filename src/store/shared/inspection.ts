/** Converts the rows of an inspection of the log. */
import type { Break, Inspection } from '../store.js';
import { type RawRow, toInteger, toOneOf, toOptional, toText } from './rows.js';

/**
 * Columns as in inspect-slice.sql and inspect-breaks.sql.
 * @param to where the last slice ends
 */
export function toInspection(to: number, slice: RawRow, breaks: readonly RawRow[]): Inspection {
  return {
    upTo: toInteger(slice[0]),
    to,
    events: toInteger(slice[1]),
    oversized: { events: toInteger(slice[2]), first: toOptional(slice[3], toInteger) },
    uncorrelated: { events: toInteger(slice[4]), first: toOptional(slice[5], toInteger) },
    breaks: breaks.map(toBreak),
  };
}

function toBreak(row: RawRow): Break {
  return {
    kind: toOneOf(['missing-version', 'wrong-order', 'duplicate-version', 'duplicate-id'], row[0], 'kind of break'),
    streamId: toText(row[1]),
    version: toInteger(row[2]),
    globalPosition: toInteger(row[3]),
    id: toText(row[4]),
    other: toOptional(row[5], toInteger),
  };
}
