/** What every trial has: a store, a folder with the user's code, chance, processes, and a report. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Engine } from '../../src/store/store.js';
import { compileMutant, compileProgram, type Mutation } from '../support/compile.js';
import type { TestStore } from '../support/engines.js';
import type { History } from '../support/history.js';
import { killPrograms, type Program, runProgram } from '../support/program.js';
import type { Random } from '../support/random.js';
import { setPatience, timeScale } from '../support/wait.js';
import { recordWriter } from '../support/writers.js';
import type { Probe } from './programs/probe.js';

/** A store that a trial works on; whoever makes it cleans it up. */
export type TrialStore = Pick<TestStore, 'engine' | 'url' | 'store' | 'raw' | 'open' | 'connect'>;

export interface Trial {
  readonly test: TrialStore;
  readonly random: Random;
  /** What is wrong with evstore, on purpose. */
  readonly mutations?: readonly Mutation[];
  /** Findings after which it goes no further; 20 unless said. */
  readonly enough?: number;
  /** Is told how far it is. */
  readonly say?: (line: string) => void;
}

export interface TrialReport {
  readonly trial: string;
  readonly engine: Engine;
  readonly seed: number;
  /** Names and figures for the summary. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** A table of its own, if it has more to show. */
  readonly rows?: readonly Readonly<Record<string, string | number>>[];
  /** Every promise it saw broken; empty when there is none. */
  readonly findings: readonly string[];
}

/** How long a command may take before that is a finding, in milliseconds. */
const patienceMs = 120_000 * timeScale;
setPatience(patienceMs);
/** The same, of work on a long log. */
export const longPatienceMs = 3_600_000;

export async function inFolder<Result>(body: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(process.env.EVSTORE_TEST_SCRATCH ?? tmpdir(), 'evstore-trial-'));
  try {
    return await body(folder);
  } finally {
    await killPrograms();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A deployment: a folder of its own with this code, under `parent`. */
export function deploy(
  parent: string,
  name: string,
  code: string,
  kind: 'projections' | 'sagas' = 'projections',
): string {
  const folder = join(parent, name);
  mkdirSync(join(folder, kind), { recursive: true });
  writeFileSync(join(folder, kind, 'code.mjs'), code);
  return folder;
}

/** An import line for code that is deployed: evstore's own modules, as they are compiled. */
export function importOf(names: string, module: string): string {
  const url = new URL(`../src/${module}.js`, pathToFileURL(compileProgram('bin/evstore.ts')));
  return `import { ${names} } from '${url}';\n`;
}

export interface CommandOptions {
  readonly probe?: Probe;
}

/** `evstore ARGS` in the folder of a deployment. */
export function evstore(
  { test, mutations = [] }: Trial,
  folder: string,
  args: readonly string[],
  { probe }: CommandOptions = {},
): Program {
  const watched = probe && {
    EVSTORE_PROBE: JSON.stringify(probe),
    NODE_OPTIONS: `--import=${probeOf(mutations)}`,
  };
  const env = { PATH: process.env.PATH, HOME: folder, EVSTORE_URL: test.url, ...watched };
  return runProgram('bin/evstore.ts', args, { cwd: folder, env, mutations });
}

/** The probe in the folder of the program, so that both load the same copy of the driver. */
function probeOf(mutations: readonly Mutation[]): URL {
  const entry = 'bin/evstore.ts';
  const program = mutations.length === 0 ? compileProgram(entry) : compileMutant(entry, mutations);
  return new URL('../test/trials/programs/probe.js', pathToFileURL(program));
}

/** Waits for a program; one that does not end is killed and is a finding. */
export async function finish(
  program: Program,
  what: string,
  findings: string[],
  timeoutMs = patienceMs,
): Promise<number | null> {
  const patience = new AbortController();
  const isLate = sleep(timeoutMs, true, { signal: patience.signal }).catch(() => false);
  const code = await Promise.race([program.ended, isLate]);
  patience.abort();
  if (code !== true && code !== false) return code;
  findings.push(`${what} did not end in ${timeoutMs} ms: ${program.stderr}`);
  await program.kill('SIGKILL');
  return null;
}

/** As `finish`, for a command that must succeed. Its one JSON document, if it printed one. */
export async function succeed(
  program: Program,
  what: string,
  findings: string[],
  timeoutMs = patienceMs,
): Promise<unknown> {
  const code = await finish(program, what, findings, timeoutMs);
  if (code !== 0) findings.push(`${what} ended with ${code}: ${program.stderr.trim()}`);
  const text = program.lines.join('\n');
  return code === 0 && text.startsWith('{') ? JSON.parse(text) : undefined;
}

/** By SIGSTOP. */
export function isFrozen({ process: { pid } }: Program): boolean {
  return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T');
}

/** As if the time of every lease had passed. */
export async function expireLeases({ raw }: TrialStore): Promise<void> {
  await raw.query('update subscription_checkpoints set lease_expires_at = null');
  await raw.query('update evstore_rebuilds set lease_expires_at = null');
}

/** Processes that append. */
export class Appenders {
  readonly #programs: readonly Program[];

  /** @param pauseMs between two appends of each */
  constructor({ url }: TrialStore, count: number, pauseMs: number) {
    this.#programs = Array.from({ length: count }, (_, place) =>
      runProgram('test/trials/programs/appender.ts', [url, `a${place}`, String(pauseMs)]),
    );
  }

  /** All of them have appended. */
  async started(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.printed(2)));
  }

  /** Ends them; what they did goes into the history. */
  async stop(history: History, findings: string[]): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill('SIGTERM')));
    for (const { lines, stderr } of this.#programs) {
      if (stderr !== '') findings.push(`an appender failed: ${stderr}`);
      recordWriter(history, lines);
    }
  }
}

/** Of the numbers, the one below which this share of them lies. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
