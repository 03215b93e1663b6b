/** The real process as an `Io`, made once at the start of the program. */
import { addAbortSignal } from 'node:stream';
import { EvstoreError } from '../domain/errors.js';
import type { Io } from './io.js';
import { listenForSignals, raiseSignal } from './signals.js';
import { type OutputStream, StreamOutput } from './stream-output.js';

/** After a signal, for user code that does not return: then it ends as by the second signal. */
const longestStopMs = 30_000;
const stopNoticeMs = 1_000;

export interface ProcessIo {
  readonly io: Io;
  /** Uncaught errors. The first one also aborts `io.signal`. */
  readonly faults: readonly unknown[];
}

/** @param isLoading returns true while nothing has begun that would have to end in order: then a signal ends the process */
export function createProcessIo(isLoading: () => boolean): ProcessIo {
  const controller = new AbortController();
  const faults: unknown[] = [];
  process.on('uncaughtException', (error) => {
    faults.push(error);
    controller.abort();
  });
  const write = process.stdout.write.bind(process.stdout);
  const stdout = new StreamOutput(process.stdout as OutputStream, 'stdout', () => controller.abort(), write);
  const stderr = new StreamOutput(process.stderr as OutputStream, 'stderr');
  // What user code prints is no data of ours.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  listenForSignals((stop) => {
    if (isLoading()) return raiseSignal(stop.signal);
    setTimeout(() => raiseSignal(stop.signal), longestStopMs).unref();
    // Most commands end before anybody wonders whether they will.
    setTimeout(() => {
      stderr.write('stopping; the same signal again ends it at once\n').catch(() => {});
    }, stopNoticeMs).unref();
    controller.abort(stop);
  });
  const io: Io = {
    stdin: {
      get isTTY() {
        return process.stdin.isTTY === true;
      },
      [Symbol.asyncIterator]: () => addAbortSignal(controller.signal, process.stdin)[Symbol.asyncIterator](),
    },
    stdout,
    stderr,
    env: process.env,
    get cwd() {
      return workingDirectory();
    },
    now: () => new Date(),
    signal: controller.signal,
    ask: (question) => askPerson(question, controller.signal),
  };
  return { io, faults };
}

function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new EvstoreError('E_CONFIG', 'the working directory is gone', {
      why: 'It was deleted or replaced after the shell went there.',
      next: 'cd "$PWD"',
      cause: error,
    });
  }
}

async function askPerson(question: string, signal: AbortSignal): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const { createInterface } = await import('node:readline/promises');
  const readline = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new Promise<undefined>((resolve) => readline.once('close', () => resolve(undefined)));
  // readline handles Ctrl-C itself; it has to reach the process.
  readline.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await Promise.race([readline.question(question, { signal }).catch(() => undefined), gone]);
  } finally {
    readline.close();
  }
}
