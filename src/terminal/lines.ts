/** Splits bytes into lines of text: strict UTF-8, bounded memory, and the place of each fault. */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { maxPayloadBytes } from '../domain/limits.js';

export interface Line {
  readonly text: string;
  /** From 1; blank lines count. */
  readonly number: number;
  /** Bytes before the line. */
  readonly offset: number;
}

/** The largest data and metadata, and the rest of the line. */
const maxLineBytes = 2 * maxPayloadBytes + 65_536;
const newline = 0x0a;

/** A line that cannot be read, with what could be read of it. */
export interface FaultyLine extends Line {
  readonly fault: EvstoreError;
}

/**
 * Yields the lines that are not blank, without their line breaks. Skips a UTF-8 byte order mark.
 * @param name of the input, for errors
 * @throws E_INVALID_INPUT for bytes that are not UTF-8, for UTF-16, and for a line that is too long
 */
export async function* readLines(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Line> {
  for await (const line of readAllLines(source, name)) {
    if ('fault' in line) throw line.fault;
    yield line;
  }
}

/**
 * As `readLines`, but continues after a line that cannot be read.
 * @throws E_INVALID_INPUT for UTF-16
 */
export async function* readAllLines(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Line | FaultyLine> {
  let parts: Uint8Array[] = [];
  /** Bytes of the line so far; those of a line that is too long are counted, and not kept. */
  let held = 0;
  let number = 1;
  let offset = 0;
  let isTold = false;
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      held += end - start;
      if (!isTold) yield* read(chunk.subarray(start, end));
      offset += held + 1;
      number += 1;
      parts = [];
      held = 0;
      isTold = false;
      start = end + 1;
    }
    const rest = chunk.slice(start);
    held += rest.length;
    if (held > maxLineBytes && !isTold) {
      yield* read(rest);
      isTold = true;
      parts = [];
    } else if (rest.length > 0 && !isTold) parts.push(rest);
  }
  if (!isTold) yield* read(new Uint8Array());

  function* read(last: Uint8Array): Generator<Line | FaultyLine> {
    const bytes = join(parts, last);
    const place = { name, number, offset };
    try {
      if (bytes.length > maxLineBytes) throw tooLong(place);
      const text = decode(bytes, place);
      if (text.trim() !== '') yield { text, number, offset };
    } catch (error) {
      if (!isEvstoreError(error) || error.details.line === undefined) throw error;
      yield { text: lenient.decode(bytes), number, offset, fault: error };
    }
  }
}

function tooLong({ name, number, offset }: Place): EvstoreError {
  return new EvstoreError('E_INVALID_INPUT', `${name} line ${number} is longer than ${maxLineBytes} bytes`, {
    why: 'An event has at most 1 MB of data and 1 MB of metadata. Each line must hold one event.',
    details: { line: number, offset },
  });
}

interface Place {
  readonly name: string;
  readonly number: number;
  readonly offset: number;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Decodes UTF-8 without a byte order mark and without a carriage return at the end.
 * @throws E_INVALID_INPUT
 */
export function decode(bytes: Uint8Array, { name, number, offset }: Place): string {
  const [first, second, third] = bytes;
  if (offset === 0 && ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))) {
    throw new EvstoreError('E_INVALID_INPUT', `${name} is UTF-16`, {
      why: 'Events are read as UTF-8.',
      next: `iconv -f UTF-16 -t UTF-8 ${name}`,
    });
  }
  const hasMark = offset === 0 && first === 0xef && second === 0xbb && third === 0xbf;
  const end = bytes.at(-1) === 0x0d ? bytes.length - 1 : bytes.length;
  try {
    return decoder.decode(bytes.subarray(hasMark ? 3 : 0, end));
  } catch {
    const at = firstInvalidByte(bytes);
    throw new EvstoreError('E_INVALID_INPUT', `${name} line ${number} is not UTF-8`, {
      why: `The byte 0x${(bytes[at] ?? 0).toString(16).padStart(2, '0')} at offset ${offset + at} of the input is not part of a character.`,
      details: { line: number, offset: offset + at },
    });
  }
}

/** Finds the first wrong byte: lenient decoding and encoding again changes nothing before it. */
function firstInvalidByte(bytes: Uint8Array): number {
  const again = Buffer.from(lenient.decode(bytes));
  const at = bytes.findIndex((byte, index) => byte !== again[index]);
  return at === -1 ? bytes.length : at;
}

function join(parts: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  return parts.length === 0 ? last : Buffer.concat([...parts, last]);
}
