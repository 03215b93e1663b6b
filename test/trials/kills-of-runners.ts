/**
 * R1: `evstore run` is killed again and again, at any moment and at every point of a batch, while others append. After
 * each kill the read models are the fold of the events up to their checkpoints.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkHistory, History } from '../support/history.js';
import { countsCode, Observer } from './counts.js';
import type { Stop } from './programs/probe.js';
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

/** The points of a batch. */
const points: readonly (readonly [string, Stop['moment']])[] = [
  ['batch', 'before'],
  ['batch', 'sent'],
  ['batch', 'after'],
  ['commit batch', 'before'],
  ['commit batch', 'sent'],
  ['commit batch', 'after'],
];

/** Of those that die at a point: how long they may take to come to it, in milliseconds. */
const comesToItMs = 10_000;

export function killRunners(trial: Trial, kills: number): Promise<TrialReport> {
  return inFolder(async (parent) => {
    const { test, random, enough = 20, say = () => {} } = trial;
    const folder = deploy(parent, 'code', countsCode());
    const history = new History();
    const findings: string[] = [];
    const observer = new Observer(test, history);
    const count = { 'at a point of a batch': 0, 'at some statement': 0, 'at some time': 0, 'while starting': 0 };
    const appenders = new Appenders(test, 2, 15);
    await appenders.started();
    for (let kill = 0; kill < kills && findings.length < enough; kill += 1) {
      const kind = (Object.keys(count) as (keyof typeof count)[])[kill % 4] ?? 'at some time';
      const stop = chooseStop(trial, kind, kill);
      const what = `kill ${kill} ${stop === undefined ? kind : `${stop.moment} ${stop.step} ${stop.nth}`}`;
      const args = ['run', '--batch-size', String(1 + random.below(40))];
      const runner = evstore(trial, folder, args, stop && { probe: { stop } });
      if (stop === undefined) {
        if (kind === 'at some time') await untilRunning(runner, what, findings);
        await sleep(random.below(300));
      } else await Promise.race([runner.ended, sleep(comesToItMs)]);
      if (runner.process.exitCode !== null) findings.push(`${what}: it ended by itself: ${runner.stderr}`);
      await runner.kill('SIGKILL');
      count[kind] += 1;
      findings.push(...(await observer.look(what)));
      await expireLeases(test);
      if (kill % 25 === 24) say(`${kill + 1} kills of runners on ${test.engine}, ${findings.length} findings`);
    }
    await appenders.stop(history, findings);
    await succeed(evstore(trial, folder, ['run', '--once']), 'the last run', findings);
    findings.push(...(await observer.lookAtEnd()), ...checkHistory(history));
    await succeed(evstore(trial, folder, ['verify']), 'verify', findings);
    const events = history.deliveries.get('observer')?.length ?? 0;
    return {
      trial: 'kills-of-runners',
      engine: test.engine,
      seed: random.seed,
      facts: { kills, ...count, events, appends: history.attempts.length },
      findings,
    };
  });
}

function chooseStop({ test, random }: Trial, kind: string, kill: number): Stop | undefined {
  if (kind === 'at some statement') {
    return { step: 'any', nth: 1 + random.below(120), moment: 'before', signal: 'SIGKILL' };
  }
  if (kind !== 'at a point of a batch') return undefined;
  const [step, moment] = points[Math.floor(kill / 4) % points.length] ?? ['batch', 'before'];
  const isKnown = test.engine === 'postgres' || moment !== 'sent';
  return { step, moment: isKnown ? moment : 'after', nth: 1 + random.below(8), signal: 'SIGKILL' };
}

async function untilRunning(runner: ReturnType<typeof evstore>, what: string, findings: string[]): Promise<void> {
  const isOver = finish(runner, what, findings).then(() => true);
  while (!runner.stderr.includes('running from')) {
    if (await Promise.race([isOver, sleep(10, false)])) return;
  }
}
