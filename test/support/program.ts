/** A compiled program of the repository, as another process. */
import { type ChildProcessWithoutNullStreams, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { compileMutant, compileProgram, type Mutation } from './compile.js';

export interface Program {
  readonly process: ChildProcessWithoutNullStreams;
  /** Whole lines of stdout so far. */
  readonly lines: readonly string[];
  readonly stderr: string;
  /** Resolves when it has printed so many lines, or ended. */
  printed(count: number): Promise<void>;
  /** Exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface ProgramOptions extends SpawnOptions {
  /** What starts it, e.g. `['setsid']`. */
  readonly command?: readonly string[];
  /** What is wrong with it. */
  readonly mutations?: readonly Mutation[];
}

/** Of those that still run, none outlives this process. */
const running = new Set<ChildProcessWithoutNullStreams>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Whatever still runs, after something went wrong. */
export async function killPrograms(): Promise<void> {
  const gone = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(gone);
}

/** @param entry from the root of the repository, e.g. `bin/evstore.ts` */
export function runProgram(entry: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const { command = [], mutations = [], ...spawnOptions } = options;
  const program = mutations.length === 0 ? compileProgram(entry) : compileMutant(entry, mutations);
  const [file = '', ...rest] = [...command, process.execPath, program, ...args];
  // Whether the tests were started by npx is not what they are about.
  const env = { ...(spawnOptions.env ?? process.env), npm_command: undefined };
  const child = spawn(file, rest, { ...spawnOptions, env, stdio: 'pipe' }) as ChildProcessWithoutNullStreams;
  running.add(child);
  const lines: string[] = [];
  const told: string[] = [];
  const listeners = new Set<() => void>();
  let unfinished = '';
  let isOver = false;
  const notify = () => {
    for (const listener of [...listeners]) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (unfinished + text).split('\n');
    unfinished = parts.pop() ?? '';
    lines.push(...parts);
    notify();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => told.push(text));
  child.stdin.on('error', () => {});
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      isOver = true;
      running.delete(child);
      notify();
      resolve(code);
    });
  });
  return {
    process: child,
    lines,
    get stderr() {
      return told.join('');
    },
    printed: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (lines.length < count && !isOver) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      }),
    ended,
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
  };
}
