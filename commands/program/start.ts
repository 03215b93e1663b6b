/** From the process to the program and back: the exit code, or the signal that stopped it. */
import { keepCompiledCode } from '../../src/terminal/compile-cache.js';
import type { Io } from '../../src/terminal/io.js';
import { createProcessIo } from '../../src/terminal/process-io.js';
import { raiseSignal, stopOf } from '../../src/terminal/signals.js';
import { readVersion } from './version.js';

/** Runs this process's command line. Sets the exit code, or ends by the signal that stopped it. */
export async function start(): Promise<void> {
  const { io, faults } = createProcessIo();
  const argv = process.argv.slice(2);
  const asksForVersion = argv.length === 1 && ['--version', '-V'].includes(argv[0] ?? '');
  const code = await (asksForVersion ? tellVersion(io) : runProgram(argv, io)).catch((error) => fail(error, argv, io));
  const [fault] = faults;
  process.exitCode = fault === undefined ? code : await fail(fault, argv, io);
  const stop = stopOf(io.signal);
  if (stop !== undefined) raiseSignal(stop.signal);
}

/** Scripts ask this often, and the answer needs no parser. */
async function tellVersion({ stdout }: Io): Promise<number> {
  await stdout.write(`${readVersion()}\n`);
  await stdout.flush();
  return 0;
}

async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  keepCompiledCode();
  const { main } = await import('./program.js');
  return main(argv, io);
}

async function fail(error: unknown, argv: readonly string[], io: Io): Promise<number> {
  const program = await import('./program.js');
  return program.fail(error, argv, io, []);
}
