/** From the process to the program and back: the exit code, or the signal that stopped it. */

import { EvstoreError } from '../../src/domain/errors.js';
import { keepCompiledCode } from '../../src/terminal/compile-cache.js';
import type { Io } from '../../src/terminal/io.js';
import { createProcessIo } from '../../src/terminal/process-io.js';
import { raiseSignal, stopOf } from '../../src/terminal/signals.js';
import { giveUpWaiting, isLoading, refuseExit } from '../../src/terminal/user-code.js';
import { readVersion } from '../../src/terminal/version.js';
import { nameForeignFault } from './foreign-fault.js';

/** Runs this process's command line. Sets the exit code, or ends by the signal that stopped it. */
export async function start(): Promise<void> {
  const { io, faults } = createProcessIo(isLoading);
  const exit = process.exit;
  refuseExit(() => stopOf(io.signal) !== undefined);
  const argv = process.argv.slice(2);
  const asksForVersion = argv.length === 1 && ['--version', '-V'].includes(argv[0] ?? '');
  const work = asksForVersion ? tellVersion(io) : runProgram(argv, io);
  const done = await Promise.race([work, failUnfinished()]).catch((error) => fail(error, argv, io));
  const [fault] = faults;
  const code = fault === undefined ? done : await fail(nameForeignFault(fault), argv, io);
  await Promise.allSettled([io.stdout.flush(), io.stderr.flush()]);
  const stop = stopOf(io.signal);
  if (stop !== undefined) raiseSignal(stop.signal);
  // A timer or a socket that user code has left would keep the process.
  else exit(code);
}

/** Rejects when nothing is left that could still happen, though the program has not returned. */
function failUnfinished(): Promise<never> {
  return new Promise((_, reject) => {
    process.on('beforeExit', () => {
      if (giveUpWaiting()) {
        // The command may have other work, which this callback keeps the process alive for. If it has none, this runs again.
        setImmediate(() => {});
        return;
      }
      const why = 'It waits for a promise that nothing can settle any more.';
      reject(new EvstoreError('E_UNFINISHED', 'the command never finished', { why }));
    });
  });
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
