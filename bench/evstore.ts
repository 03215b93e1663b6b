/** The built command line as users start it: a process of its own. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Wrong } from './measure.js';

const program = fileURLToPath(new URL('../dist/bin/evstore.js', import.meta.url));

export interface RunOptions {
  readonly url: string;
  /** Where it runs: without a config, with nobody's settings. */
  readonly folder: string;
  /** Where its output goes; kept and given back unless said. `pipe`: through a pipe of the shell to /dev/null. */
  readonly output?: 'kept' | 'null' | 'pipe';
  /** Look at its memory while it runs. */
  readonly watched?: boolean;
}

export interface Run {
  readonly seconds: number;
  readonly stdout: string;
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
    stdio: ['ignore', output === 'null' ? openSync('/dev/null', 'w') : 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (piece: Buffer) => stdout.push(piece));
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    stderr = (stderr + piece).slice(-2_000);
  });
  let peakMb = 0;
  const watch = watched ? setInterval(() => (peakMb = Math.max(peakMb, readPeak(child.pid))), 10) : undefined;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => clearInterval(watch));
    child.once('close', (code) => {
      const seconds = (performance.now() - startedAt) / 1000;
      if (code === 0) resolve({ seconds, stdout: Buffer.concat(stdout).toString(), peakMb });
      else reject(new Wrong(`${args.join(' ')} ended with ${code}: ${stderr.trim()}`));
    });
  });
}

export function startEvstore(args: readonly string[], options: RunOptions) {
  return spawn(process.execPath, [program, ...args], { ...settingsOf(options), stdio: ['ignore', 'pipe', 'pipe'] });
}

function settingsOf({ url, folder }: RunOptions): SpawnOptions {
  return { cwd: folder, env: { PATH: process.env.PATH, HOME: folder, EVSTORE_URL: url } };
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
