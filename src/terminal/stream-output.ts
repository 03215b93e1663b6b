/**
 * The only writer of an output stream: pieces of 64 KiB, back-pressure, and defined behaviour when the reader is gone or
 * the disk is full. Nothing else writes to stdout.
 */

import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { EvstoreError } from '../domain/errors.js';
import { groupDigits } from '../domain/numbers.js';
import type { Output } from './io.js';
import { watchPipeReaders } from './pipe-readers.js';

const pieceLength = 65_536;

export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly fd?: number;
}

type Write = (piece: string | Uint8Array, done: (error?: Error | null) => void) => unknown;

export class StreamOutput implements Output {
  readonly #stream: OutputStream;
  readonly #name: string;
  readonly #onClosed: () => void;
  readonly #write: Write;
  readonly #isFile: boolean;
  #pending: (string | Uint8Array)[] = [];
  #pendingLength = 0;
  #pendingEvents = 0;
  /** Whole ones that have left; undefined while none was to be written. */
  #events: number | undefined;
  #scheduled = false;
  #closed = false;
  #failure: EvstoreError | undefined;
  /** Resolves when the stream has taken the last piece. */
  #sent: Promise<void> = Promise.resolve();

  /**
   * @param onClosed called once, when the reader has gone or the stream has failed
   * @param write default: the stream's own as it is at that time, which a spinner replaces
   */
  constructor(
    stream: OutputStream,
    name: string,
    onClosed: () => void = () => {},
    write: Write = (piece, done) => stream.write(piece, done),
  ) {
    this.#stream = stream;
    this.#name = name;
    this.#onClosed = onClosed;
    this.#write = write;
    this.#isFile = isPlainFile(stream.fd);
    stream.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    stream.on('close', () => {
      if (this.#failure === undefined) this.#close();
    });
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true;
  }

  get columns(): number {
    return this.#stream.columns || 80;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async write(text: string | Uint8Array, events?: number): Promise<void> {
    this.#assertWhole();
    if (this.#closed || text.length === 0) return;
    this.#pending.push(text);
    if (events !== undefined) {
      this.#events ??= 0;
      this.#pendingEvents += events;
    }
    this.#pendingLength += text.length;
    if (this.#pendingLength >= pieceLength) await this.#send();
    else this.#schedule();
  }

  async flush(): Promise<void> {
    await this.#send();
    this.#assertWhole();
  }

  async watchReader(): Promise<void> {
    const { fd } = this.#stream;
    if (fd !== undefined) await watchPipeReaders(fd, () => this.#close());
  }

  /** Writes single lines as soon as the event loop is free, so that a slow producer shows its output. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send().catch(() => {});
    });
  }

  #send(): Promise<void> {
    if (this.#pendingLength > 0 && !this.#closed) {
      const piece = joinPieces(this.#pending);
      const events = this.#pendingEvents;
      this.#pending = [];
      this.#pendingLength = 0;
      this.#pendingEvents = 0;
      this.#sent = this.#sent.then(() => this.#hand(piece, events));
    }
    return this.#sent;
  }

  #hand(piece: string | Uint8Array, events: number): Promise<void> {
    if (this.#closed || this.#failure !== undefined) return Promise.resolve();
    if (this.#isFile) {
      this.#writeFile(typeof piece === 'string' ? Buffer.from(piece) : piece, events);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#write(piece, (error) => {
        if (error) this.#fail(error);
        else this.#count(events);
        resolve();
      });
    });
  }

  /** Node's own stream takes a write that was cut short, because the disk is full, for a whole one. */
  #writeFile(bytes: Uint8Array, events: number): void {
    let offset = 0;
    try {
      while (offset < bytes.length) offset += writeSync(this.#stream.fd ?? 1, bytes, offset);
      this.#count(events);
    } catch (error) {
      this.#count(Math.max(0, events - bytes.subarray(offset).filter((byte) => byte === lineFeed).length));
      this.#fail(error as NodeJS.ErrnoException);
    }
  }

  #count(events: number): void {
    if (this.#events !== undefined) this.#events += events;
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_DESTROYED') {
      this.#close();
      return;
    }
    if (this.#failure !== undefined) return;
    const events = this.#events;
    const why = error.code === 'ENOSPC' ? 'No space is left on the device.' : `${error.message}.`;
    this.#failure = new EvstoreError('E_OUTPUT', `cannot write to ${this.#name}`, {
      why:
        events === undefined
          ? why
          : `${why} ${groupDigits(events)} ${events === 1 ? 'event was' : 'events were'} written in full.`,
      details: events === undefined ? {} : { events },
      cause: error,
    });
    this.#onClosed();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
  }

  #assertWhole(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

const lineFeed = 0x0a;

function isPlainFile(fd: number | undefined): boolean {
  try {
    return fd !== undefined && fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

function joinPieces(pieces: readonly (string | Uint8Array)[]): string | Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('');
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}
