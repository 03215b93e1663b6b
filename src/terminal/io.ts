/**
 * The process as the rest of evstore sees it. Commands get it as a value, so that a test can be a terminal or a pipe.
 */

/** An output stream, and what is known about who reads it. */
export interface Output {
  readonly isTTY: boolean;
  /** Cells a line; 80 where the terminal does not say. */
  readonly columns: number;
  /**
   * Resolves when more may be written (back-pressure). After the reader has gone it resolves at once and writes nothing:
   * see `closed`.
   * @throws E_OUTPUT when the disk is full or the device fails
   */
  write(text: string | Uint8Array): Promise<void>;
  /** Everything written so far has left the process. */
  flush(): Promise<void>;
  /** The reader has closed the pipe: stop producing. */
  readonly closed: boolean;
  /** From now on notice a reader that goes while nothing is written: for commands that wait. Never throws. */
  watchReader(): Promise<void>;
}

export interface Io {
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY: boolean };
  /** Data, and nothing else. */
  readonly stdout: Output;
  /** Progress, hints, prompts and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly now: () => Date;
  /** Aborted by the first SIGINT or SIGTERM, and when the reader of stdout has gone: finish the batch, release, return. */
  readonly signal: AbortSignal;
  /** One line from the person at the terminal, asked on stderr; undefined without a terminal. */
  ask(question: string): Promise<string | undefined>;
}
