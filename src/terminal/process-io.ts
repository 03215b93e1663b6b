/** The real process as an `Io`, made once at the start of the program. */
import { addAbortSignal } from 'node:stream';
import type { Io } from './io.js';
import { listenForSignals } from './signals.js';
import { type OutputStream, StreamOutput } from './stream-output.js';

export interface ProcessIo {
  readonly io: Io;
  /** Uncaught errors. The first one also aborts `io.signal`. */
  readonly faults: readonly unknown[];
}

export function createProcessIo(): ProcessIo {
  const controller = new AbortController();
  const faults: unknown[] = [];
  process.on('uncaughtException', (error) => {
    faults.push(error);
    controller.abort();
  });
  const stdout = new StreamOutput(process.stdout as OutputStream, 'stdout', () => controller.abort());
  const stderr = new StreamOutput(process.stderr as OutputStream, 'stderr');
  listenForSignals((stop) => {
    stderr.write('stopping where it can be resumed; once more stops at once\n').catch(() => {});
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
    cwd: process.cwd(),
    now: () => new Date(),
    signal: controller.signal,
    ask: (question) => askPerson(question, controller.signal),
  };
  return { io, faults };
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
