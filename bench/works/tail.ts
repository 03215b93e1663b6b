/** From an append's acknowledgement to its line out of `evstore tail`; and what a tail costs those who append. */
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRandom } from '../../test/support/random.js';
import { openEvstoreWriters } from '../evstore-writers.js';
import { atLeast, atMost, type Contender, takeTurns, timed, Wrong } from '../measure.js';
import type { Comparison, Measured } from '../report.js';
import { quantile } from '../statistics.js';
import { patienceMs, startTail, Tailed } from '../tail.js';
import { sampleEvents } from '../yardsticks/writer.js';
import { AppendingContender, evstoreCandidate } from './append.js';
import type { Task, Work } from './work.js';

const idleAppends = 60;
export const busyRate = 1_000;
export const busySeconds = 4;
const writers = 8;

export const work: Work = {
  summary: 'from commit to printed line, idle and under appends; and appends with a tail attached',
  events: 0,
  runs: 5,
  run: async (task) => [await waits(task, 'idle'), await waits(task, 'busy'), await cost(task)],
};

async function waits(task: Task, how: 'idle' | 'busy'): Promise<Comparison> {
  const { place, runs, say } = task;
  const figures: Record<string, number[]> = { p50: [], p99: [], longest: [], rate: [] };
  let failure: string | undefined;
  for (let run = 1; run <= runs && failure === undefined; run += 1) {
    try {
      const { latencies, rate } = await follow(task, how === 'idle' ? appendNowAndThen : appendSteadily);
      const found = { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), longest: Math.max(...latencies) };
      for (const [name, figure] of Object.entries({ ...found, rate })) figures[name]?.push(figure);
      say(`tail, ${how}, run ${run} of ${runs}: p50 ${found.p50.toFixed(2)} ms, p99 ${found.p99.toFixed(2)} ms`);
    } catch (error) {
      failure = `failed: ${error instanceof Error ? error.message : error}`;
    }
  }
  const measured = (name: string, key: string): Measured =>
    failure === undefined ? { name, figures: figures[key] ?? [] } : { name, figures: [], failure };
  const rate = Math.round(quantile(figures.rate ?? [], 0.5));
  const load = how === 'idle' ? 'an append every 50–150 ms' : `${rate} appends/s`;
  return {
    title: `tail, from commit to printed line, ${load}, on ${place.engine}`,
    unit: 'ms',
    measured: [
      { ...measured('p50', 'p50'), limit: atMost(5) },
      { ...measured('p99', 'p99'), limit: atMost(25) },
      measured('longest', 'longest'),
    ],
  };
}

type Append = (stream: string) => Promise<void>;

/** Appends to a store while a tail prints, and looks when what was printed. */
async function follow(
  { place }: Task,
  appendAll: (append: Append) => Promise<void>,
): Promise<{ latencies: number[]; rate: number }> {
  const store = await place.makeStore();
  const { writes, close } = await openEvstoreWriters(store.url, writers);
  const tail = await startTail(place, store);
  const acknowledged = new Map<string, number>();
  let next = 0;
  const append: Append = async (stream) => {
    const event = sampleEvents[next++ % sampleEvents.length];
    if (event === undefined) return;
    await writes[next % writers]?.(stream, 0, [event]);
    acknowledged.set(stream, performance.now());
  };
  try {
    for (let probe = 0; tail.printed.size === 0; probe += 1) {
      await append(`Probe-${probe}`);
      await sleep(50);
    }
    acknowledged.clear();
    const seconds = await timed(() => appendAll(append));
    const deadline = performance.now() + patienceMs;
    const isMissing = () => [...acknowledged.keys()].some((stream) => !tail.printed.has(stream));
    while (isMissing() && performance.now() < deadline) await sleep(20);
    if (isMissing()) throw new Wrong('the tail did not print every event');
    if (tail.faults.length > 0) throw new Wrong(tail.faults.join(', '));
    const latencies = [...acknowledged].map(([stream, at]) => Math.max(0, (tail.printed.get(stream) ?? 0) - at));
    return { latencies, rate: latencies.length / seconds };
  } finally {
    await tail.stop();
    await close();
    await store.remove();
  }
}

async function appendNowAndThen(append: Append): Promise<void> {
  const random = makeRandom(1);
  for (let index = 0; index < idleAppends; index += 1) {
    await sleep(50 + random.below(100));
    await append(`Order-${index}`);
  }
}

/** At a rate of its own, whether the last was acknowledged or not. */
export async function appendSteadily(append: Append): Promise<void> {
  const startedAt = performance.now();
  const appends: Promise<void>[] = [];
  while (performance.now() - startedAt < busySeconds * 1_000) {
    const due = Math.floor(((performance.now() - startedAt) * busyRate) / 1_000);
    while (appends.length < due) appends.push(append(`Order-${appends.length}`));
    await sleep(1);
  }
  await Promise.all(appends);
}

async function cost({ place, runs, say }: Task): Promise<Comparison> {
  const alone = new AppendingContender(evstoreCandidate(place), writers, 1);
  const tailed = new Tailed(place, writers);
  const contenders: Contender[] = [
    tailed,
    { name: 'without', target: atLeast(0.97), prepare: () => alone.prepare(), run: () => alone.run() },
  ];
  try {
    const title = `appends by ${writers} writers with a tail attached, on ${place.engine}`;
    return await takeTurns(contenders, { title, unit: 'events/s', runs, say });
  } finally {
    await alone.close();
    await tailed.close();
  }
}
