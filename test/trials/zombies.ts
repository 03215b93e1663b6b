/**
 * R3: a runner and a rebuild are frozen in the middle of their work for longer than their leases last, another takes
 * over, and the first is let go on. It must write nothing, and say so. Everybody writes down what it wrote.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../../src/store/store.js';
import { checkHistory, History } from '../support/history.js';
import type { Program } from '../support/program.js';
import { until } from '../support/wait.js';
import { countsCode, importCounts, models, Observer } from './counts.js';
import { checkJournal } from './journal.js';
import type { Move, Stop, Traced } from './programs/probe.js';
import { readTrace } from './trace.js';
import {
  Appenders,
  deploy,
  evstore,
  expireLeases,
  inFolder,
  isFrozen,
  succeed,
  type Trial,
  type TrialReport,
} from './trial.js';

type Place = Omit<Stop, 'signal'>;

/** It has read a batch, and is about to write it. */
const withBatch: Place = { step: 'read', nth: 9, moment: 'after' };

/** On Postgres the next batch is read while one is written: outside a transaction it is before it begins one. */
const shortPlaces: Readonly<Record<Engine, Place>> = {
  sqlite: withBatch,
  postgres: { step: 'begin', nth: 12, moment: 'before' },
};

/** Undefined: at some time. SQLite cannot be frozen inside a transaction without freezing everybody who writes. */
const runnerPlaces: Readonly<Record<Engine, readonly (Place | undefined)[]>> = {
  sqlite: [undefined, withBatch],
  postgres: [undefined, withBatch, { step: 'commit batch', nth: 6, moment: 'before' }],
};

const rebuildPlaces: Readonly<Record<Engine, readonly Place[]>> = {
  sqlite: [withBatch, { step: 'commit lease taken', nth: 1, moment: 'after' }],
  postgres: [
    withBatch,
    { step: 'commit fill', nth: 3, moment: 'before' },
    { step: 'lease taken', nth: 1, moment: 'after' },
    { step: 'commit swapped', nth: 1, moment: 'before' },
  ],
};

type Row = Record<string, string | number>;

export interface ZombieOptions {
  /** How often everything is done. */
  readonly rounds: number;
  /** Each at one place only. */
  readonly isShort?: boolean;
  /** As if the time of a lease had passed; otherwise it is waited for. */
  readonly expire?: boolean;
}

export function freezeZombies(trial: Trial, options: ZombieOptions): Promise<TrialReport> {
  return inFolder(async (parent) => {
    const { test, random, say = () => {} } = trial;
    const { rounds, isShort = false, expire = false } = options;
    const history = new History();
    const zombies = new Zombies(trial, parent, history, { expire, isShort });
    const appenders = new Appenders(test, 2, 30);
    await importCounts(test, history, isShort ? 500 : 1_500);
    await appenders.started();
    for (let round = 0; round < rounds; round += 1) {
      for (const place of isShort ? [shortPlaces[test.engine]] : runnerPlaces[test.engine])
        await zombies.freezeRunner(place);
      for (const place of isShort ? [shortPlaces[test.engine]] : rebuildPlaces[test.engine])
        await zombies.freezeRebuild(place);
      say(`${round + 1} rounds of zombies on ${test.engine}, ${zombies.findings.length} findings`);
    }
    await appenders.stop(history, zombies.findings);
    await zombies.end();
    const wrote = zombies.rows.reduce((sum, row) => sum + Number(row['wrote afterwards']), 0);
    return {
      trial: 'zombies',
      engine: test.engine,
      seed: random.seed,
      facts: { frozen: zombies.rows.length, 'batches a zombie wrote': wrote },
      rows: zombies.rows,
      findings: [...zombies.findings, ...checkHistory(history)],
    };
  });
}

class Zombies {
  readonly findings: string[] = [];
  readonly rows: Row[] = [];
  readonly #trial: Trial;
  readonly #parent: string;
  readonly #folder: string;
  readonly #observer: Observer;
  readonly #expires: boolean;
  readonly #run: readonly string[];
  #programs = 0;

  constructor(
    trial: Trial,
    parent: string,
    history: History,
    { expire, isShort }: { expire: boolean; isShort: boolean },
  ) {
    this.#trial = trial;
    this.#expires = expire;
    // Another projection of the same process may be in a transaction when this one is not.
    this.#run = isShort ? [models[0]] : models;
    this.#parent = parent;
    this.#folder = deploy(parent, 'code', countsCode());
    this.#observer = new Observer(trial.test, history);
  }

