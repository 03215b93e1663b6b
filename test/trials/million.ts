/**
 * A rebuild of a long log: what each step takes, how much memory it needs, and, killed at 60 % of the fill, what going on
 * from there saves.
 */
import { join } from 'node:path';
import { until } from '../support/wait.js';
import { findUnfinished } from './journal.js';
import { countsOfLife, lifeCode, lifeTable, writeLives } from './lives.js';
import type { Traced } from './programs/probe.js';
import { readTrace } from './trace.js';
import {
  deploy,
  evstore,
  expireLeases,
  finish,
  inFolder,
  longPatienceMs,
  succeed,
  type Trial,
  type TrialReport,
} from './trial.js';

/** The last statement of each step; what a rebuild does between two of them is the step of the second. */
const steps: readonly (readonly [name: string, last: string])[] = [
  ['begin', 'commit planned'],
  ['create', 'commit filling'],
  ['fill and catch up', 'commit fill'],
  ['indexes', 'commit ready'],
  ['verify', 'verify'],
  ['take the lease', 'lease taken'],
  ['drain and swap', 'commit swapped'],
];

interface Reported {
  readonly rebuilds: readonly { readonly events: number; readonly position: number; readonly steps?: unknown }[];
}

export interface MillionOptions {
  readonly events: number;
  /** Whether the database waits for its disk, as it is said in the report. */
  readonly disk: string;
}

export function rebuildMillion(trial: Trial, { events, disk }: MillionOptions): Promise<TrialReport> {
  return inFolder(async (parent) => {
    const { test, random, say = () => {} } = trial;
    const findings: string[] = [];
    const folder = deploy(parent, 'code', lifeCode());
    await timed('writing the log', () => writeLives(test, events));
    const runMs = await timed('the first run', () =>
      succeed(evstore(trial, folder, ['run', '--once']), 'the first run', findings, longPatienceMs),
    );
    const trace = join(parent, 'rebuild.ndjson');
    const args = ['rebuild', lifeTable, '--json'];
    const rebuildMs = await timed('the rebuild', async () => {
      const report = await succeed(
        evstore(trial, folder, args, { probe: { trace } }),
        'rebuild',
        findings,
        longPatienceMs,
      );
      checkRead('the rebuild', report as Reported | undefined, events);
    });
    const traced = readTrace(trace);

    const killed = evstore(trial, folder, ['rebuild', lifeTable]);
    await until(
      async () => {
        const position = (await findUnfinished(test, lifeTable))?.position ?? 0;
        return position >= events * 0.6 || killed.process.exitCode !== null;
      },
      'sixty percent',
      longPatienceMs,
    );
    await killed.kill('SIGKILL');
    await finish(killed, 'the killed rebuild', findings);
    const kept = (await findUnfinished(test, lifeTable))?.position ?? 0;
    await expireLeases(test);
    const resumed = join(parent, 'resumed.ndjson');
    const resumeMs = await timed('going on', async () => {
      const program = evstore(trial, folder, [...args, '--resume'], { probe: { trace: resumed } });
      const report = await succeed(program, 'rebuild --resume', findings, longPatienceMs);
      checkRead('--resume', report as Reported | undefined, events - kept);
    });
    const rows = await test.raw.query(countsOfLife);
    const { orders, total } = rows[0] ?? {};
    if (Number(orders) !== Math.ceil(events / 10)) findings.push(`${orders} rows, not ${Math.ceil(events / 10)}`);
    if (Number(total) !== events) findings.push(`the rows count ${total} events, not ${events}`);
    return {
      trial: `million (${disk})`,
      engine: test.engine,
      seed: random.seed,
      facts: {
        events,
        rows: Number(orders),
        'run s': seconds(runMs),
        'rebuild s': seconds(rebuildMs),
        'rebuild events/s': Math.round((events / rebuildMs) * 1000),
        'rebuild peak MiB': peakOf(traced),
        'killed at event': kept,
        '--resume read': readBy(resumed),
        '--resume did not read again': kept,
        '--resume s': seconds(resumeMs),
        '--resume peak MiB': peakOf(readTrace(resumed)),
      },
      rows: describeSteps(traced),
      findings,
    };

    async function timed(what: string, work: () => Promise<unknown>): Promise<number> {
      const startedAt = performance.now();
      await work();
      const tookMs = performance.now() - startedAt;
      say(`${what}: ${seconds(tookMs)} s`);
      return tookMs;
    }

    function checkRead(what: string, report: Reported | undefined, expected: number): void {
      const read = report?.rebuilds[0]?.events;
      if (read !== expected) findings.push(`${what} read ${read} events of ${expected}`);
    }
  });
}

function describeSteps(traced: readonly Traced[]): Record<string, string | number>[] {
  let before = traced[0]?.at ?? 0;
  return steps.flatMap(([step, last]) => {
    const end = traced.findLast((line) => line.step === last)?.at;
    if (end === undefined) return [];
    const row = { step, seconds: seconds(end - before) };
    before = end;
    return [row];
  });
}

/** Events that came out of the log. */
function readBy(trace: string): number {
  return readTrace(trace).reduce((sum, { rows }) => sum + (rows ?? 0), 0);
}

function peakOf(traced: readonly Traced[]): number {
  return Math.round((traced.at(-1)?.maxRss ?? 0) / 1024);
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 10) / 100;
}
