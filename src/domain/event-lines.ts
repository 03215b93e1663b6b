/** Events as lines of NDJSON, as `export` prints them. Data and metadata are passed through as text, never parsed. */
import type { RecordedEvent } from './event.js';
import { quoteJson, sanitiseJson } from './safe-json.js';

const [tab, newline, carriageReturn, del] = [9, 10, 13, 127];
/** In UTF-8. With so much room left, a line that does not fit is not taken for one that does. */
const longestCharacter = 4;

/** Without the line break. */
export function renderEventLine(event: RecordedEvent): string {
  return sanitiseJson(spellEvent(event));
}

/** With their line breaks. */
export function renderEventLines(events: readonly RecordedEvent[]): Uint8Array {
  return packLines(events.map(spellEvent));
}

/**
 * Each made safe to print and ended by a line break. Most need nothing, which their bytes tell in a fraction of the time
 * that looking at each takes: a text of as many bytes as characters is ASCII.
 * @param lines of JSON
 */
export function packLines(lines: readonly string[]): Uint8Array {
  let length = lines.length;
  for (const line of lines) length += line.length;
  const bytes = Buffer.allocUnsafe(length + longestCharacter);
  let used = 0;
  for (const line of lines) {
    if (line.includes('\n') || bytes.write(line, used) !== line.length) return packEach(lines);
    used += line.length;
    bytes[used] = newline;
    used += 1;
  }
  const packed = bytes.subarray(0, length);
  return [tab, carriageReturn, del].some((byte) => packed.includes(byte)) ? packEach(lines) : packed;
}

function packEach(lines: readonly string[]): Uint8Array {
  return Buffer.from(lines.map((line) => `${sanitiseJson(line)}\n`).join(''));
}

/** Control characters stand in it only where JSON has them. */
function spellEvent(event: RecordedEvent): string {
  return (
    `{"globalPosition":${event.globalPosition},"streamId":${quote(event.streamId)},"version":${event.version},` +
    `"type":${quote(event.type)},"schemaVersion":${event.schemaVersion},"id":"${event.id}",` +
    `"data":${event.data},"metadata":${event.metadata},` +
    `"streamType":${quote(event.streamType)},"createdAt":${quote(event.createdAt)}}`
  );
}

function quote(text: string): string {
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : quoteJson(text);
}
