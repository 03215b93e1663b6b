/** The built command line as users start it: a process of its own. */
import { type ChildProcess, type ChildProcessByStdio, type SpawnOptions, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Wrong } from './measure.js';

/** Of those that still run, none outlives this process. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const program = fileURLToPath(new URL('../dist/bin/evstore.js', import.meta.url));

/** To /dev/null at once, or through a pipe of the shell. */
export type Sink = 'null' | 'pipe';

export interface RunOptions {
  readonly url: string;
  /** Where it runs: without a config, with nobody's settings. */
  readonly folder: string;
  /** Where its output goes; kept and given back unless said. `counted`: lines are counted and forgotten. */
  readonly output?: 'kept' | 'counted' | Sink;
  /** Look at its memory while it runs. */
  readonly watched?: boolean;
}

export type Started = ChildProcessByStdio<null, Readable, Readable>;

export interface Run {
  readonly seconds: number;
  readonly stdout: string;
  /** Of stdout, when they were counted. */
  readonly lines: number;
  /** The most memory it had, when it was watched. */
  readonly peakMb: number;
}

/** @throws Wrong when it does not end with 0 */
export function runEvstore(args: readonly string[], options: RunOptions): Promise<Run> {
  return runProgram([process.execPath, program, ...args], options);
}

/** Any program, started and timed in the same way. */
export function runProgram(command: readonly string[], options: RunOptions): Promise<Run> {
  const { output = 'kept', watched = false } = options;
  const [file = '', ...args] =
    output === 'pipe' ? ['bash', '-o', 'pipefail', '-c', '"$0" "$@" | cat > /dev/null', ...command] : command;
  const startedAt = performance.now();
  const child = spawn(file, args, {
    ...settingsOf(options),
    stdio: ['ignore', output === 'null' ? 'ignore' : 'pipe', 'pipe'],
  });
  running.add(child);
  const stdout: Buffer[] = [];
  let lines = 0;
  let stderr = '';
  child.stdout?.on('data', (piece: Buffer) => {
    if (output === 'counted') lines += countLines(piece);
    else stdout.push(piece);
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    stderr = (stderr + piece).slice(-2_000);
  });
  let peakMb = 0;
  const watch = watched ? setInterval(() => (peakMb = Math.max(peakMb, readPeak(child.pid))), 10) : undefined;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => clearInterval(watch));
    child.once('close', (code) => {
      running.delete(child);
      const seconds = (performance.now() - startedAt) / 1000;
      if (code === 0) resolve({ seconds, stdout: Buffer.concat(stdout).toString(), lines, peakMb });
      else reject(new Wrong(`${args.join(' ')} ended with ${code}: ${stderr.trim()}`));
    });
  });
}

/** @param output a file of its own for its stdout, which this process reads otherwise */
export function startEvstore(args: readonly string[], options: RunOptions, output?: number): Started {
  const child = spawn(process.execPath, [program, ...args], {
    ...settingsOf(options),
    stdio: ['ignore', output ?? 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  child.stderr?.resume();
  return child as unknown as Started;
}

/** Of this process's own, what its user cannot start Node without: reading those certificates takes longer than starting. */
function settingsOf({ url, folder }: RunOptions): SpawnOptions {
  const { PATH, NODE_EXTRA_CA_CERTS } = process.env;
  return { cwd: folder, env: { PATH, NODE_EXTRA_CA_CERTS, HOME: folder, EVSTORE_URL: url } };
}

export function countLines(piece: Buffer): number {
  let lines = 0;
  for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, at + 1)) lines += 1;
  return lines;
}

/** By the kernel, so that nothing between two looks is missed: `VmHWM` never falls. */
function readPeak(pid: number | undefined): number {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}
