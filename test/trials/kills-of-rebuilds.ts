/**
 * W3: `evstore rebuild` is killed at every step it has and at random moments, beside a runner and appenders. After each
 * kill the live table is right and the journal says what is there; then it is resumed, rebuilt, aborted or begun anew.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rebuild } from '../../src/store/store.js';
import { checkHistory, History } from '../support/history.js';
import type { Program } from '../support/program.js';
import type { Random } from '../support/random.js';
import { countsCode, importCounts, type ModelName, models, Observer } from './counts.js';
import { checkJournal, findUnfinished, settle } from './journal.js';
import type { Probe, Stop } from './programs/probe.js';
import { readTrace, rebuildSteps, stopsOf } from './trace.js';
import {
  Appenders,
  deploy,
  evstore,
  expireLeases,
  finish,
  inFolder,
  succeed,
  type Trial,
  type TrialReport,
} from './trial.js';

const recoveries = ['--resume', 'rebuild', 'abort', '--restart'] as const;
type Recovery = (typeof recoveries)[number];

export interface KillRebuildsOptions {
  readonly kills: number;
  /** Events there are before it begins. */
  readonly events?: number;
}

/** What was seen of one way on after a kill. */
interface Tally {
  times: number;
  /** There was a rebuild to go on with. */
  found: number;
  /** Events that were in its table, and were not read again. */
  kept: number;
  /** Events it read. */
  read: number;
}

/** Of a report of `evstore rebuild --json`. */
interface Reported {
  readonly rebuild: number;
  readonly events: number;
  readonly position: number;
  readonly outcome: string;
}

export function killRebuilds(trial: Trial, options: KillRebuildsOptions): Promise<TrialReport> {
  return inFolder(async (parent) => {
    const { test, random, enough = 20 } = trial;
    const session = new Session(trial, parent);
    await session.start(options.events ?? 1_500);
    const places = await Promise.all(models.map((model) => session.learn(model)));
    for (let kill = 0; kill < options.kills && session.findings.length < enough; kill += 1) {
      const model = models[kill % models.length] ?? 'counts_by_rows';
      const { stops, statements, durationMs } = places[kill % models.length] ?? {
        stops: [],
        statements: 1,
        durationMs: 1,
      };
      const stop = stops.shift() ?? session.anyStop(statements);
      await session.killOne(
        kill,
        model,
        random.below(4) === 0 && stop.step === 'any' ? random.below(durationMs) : stop,
      );
    }
    await session.end();
    const left = places.reduce((sum, { stops }) => sum + stops.length, 0);
    return {
      trial: 'kills-of-rebuilds',
      engine: test.engine,
      seed: random.seed,
      facts: { ...session.facts(), 'places of steps not tried': left },
      rows: session.rows(),
      findings: session.findings,
    };
  });
}

interface Learnt {
  /** Still to be tried. */
  readonly stops: Stop[];
  readonly statements: number;
  readonly durationMs: number;
}

class Session {
  readonly findings: string[] = [];
  readonly #trial: Trial;
  readonly #parent: string;
  readonly #folder: string;
  readonly #history = new History();
  readonly #observer: Observer;
  readonly #appenders: Appenders;
  readonly #tallies = new Map<Recovery, Tally>();
  readonly #states = new Map<string, Map<string, number>>();
  #runner: Program | undefined;
  #kills = 0;
  #notReached = 0;

  constructor(trial: Trial, parent: string) {
    this.#trial = trial;
    this.#parent = parent;
    this.#folder = deploy(parent, 'code', countsCode());
    this.#observer = new Observer(trial.test, this.#history);
    // A log that grew as fast as in the other trials would make each rebuild longer than the one before.
    this.#appenders = new Appenders(trial.test, 1, 150);
  }

