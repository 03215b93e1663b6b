/** The input of a command: a file, compressed or not, or stdin. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EvstoreError } from '../domain/errors.js';
import { maxPayloadBytes } from '../domain/limits.js';
import type { Io } from './io.js';
import { decode } from './lines.js';

/** The size of one read: small enough that other work of the process gets its turn soon. */
const pieceBytes = 65_536;

export interface Input {
  /** For errors and progress: the file as the user named it, or `stdin`. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * @param source a file, or `-` for stdin
 * @throws E_USAGE when the file cannot be read
 */
export async function openInput(source: string, io: Io): Promise<Input> {
  if (source === '-') return { name: 'stdin', bytes: await inflateIfNeeded(io.stdin) };
  const path = resolve(io.cwd, source);
  try {
    const file = await open(path);
    const isFolder = (await file.stat()).isDirectory();
    await file.close();
    if (isFolder) throw new Error('it is a folder');
  } catch (error) {
    throw new EvstoreError('E_USAGE', `cannot read ${source}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
  return { name: source, bytes: await inflateIfNeeded(createReadStream(path, { highWaterMark: pieceBytes })) };
}

/**
 * Returns the input as text.
 * @throws E_INVALID_INPUT when it is not UTF-8, or larger than any payload
 */
export async function readText(source: string, io: Io): Promise<string> {
  const { name, bytes } = await openInput(source, io);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxPayloadBytes + 1_024) {
      throw new EvstoreError('E_INVALID_INPUT', `${name} is longer than 1 MB`, {
        why: 'An event has at most 1 MB; store the document elsewhere and append a reference.',
      });
    }
  }
  return decode(Buffer.concat(chunks), { name, number: 1, offset: 0 });
}

/** Detects compressed input by its first bytes, whatever its name. */
async function inflateIfNeeded(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  const whole = (async function* () {
    try {
      if (first.done !== true) yield first.value;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
  const [one, two] = first.done === true ? [] : first.value;
  if (one !== 0x1f || two !== 0x8b) return whole;
  const { createGunzip } = await import('node:zlib');
  const { pipeline, Readable } = await import('node:stream');
  const gunzip = createGunzip();
  pipeline(Readable.from(whole), gunzip, () => {});
  return reportBrokenArchive(gunzip);
}

async function* reportBrokenArchive(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))) throw error;
    throw new EvstoreError('E_INVALID_INPUT', 'the input is a damaged gzip file', {
      why: `${error.message}.`,
      cause: error,
    });
  }
}