  async freezeRunner(place: Place | undefined): Promise<void> {
    const what = `run, frozen ${describe(place)}`;
    const first = this.#start(['run', ...this.#run, '--batch-size', '20'], place);
    if (place === undefined) {
      await says(first.program, 'running from', this.#run.length);
      await sleep(this.#trial.random.below(1_000));
      await this.#freeze(first.program);
    }
    await until(() => isFrozen(first.program), `${what}: a stop`);
    if (this.#expires) await expireLeases(this.#trial.test);
    const second = this.#start(['run', ...this.#run, '--batch-size', '20']);
    const frozenAt = Date.now();
    await says(second.program, 'running from', this.#run.length);
    const takenOverMs = Date.now() - frozenAt;
    await sleep(500);
    await this.#look(`${what}, taken over`);
    first.program.process.kill('SIGCONT');
    const thawnAt = Date.now();
    const hasWritten = () =>
      movesOf(readTrace(first.trace).filter(({ at }) => at >= thawnAt)).some(({ isDone }) => isDone);
    const hasStepped = (model: string) => new RegExp(`${model}: (superseded|standing by)`).test(first.program.stderr);
    await until(
      () => this.#run.every(hasStepped) || hasWritten(),
      () => `${what}: a step back, said ${first.program.stderr}`,
    );
    await sleep(500);
    await this.#look(`${what}, let go on`);
    await first.program.kill('SIGTERM');
    await second.program.kill('SIGTERM');
    this.#record(what, takenOverMs, thawnAt, first, second);
  }

  async freezeRebuild(place: Place): Promise<void> {
    const [model] = models;
    const what = `rebuild, frozen ${describe(place)}`;
    await succeed(evstore(this.#trial, this.#folder, ['run', '--once']), `${what}: run`, this.findings);
    const first = this.#start(['rebuild', model, '--batch-size', '50'], place);
    await until(() => isFrozen(first.program) || first.program.process.exitCode !== null, `${what}: a stop`);
    const frozenAt = Date.now();
    if (this.#expires) await expireLeases(this.#trial.test);
    let second = this.#start(['rebuild', model, '--resume', '--batch-size', '50']);
    for (let code = await second.program.ended; code !== 0; code = await second.program.ended) {
      const isHeld = code === 5 && second.program.stderr.includes('E_LOCK_HELD');
      if (!isHeld || Date.now() - frozenAt > 60_000) {
        this.findings.push(`${what}: nobody else could go on: ${second.program.stderr}`);
        break;
      }
      await sleep(500);
      second = this.#start(['rebuild', model, '--resume', '--batch-size', '50']);
    }
    const takenOverMs = Date.now() - frozenAt;
    await this.#look(`${what}, taken over`);
    first.program.process.kill('SIGCONT');
    const thawnAt = Date.now();
    const code = await first.program.ended;
    // It may find that the swap was made, or its connection gone: frozen inside a transaction it is cut off.
    if (code !== 5 && code !== 0 && code !== 3)
      this.findings.push(`${what}: it ended with ${code}: ${first.program.stderr}`);
    await this.#look(`${what}, let go on`);
    this.#record(what, takenOverMs, thawnAt, first, second);
  }

  async end(): Promise<void> {
    await succeed(evstore(this.#trial, this.#folder, ['run', '--once']), 'the last run', this.findings);
    this.findings.push(...(await this.#observer.lookAtEnd()));
    await succeed(evstore(this.#trial, this.#folder, ['verify']), 'verify', this.findings);
  }

  /** Not inside a transaction on SQLite. */
  async #freeze({ process }: Program): Promise<void> {
    const { engine, connect } = this.#trial.test;
    process.kill('SIGSTOP');
    if (engine === 'postgres') return;
    const probe = await connect();
    for (;;) {
      const isFree = await probe.query('begin immediate').then(
        () => true,
        () => false,
      );
      if (isFree) break;
      process.kill('SIGCONT');
      await sleep(5);
      process.kill('SIGSTOP');
    }
    await probe.query('rollback');
  }

  #start(args: readonly string[], place?: Place): Watched {
    const trace = join(this.#parent, `${this.#programs++}.ndjson`);
    const probe = { trace, ...(place && { stop: { ...place, signal: 'SIGSTOP' as const } }) };
    return { program: evstore(this.#trial, this.#folder, args, { probe }), trace };
  }

  #record(what: string, takenOverMs: number, thawnAt: number, first: Watched, second: Watched): void {
    const [zombie, heir] = [readTrace(first.trace), readTrace(second.trace)];
    const before = movesOf(zombie.filter(({ at }) => at < thawnAt));
    const after = zombie.filter(({ at }) => at >= thawnAt);
    const tokens = new Set(before.map(({ token }) => token));
    const tried = movesOf(after).filter(({ token }) => tokens.has(token));
    const wrote = tried.filter(({ isDone }) => isDone);
    if (wrote.length > 0) this.findings.push(`${what}: it moved a cursor afterwards: ${JSON.stringify(wrote)}`);
    if (after.some(({ step }) => step === 'rename')) this.findings.push(`${what}: it renamed a table afterwards`);
    this.rows.push({
      what,
      'taken over after s': Math.round(takenOverMs / 100) / 10,
      'wrote before': describeMoves(before),
      'heir wrote': describeMoves(movesOf(heir)),
      'tried afterwards': tried.length,
      'wrote afterwards': wrote.length,
      'its last words':
        first.program.stderr
          .trim()
          .split('\n')
          .find((line) => /superseded|error:|trying again/.test(line)) ?? '',
    });
  }

  async #look(when: string): Promise<void> {
    this.findings.push(...(await this.#observer.look(when)));
    this.findings.push(...(await checkJournal(this.#trial.test)).map((finding) => `${when}: ${finding}`));
  }
}

interface Watched {
  readonly program: Program;
  readonly trace: string;
}

function movesOf(trace: readonly Traced[]): readonly Move[] {
  return trace.flatMap(({ move }) => (move === undefined ? [] : [move]));
}

/** Per token, as each stands for one lease. */
function describeMoves(moves: readonly Move[]): string {
  const done = moves.filter(({ isDone }) => isDone);
  const leases = new Map<string, readonly Move[]>();
  for (const move of done) {
    const key = `${move.cursor}, token ${move.token}`;
    leases.set(key, [...(leases.get(key) ?? []), move]);
  }
  return [...leases]
    .map(([lease, batches]) => `${lease}: ${batches.length} batches, ${batches[0]?.from} to ${batches.at(-1)?.to}`)
    .join('; ');
}

function describe(place: Place | undefined): string {
  return place === undefined ? 'at some time' : `${place.moment} '${place.step}' ${place.nth}`;
}

/** Until it has said so this many times, or has ended. */
async function says(program: Program, text: string, times: number): Promise<void> {
  await until(
    () => program.stderr.split(text).length > times || program.process.exitCode !== null,
    () => `"${text}" from a program that said ${program.stderr}`,
  );
}