  async start(events: number): Promise<void> {
    await importCounts(this.#trial.test, this.#history, events);
    await succeed(this.#evstore(['run', '--once']), 'the first run', this.findings);
    this.#runner = this.#evstore(['run']);
    await this.#appenders.started();
  }

  /** A rebuild that nobody disturbs: which steps it has, and how long it takes. */
  async learn(model: ModelName): Promise<Learnt> {
    const trace = join(this.#parent, `${model}.ndjson`);
    const rebuild = this.#evstore(['rebuild', model, '--batch-size', '100'], { trace });
    await succeed(rebuild, `the first rebuild of ${model}`, this.findings);
    const traced = readTrace(trace);
    const steps = new Set(traced.map(({ step }) => step));
    // Indexes of statements are made by the projection itself, along with its table.
    for (const step of rebuildSteps) {
      if (!steps.has(step)) this.findings.push(`the rebuild of ${model} has no step '${step}': see programs/probe.ts`);
    }
    const moments =
      this.#trial.test.engine === 'postgres' ? (['before', 'sent', 'after'] as const) : (['before', 'after'] as const);
    return {
      stops: interleave(stopsOf(traced, moments), this.#trial.random),
      statements: traced.length,
      durationMs: traced.at(-1)?.at ?? 1_000,
    };
  }

  anyStop(statements: number): Stop {
    return { step: 'any', nth: 1 + this.#trial.random.below(statements), moment: 'before', signal: 'SIGKILL' };
  }

  /** @param place where it is killed, or after how many milliseconds */
  async killOne(kill: number, model: ModelName, place: Stop | number): Promise<void> {
    const { test, say = () => {} } = this.#trial;
    const step = typeof place === 'number' ? 'some time' : place.step === 'any' ? 'some statement' : place.step;
    const at = typeof place === 'number' ? `after ${place} ms` : `${place.moment} ${place.step} ${place.nth}`;
    const what = `kill ${kill} of ${model} ${at}`;
    const args = ['rebuild', model, '--batch-size', '100'];
    const rebuild = typeof place === 'number' ? this.#evstore(args) : this.#evstore(args, { stop: place });
    if (typeof place === 'number')
      await Promise.race([rebuild.ended, sleep(place).then(() => rebuild.kill('SIGKILL'))]);
    if ((await finish(rebuild, what, this.findings)) === null) this.#kills += 1;
    else {
      this.#notReached += 1;
      if (rebuild.process.exitCode !== 0) this.findings.push(`${what}: it failed by itself: ${rebuild.stderr}`);
    }
    await settle(test);
    const unfinished = await findUnfinished(test, model);
    this.#countState(step, unfinished?.state ?? 'none unfinished');
    await this.#look(what);
    await expireLeases(test);
    await this.#recover(recoveries[Math.floor(kill / 2) % recoveries.length] ?? 'rebuild', model, unfinished, what);
    if (kill % 5 === 4) await succeed(this.#evstore(['gc', '--now', '--yes']), `${what}: gc`, this.findings);
    if (kill % 20 === 19) say(`${kill + 1} kills of rebuilds on ${test.engine}, ${this.findings.length} findings`);
  }

  async end(): Promise<void> {
    await this.#appenders.stop(this.#history, this.findings);
    if (this.#runner?.process.exitCode !== null) this.findings.push(`the runner ended: ${this.#runner?.stderr}`);
    await this.#runner?.kill('SIGTERM');
    await succeed(this.#evstore(['run', '--once']), 'the last run', this.findings);
    this.findings.push(...(await this.#observer.lookAtEnd()), ...checkHistory(this.#history));
    await succeed(this.#evstore(['verify']), 'verify', this.findings);
  }

  facts(): Record<string, string | number> {
    const ways = [...this.#tallies].flatMap(([recovery, { times, found, kept, read }]) => [
      [`${recovery}: times`, times],
      [`${recovery}: found an unfinished rebuild`, found],
      ...(recovery === 'abort' ? [] : [[`${recovery}: events kept`, kept]]),
      ...(recovery === 'abort' ? [] : [[`${recovery}: events read`, read]]),
    ]);
    const events = this.#history.deliveries.get('observer')?.length ?? 0;
    return { kills: this.#kills, 'ended before the kill': this.#notReached, events, ...Object.fromEntries(ways) };
  }

  rows(): Record<string, string | number>[] {
    return [...this.#states].map(([step, states]) => ({
      'killed at': step,
      kills: [...states.values()].reduce((sum, count) => sum + count, 0),
      'journal after the kill': [...states].map(([state, count]) => `${count} × ${state}`).join(', '),
    }));
  }

  async #recover(recovery: Recovery, model: ModelName, unfinished: Rebuild | undefined, what: string): Promise<void> {
    const { test } = this.#trial;
    const tally = this.#tallies.get(recovery) ?? { times: 0, found: 0, kept: 0, read: 0 };
    this.#tallies.set(recovery, tally);
    tally.times += 1;
    if (unfinished !== undefined) tally.found += 1;
    const when = `${what}, then ${recovery}`;
    const expected = unfinished === undefined && (recovery === '--resume' || recovery === 'abort') ? 6 : 0;
    const args = recovery === 'abort' ? ['abort', model, '--yes'] : ['rebuild', model, '--json', ...flagsOf(recovery)];
    const program = this.#evstore(args);
    const code = await finish(program, when, this.findings);
    if (code !== expected) this.findings.push(`${when} ended with ${code}, not ${expected}: ${program.stderr}`);
    await this.#look(when);
    if (await findUnfinished(test, model)) this.findings.push(`${when}: it is still unfinished`);
    if (code !== 0 || recovery === 'abort') return;
    const [report] = (JSON.parse(program.lines.join('\n')) as { rebuilds: Reported[] }).rebuilds;
    if (report?.outcome !== 'swapped') this.findings.push(`${when}: the outcome is ${report?.outcome}`);
    const kept = recovery === '--restart' ? 0 : (unfinished?.position ?? 0);
    const isSame = report?.rebuild === unfinished?.id;
    if (unfinished !== undefined && isSame === (recovery === '--restart')) {
      this.findings.push(`${when}: rebuild ${unfinished.id} was unfinished, ${report?.rebuild} was swapped in`);
    }
    const toRead = this.#observer.countEvents(kept, report?.position ?? 0);
    if (report?.events !== toRead) this.findings.push(`${when}: it read ${report?.events} events of ${toRead}`);
    tally.kept += this.#observer.countEvents(0, kept);
    tally.read += report?.events ?? 0;
  }

  async #look(when: string): Promise<void> {
    const found = [...(await this.#observer.look(when)), ...(await checkJournal(this.#trial.test))];
    this.findings.push(...found.map((finding) => (finding.startsWith(when) ? finding : `${when}: ${finding}`)));
  }

  #countState(step: string, state: string): void {
    const states = this.#states.get(step) ?? new Map<string, number>();
    states.set(state, (states.get(state) ?? 0) + 1);
    this.#states.set(step, states);
  }

  #evstore(args: readonly string[], probe?: Probe): Program {
    return evstore(this.#trial, this.#folder, args, probe && { probe });
  }
}

function flagsOf(recovery: Recovery): readonly string[] {
  return recovery === '--resume' || recovery === '--restart' ? [recovery] : [];
}

/** In an order of chance, and every step once before any comes twice. */
function interleave(stops: readonly Stop[], random: Random): Stop[] {
  const rounds = new Map<string, number>();
  return stops
    .map((stop) => ({ stop, chance: random.next() }))
    .sort((a, b) => a.chance - b.chance)
    .map(({ stop }) => {
      const round = rounds.get(stop.step) ?? 0;
      rounds.set(stop.step, round + 1);
      return { stop, round };
    })
    .sort((a, b) => a.round - b.round)
    .map(({ stop }) => stop);
}
