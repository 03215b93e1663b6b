/** Runs COPY … TO STDOUT as a query of node-postgres, which yields complete lines of text, many at a time. */
import { isAscii } from 'node:buffer';
import type { Submittable } from 'pg';

/** The part of the driver's connection used here. */
interface Wire {
  query(text: string): void;
}

/** Bytes decoded at once: few enough for the text to stay in the young generation, since whatever is cut out of it keeps all of it in memory. */
const blockBytes = 8_192;

export class CopyOut implements Submittable {
  /** Resolves when all lines were passed to `take`. */
  readonly done: Promise<void>;
  readonly text: string;
  readonly #take: (lines: string) => void;
  readonly #block = Buffer.allocUnsafe(blockBytes);
  #used = 0;
  #failure: { readonly error: unknown } | undefined;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};

  /** @param take gets complete lines with their line ends; when it throws, the rest is skipped, then the error is thrown */
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

  /** Each message is one line. It is copied, because the driver reuses the memory of its messages. */
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
