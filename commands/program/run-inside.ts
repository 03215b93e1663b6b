/** A command line run in this process as if it had been typed in another folder; what it prints is kept. */
import type { Io, Output } from '../../src/terminal/io.js';
import type { Ran } from '../options/command.js';

/** Runs a command line in a process or, as here, in a part of one. @returns the exit code */
type Main = (argv: readonly string[], io: Io) => Promise<number>;

/** @param line words of a shell, without its expansions */
export async function runInside(main: Main, cwd: string, line: string, io: Io): Promise<Ran> {
  const stdout = new Kept(true);
  const stderr = new Kept(false);
  const [, ...argv] = splitWords(line);
  // The folder's own config names the store, whatever the environment says.
  const { EVSTORE_URL: _, EVSTORE_SCHEMA: __, ...rest } = io.env;
  const env = { ...rest, NO_COLOR: '1' };
  const code = await main(argv, { ...io, cwd, env, stdout, stderr, ask: async () => undefined });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** @returns the words of `a 'b c'`: a, b c */
function splitWords(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

class Kept implements Output {
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
