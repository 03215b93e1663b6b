/**
 * The process as the rest of evstore sees it. Commands get it as a value, so that a test can act as a terminal or a pipe.
 */

/** An output stream, and what is known about its reader. */
export interface Output {
  readonly isTTY: boolean;
  /** Cells per line; 80 if the terminal does not say. */
  readonly columns: number;
  /**
   * Resolves when more may be written (back-pressure). After the reader closed the pipe it resolves at once and writes
   * nothing: see `closed`.
   * @param events that the text holds, one a line: the error says how many were written
   * @throws E_OUTPUT when the disk is full or the device fails
   */
  write(text: string | Uint8Array, events?: number): Promise<void>;
  /** Resolves when everything written so far has left the process. */
  flush(): Promise<void>;
  /** The reader has closed the pipe: stop producing. */
  readonly closed: boolean;
  /** From now on, notice when the reader closes the pipe while nothing is written. For commands that wait. Never throws. */
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
  /** Aborted by the first SIGINT or SIGTERM, and when the reader of stdout is gone: finish the batch, release, return. */
  readonly signal: AbortSignal;
  /** Asks on stderr and returns one line from the terminal; undefined without a terminal. */
  ask(question: string): Promise<string | undefined>;
}
