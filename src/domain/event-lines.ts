/** Events as lines of NDJSON, as `export` prints them. Data and metadata are passed through as text, never parsed. */
import type { RecordedEvent } from './event.js';
import { quoteJson, sanitiseJson } from './safe-json.js';

const [tab, newline, carriageReturn, del] = [9, 10, 13, 127];
/** The free bytes of UTF-8 below which a buffer counts as full, so that no line is cut. */
const longestCharacter = 4;

/** Renders an event without the line break. */
export function renderEventLine(event: RecordedEvent): string {
  return sanitiseJson(spellEvent(event));
}

/** Renders events, each with its line break. */
export function renderEventLines(events: readonly RecordedEvent[]): Uint8Array {
  return packLines(events.map(spellEvent));
}

/**
 * Makes each line safe to print and ends it with a line break. Most lines need nothing, and comparing bytes with
 * characters tells that fast: a text with as many bytes as characters is ASCII.
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

/** Contains control characters only where JSON allows them. */
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
