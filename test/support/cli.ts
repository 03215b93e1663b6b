/**
 * A command line, as on a terminal or in a pipe: run in this process, or by the packed program where
 * EVSTORE_TEST_PROGRAM=packed asks for that.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { main } from '../../commands/program/program.js';
import type { Io, Output } from '../../src/terminal/io.js';
import { packedProgram } from './package.js';

const isPacked = process.env.EVSTORE_TEST_PROGRAM === 'packed';

export interface CliOptions {
  /** Whether stdin, stdout and stderr are a terminal. Default false: pipes. */
  readonly tty?: boolean;
  readonly stdin?: string | Uint8Array;
  /** The whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the person at the terminal types. */
  readonly answer?: string;
  /** Aborted with a `Stop`, as by that signal. */
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
  if (isPacked) return runPacked(argv, options);
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

/** The streams stay apart, unlike those of a real terminal: only the program takes them for one. */
async function runPacked(argv: readonly string[], options: CliOptions): Promise<CliResult> {
  const { tty = false, env = {}, cwd = makeFolder(), answer } = options;
  const stdin = tty && answer !== undefined ? `${answer}\n` : (options.stdin ?? '');
  const child = spawn(
    process.execPath,
    [...(tty ? ['--require', terminalPreload()] : []), await packedProgram(), ...argv],
    {
      cwd,
      env: { PATH: process.env.PATH, HOME: inject('scratch'), ...env },
    },
  );
  const abort = () => child.kill(options.signal?.reason.signal ?? 'SIGINT');
  options.signal?.addEventListener('abort', abort);
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text;
    options.onOutput?.(printed.stdout);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.stderr += text;
    options.onError?.(printed.stderr);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  if (options.signal?.aborted) abort();
  const [code, signal] = await once(child, 'close');
  options.signal?.removeEventListener('abort', abort);
  return { code: code ?? 128 + constants.signals[signal as NodeJS.Signals], ...printed };
}

function terminalPreload(): string {
  const file = join(inject('scratch'), 'terminal.cjs');
  const moves = ['clearLine', 'cursorTo', 'moveCursor'].map((name) => `, ${name}: { value: () => true }`).join('');
  const facts = `{ isTTY: { value: true }, columns: { value: 100 }${moves} }`;
  const script = `for (const name of ['stdin', 'stdout', 'stderr']) Object.defineProperties(process[name], ${facts});\n`;
  if (!existsSync(file)) writeFileSync(file, script);
  return file;
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
