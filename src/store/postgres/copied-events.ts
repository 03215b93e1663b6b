/** Lines of COPY's text format, with the columns of rows.ts, → events. */
import type { RecordedEvent } from '../../domain/event.js';
import { splitLine } from './copy-text.js';
import { NameCache } from './name-cache.js';
import { toInteger, toRecordedEvent, toTimestamp } from './rows.js';

const uuidLength = 36;
/** A number of so few digits is not rounded. */
const safeDigits = 15;
const [digit0, digit9, letterT] = [48, 57, 84];

const names = new NameCache();

/**
 * Each field is cut where it stands, because this is done for every event that anybody reads. A line with a backslash
 * holds something that COPY spells otherwise, and goes the long way.
 * @param lines whole ones, ends included
 */
export function addCopiedEvents(lines: string, events: RecordedEvent[]): void {
  let backslash = lines.indexOf('\\');
  for (let start = 0, end = 0; start < lines.length; start = end + 1) {
    const idEnd = start + uuidLength;
    const positionEnd = lines.indexOf('\t', idEnd + 1);
    const versionEnd = lines.indexOf('\t', positionEnd + 1);
    const schemaVersionEnd = lines.indexOf('\t', versionEnd + 1);
    const typeEnd = lines.indexOf('\t', schemaVersionEnd + 1);
    const streamTypeEnd = lines.indexOf('\t', typeEnd + 1);
    const streamIdEnd = lines.indexOf('\t', streamTypeEnd + 1);
    const createdAtEnd = lines.indexOf('\t', streamIdEnd + 1);
    const metadataEnd = lines.indexOf('\t', createdAtEnd + 1);
    end = lines.indexOf('\n', metadataEnd + 1);
    if (backslash !== -1 && backslash < end) {
      events.push(toRecordedEvent(splitLine(lines.slice(start, end))));
      backslash = lines.indexOf('\\', end);
      continue;
    }
    events.push({
      globalPosition: cutInteger(lines, idEnd + 1, positionEnd),
      streamId: lines.slice(streamTypeEnd + 1, streamIdEnd),
      version: cutInteger(lines, positionEnd + 1, versionEnd),
      type: names.cut(lines, schemaVersionEnd + 1, typeEnd),
      schemaVersion: cutInteger(lines, versionEnd + 1, schemaVersionEnd),
      id: lines.slice(start, idEnd),
      data: lines.slice(metadataEnd + 1, end),
      metadata: lines.slice(createdAtEnd + 1, metadataEnd),
      streamType: names.cut(lines, typeEnd + 1, streamTypeEnd),
      createdAt: cutTimestamp(lines, streamIdEnd + 2, createdAtEnd - 1),
    });
  }
}

function cutInteger(text: string, from: number, to: number): number {
  if (to - from > safeDigits) return toInteger(text.slice(from, to));
  let value = 0;
  for (let index = from; index < to; index++) value = value * 10 + text.charCodeAt(index) - digit0;
  return value;
}

/** `2026-01-31T09:30:00` and the digits of a second that are not 0 at its end; other spellings go the long way. */
function cutTimestamp(text: string, from: number, to: number): string {
  const last = text.charCodeAt(to - 1);
  const digits = to - from - '2026-01-31T09:30:00.'.length;
  if (text.charCodeAt(from + 10) !== letterT || last < digit0 || last > digit9)
    return toTimestamp(text.slice(from, to));
  if (digits === 3 || digits === 6) return `${text.slice(from, to)}Z`;
  if (digits < 0) return `${text.slice(from, to)}.000Z`;
  return `${text.slice(from, to)}${'0'.repeat(digits < 3 ? 3 - digits : 6 - digits)}Z`;
}
