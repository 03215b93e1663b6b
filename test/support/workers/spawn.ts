/** Another process that works on a store until it is done or killed. It reports one line a step. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { compileProgram } from '../compile.js';

export interface Worker {
  /** Lines so far. */
  readonly lines: readonly string[];
  /** Resolves when the worker has printed so many lines. */
  printed(count: number): Promise<void>;
  /** SIGKILL, and gone. */
  kill(): Promise<void>;
  /** Its exit code; null when it was killed. */
  readonly ended: Promise<number | null>;
  readonly process: ChildProcess;
}

export function spawnWorker(name: string, args: readonly string[]): Worker {
  const script = compileProgram(`test/support/workers/${name}.ts`);
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  const reader = createInterface({ input: child.stdout });
  const notify = () => {
    for (const listener of listeners) listener();
  };
  reader.on('line', (line) => {
    lines.push(line);
    notify();
  });
  let isOver = false;
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      isOver = true;
      notify();
      resolve(code);
    });
  });
  const printed = (count: number) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (lines.length < count && !isOver) return;
        listeners.delete(look);
        if (lines.length >= count) resolve();
        else reject(new Error(`${name} ended after ${lines.length} of ${count} lines`));
      };
      listeners.add(look);
      look();
    });
  return {
    lines,
    printed,
    process: child,
    ended,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
