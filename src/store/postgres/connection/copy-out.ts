/** COPY … TO STDOUT as a query of node-postgres: whole lines of text, many at a time. */
import { isAscii } from 'node:buffer';
import type { Submittable } from 'pg';

/** The part of the driver's connection that is used here. */
interface Wire {
  query(text: string): void;
}

/** Lines that are decoded in one go, in bytes: small enough for their text to stay with the young. What is cut out of it keeps no more alive. */
const blockBytes = 8_192;

export class CopyOut implements Submittable {
  /** Resolves when all lines were taken. */
  readonly done: Promise<void>;
  readonly text: string;
  readonly #take: (lines: string) => void;
  readonly #block = Buffer.allocUnsafe(blockBytes);
  #used = 0;
  #failure: { readonly error: unknown } | undefined;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  /** @param take gets whole lines, ends included; when it throws, the rest is read over, and then the error is thrown */
  constructor(text: string, take: (lines: string) => void) {
    this.text = text;
    this.#take = take;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(wire: Wire): void {
    wire.query(this.text);
  }

  /** One line each. The driver uses the memory of its messages again, so they are copied. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#used + chunk.length > blockBytes) this.#flush();
    if (chunk.length > blockBytes) {
      this.#decode(chunk);
      return;
    }
    chunk.copy(this.#block, this.#used);
    this.#used += chunk.length;
  }

  handleReadyForQuery(): void {
    this.#flush();
    if (this.#failure === undefined) this.#resolve();
    else this.#reject(this.#failure.error);
  }

  handleError(error: unknown): void {
    this.#reject(error);
  }

  handleCommandComplete(): void {}

  #flush(): void {
    if (this.#used > 0) this.#decode(this.#block.subarray(0, this.#used));
    this.#used = 0;
  }

  #decode(bytes: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      this.#take(isAscii(bytes) ? bytes.toString('latin1') : bytes.toString());
    } catch (error) {
      this.#failure = { error };
    }
  }
}
