/** A command line run in this process, as a terminal or as a pipe. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { main } from '../../commands/program/program.js';
import type { Io, Output } from '../../src/terminal/io.js';

export interface CliOptions {
  /** Whether stdin, stdout and stderr are a terminal. Default false: pipes. */
  readonly tty?: boolean;
  readonly stdin?: string | Uint8Array;
  /** The whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the person at the terminal types. */
  readonly answer?: string;
  readonly signal?: AbortSignal;
  /** Called with everything printed so far, after each write to stdout. */
  readonly onOutput?: (stdout: string) => void;
  /** The same of stderr. */
  readonly onError?: (stderr: string) => void;
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runCli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { tty = false, stdin = '', env = {}, cwd = makeFolder(), answer } = options;
  const stdout = new CapturedOutput(tty, options.onOutput);
  const stderr = new CapturedOutput(tty, options.onError);
  const io: Io = {
    stdin: { isTTY: tty, [Symbol.asyncIterator]: () => [Buffer.from(stdin)].values() as never },
    stdout,
    stderr,
    env,
    cwd,
    now: () => new Date(),
    signal: options.signal ?? new AbortController().signal,
    ask: async (question) => {
      if (!tty) return undefined;
      await stderr.write(question);
      return answer;
    },
  };
  const code = await main(argv, io);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** An empty folder that goes when the run ends. */
export function makeFolder(): string {
  return mkdtempSync(join(inject('scratch'), 'cli-'));
}

class CapturedOutput implements Output {
  readonly isTTY: boolean;
  readonly columns = 100;
  readonly closed = false;
  readonly #onWrite: ((text: string) => void) | undefined;
  text = '';

  constructor(isTTY: boolean, onWrite?: (text: string) => void) {
    this.isTTY = isTTY;
    this.#onWrite = onWrite;
  }

  async write(text: string | Uint8Array): Promise<void> {
    this.text += typeof text === 'string' ? text : Buffer.from(text).toString();
    this.#onWrite?.(this.text);
  }

  async flush(): Promise<void> {}

  async watchReader(): Promise<void> {}
}
