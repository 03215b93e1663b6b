/**
 * Cuts an event out of the text of its row. Every event that is read takes this path, and one text a row costs a driver far
 * less than ten values. Columns: id, position, version, schema version, time, metadata, data, stream type, type, stream.
 */
import type { RecordedEvent } from '../../domain/event.js';
import { NameCache } from './name-cache.js';

/** How an engine spells a row. */
export interface RowSpelling {
  /** Separates two fields: a control character, which JSON never contains. */
  readonly separator: string;
  readonly cutTimestamp: (text: string, from: number, to: number) => string;
  /** @throws E_CORRUPT above 2^53-1 */
  readonly toInteger: (digits: string) => number;
}

const uuidLength = 36;
/** A number with at most this many digits is not rounded. */
const safeDigits = 15;
const digit0 = 48;
const names = new NameCache();

/** Returns undefined when a name contains the separator. @param to the end of the row */
export function cutEvent(row: RowSpelling, text: string, from: number, to: number): RecordedEvent | undefined {
  const { separator } = row;
  const idEnd = from + uuidLength;
  const positionEnd = text.indexOf(separator, idEnd + 1);
  const versionEnd = text.indexOf(separator, positionEnd + 1);
  const schemaVersionEnd = text.indexOf(separator, versionEnd + 1);
  const createdAtEnd = text.indexOf(separator, schemaVersionEnd + 1);
  const metadataEnd = text.indexOf(separator, createdAtEnd + 1);
  const dataEnd = text.indexOf(separator, metadataEnd + 1);
  const streamTypeEnd = text.indexOf(separator, dataEnd + 1);
  const typeEnd = text.indexOf(separator, streamTypeEnd + 1);
  const streamId = text.slice(typeEnd + 1, to);
  if (streamId.includes(separator)) return undefined;
  return {
    globalPosition: cutInteger(row, text, idEnd + 1, positionEnd),
    streamId,
    version: cutInteger(row, text, positionEnd + 1, versionEnd),
    type: names.cut(text, streamTypeEnd + 1, typeEnd),
    schemaVersion: cutInteger(row, text, versionEnd + 1, schemaVersionEnd),
    id: text.slice(from, idEnd),
    data: text.slice(metadataEnd + 1, dataEnd),
    metadata: text.slice(createdAtEnd + 1, metadataEnd),
    streamType: names.cut(text, dataEnd + 1, streamTypeEnd),
    createdAt: row.cutTimestamp(text, schemaVersionEnd + 1, createdAtEnd),
  };
}

function cutInteger(row: RowSpelling, text: string, from: number, to: number): number {
  if (to - from > safeDigits) return row.toInteger(text.slice(from, to));
  let value = 0;
  for (let index = from; index < to; index++) value = value * 10 + text.charCodeAt(index) - digit0;
  return value;
}
