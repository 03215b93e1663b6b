/**
 * The only writer of an output stream: pieces of 64 KiB, back-pressure, and defined behaviour when the reader is gone or
 * the disk is full. Nothing else writes to stdout.
 */
import type { Writable } from 'node:stream';
import { EvstoreError } from '../domain/errors.js';
import type { Output } from './io.js';
import { watchPipeReaders } from './pipe-readers.js';

const pieceLength = 65_536;

export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly fd?: number;
}

export class StreamOutput implements Output {
  readonly #stream: OutputStream;
  readonly #name: string;
  readonly #onClosed: () => void;
  #pending: (string | Uint8Array)[] = [];
  #pendingLength = 0;
  #scheduled = false;
  #closed = false;
  #failure: EvstoreError | undefined;
  /** Resolves when the stream has taken the last piece. */
  #sent: Promise<void> = Promise.resolve();

  /** @param onClosed called once, when the reader is gone */
  constructor(stream: OutputStream, name: string, onClosed: () => void = () => {}) {
    this.#stream = stream;
    this.#name = name;
    this.#onClosed = onClosed;
    stream.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    stream.on('close', () => this.#close());
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

  async write(text: string | Uint8Array): Promise<void> {
    this.#assertWhole();
    if (this.#closed || text.length === 0) return;
    this.#pending.push(text);
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
      this.#pending = [];
      this.#pendingLength = 0;
      this.#sent = this.#sent.then(() => this.#hand(piece));
    }
    return this.#sent;
  }

  #hand(piece: string | Uint8Array): Promise<void> {
    if (this.#closed || this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stream.write(piece, (error) => {
        if (error) this.#fail(error);
        resolve();
      });
    });
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_DESTROYED') {
      this.#close();
      return;
    }
    this.#failure ??= new EvstoreError('E_OUTPUT', `cannot write to ${this.#name}`, {
      why: error.code === 'ENOSPC' ? 'No space is left on the device.' : `${error.message}.`,
      cause: error,
    });
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

function joinPieces(pieces: readonly (string | Uint8Array)[]): string | Uint8Array {
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('');
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}
