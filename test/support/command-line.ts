/** A command line in this process, as on a terminal or in a pipe. */
import { main } from '../../commands/program.js';
import type { Io, Output } from '../../src/terminal/io.js';

export interface CommandLine {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLineOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether stdout and stderr are a terminal. Default false. */
  readonly isTTY?: boolean;
}

export async function runCommandLine(
  argv: readonly string[],
  { cwd, env = {}, isTTY = false }: CommandLineOptions,
): Promise<CommandLine> {
  const stdout = new KeptOutput(isTTY);
  const stderr = new KeptOutput(isTTY);
  const nothing = Object.assign((async function* (): AsyncGenerator<Uint8Array> {})(), { isTTY: false });
  const io: Io = {
    stdin: nothing,
    stdout,
    stderr,
    env: { LANG: 'C.UTF-8', ...env },
    cwd,
    now: () => new Date(),
    signal: new AbortController().signal,
    ask: async () => undefined,
  };
  return { code: await main(argv, io), stdout: stdout.text, stderr: stderr.text };
}

class KeptOutput implements Output {
  readonly isTTY: boolean;
  readonly columns = 100;
  readonly closed = false;
  text = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  async write(text: string | Uint8Array): Promise<void> {
    this.text += typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
  }

  async flush(): Promise<void> {}

  async watchReader(): Promise<void> {}
}
