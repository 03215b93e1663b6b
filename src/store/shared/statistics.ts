/** Rows of the statistics statements of either engine. */

import type { SampledEvent, TypeSpan } from '../store.js';
import type { RawValue } from './rows.js';
import { toInteger, toText, toTimestamp } from './rows.js';

type Row = readonly (RawValue | undefined)[];

export function toTypeSpan(row: Row): TypeSpan {
  return {
    type: toText(row[0]),
    firstPosition: toInteger(row[1]),
    firstAt: toTimestamp(row[2]),
    lastPosition: toInteger(row[3]),
    lastAt: toTimestamp(row[4]),
  };
}

export function toSampledEvent(row: Row): SampledEvent {
  return {
    globalPosition: toInteger(row[0]),
    streamId: toText(row[1]),
    version: toInteger(row[2]),
    type: toText(row[3]),
    schemaVersion: toInteger(row[4]),
    createdAt: toTimestamp(row[5]),
    bytes: toInteger(row[6]),
  };
}
