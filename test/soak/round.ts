/** What the rounds on both engines have in common: writers, readers, and the verdict. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isEvstoreError } from '../../src/domain/errors.js';
import type { Engine, Store } from '../../src/store/store.js';
import { makeEvent, makeEvents } from '../support/events.js';
import { checkHistory, History } from '../support/history.js';
import { type Program, runProgram } from '../support/program.js';
import type { Random } from '../support/random.js';
import { follow, persistent } from '../support/stress.js';
import { killWriter } from '../support/writers.js';

export interface RoundReport {
  readonly engine: Engine;
  readonly appends: number;
  readonly events: number;
  /** Injected, by name. */
  readonly faults: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
}

export interface Round {
  readonly engine: Engine;
  readonly random: Random;
  readonly history: History;
  readonly faults: Record<string, number>;
  readonly isOver: () => boolean;
}

export interface Places {
  /** Where nothing disturbs. */
  readonly url: string;
  /** Where faults are injected. */
  readonly disturbedUrl: string;
  readonly store: Store;
  readonly disturbed: Store;
}

export function countFault({ faults }: Round, name: string): void {
  faults[name] = (faults[name] ?? 0) + 1;
}

/** @param others what else goes on until the round is over, by itself */
export async function runRound(
  engine: Engine,
  random: Random,
  durationMs: number,
  places: Places,
  others: (round: Round) => readonly Promise<void>[],
): Promise<RoundReport> {
  const endsAt = Date.now() + durationMs;
  let isBroken = false;
  const isOver = () => isBroken || Date.now() >= endsAt;
  const round: Round = { engine, random, history: new History(), faults: {}, isOver };
  const { history } = round;
  const findings: string[] = [];
  const watched = (work: Promise<void>) =>
    work.catch((error: unknown) => {
      isBroken = true;
      findings.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    });
  let isWriting = true;
  const tail = await startTail(places, history);
  const reading = [
    watched(follow('direct', persistent(places.store), history, () => isWriting)),
    watched(follow('disturbed', persistent(places.disturbed), history, () => isWriting)),
  ];
  const writing = [
    ...[0, 1].map((lane) => killWriters(round, places, `killed${lane}`)),
    ...[0, 1].map((lane) => write(round, places.disturbed, `written${lane}`)),
    ...others(round),
  ];
  await Promise.all(writing.map(watched));
  isWriting = false;
  await Promise.all(reading);
  findings.push(...(await checkTail(tail, history)), ...checkHistory(history));
  const events = history.deliveries.get('direct')?.length ?? 0;
  return { engine, appends: history.attempts.length, events, faults: round.faults, findings };
}

/** One that has found its store is not put off by anything that follows. */
async function startTail({ store, disturbedUrl }: Places, history: History): Promise<Program> {
  const tail = runProgram('bin/evstore.ts', ['tail', '--from', 'start', '--store', disturbedUrl]);
  const event = makeEvent();
  const attempt = history.invoke('first-1', [event.id]);
  history.succeed(attempt, (await store.log.append('first-1', [event], 'none')).events);
  await tail.printed(1);
  return tail;
}

async function killWriters(round: Round, { store, disturbedUrl }: Places, name: string): Promise<void> {
  for (let n = 0; !round.isOver(); n++) {
    await killWriter(store, disturbedUrl, `${name}-${n % 3}`, round.random, round.history);
    countFault(round, 'SIGKILL');
  }
}

/** What an append claims when it fails is held against it: only an unknown outcome may have been written. */
async function write(round: Round, store: Store, name: string): Promise<void> {
  for (let n = 0; !round.isOver(); n++) {
    const streamId = n % 4 === 0 ? 'shared-1' : `${name}-${n % 5}`;
    const events = makeEvents(1 + round.random.below(4));
    const attempt = round.history.invoke(
      streamId,
      events.map(({ id }) => id),
    );
    const isImport = round.random.below(3) === 0;
    try {
      if (isImport) {
        const lines = events.map((event) => ({ ...event, streamId }));
        await store.log.importEvents(lines, { conflict: 'fail' });
        round.history.succeed(attempt);
      } else {
        const timeoutMs = round.random.below(2) === 0 ? 2_000 : 1 + round.random.below(40);
        const result = await store.log.append(streamId, events, 'any', { timeoutMs });
        round.history.succeed(attempt, result.deduplicated ? [] : result.events);
      }
    } catch (error) {
      if (!isEvstoreError(error)) throw error;
      const isKnown = error.code === 'E_CONNECT' || error.code === 'E_TIMEOUT';
      if (!isKnown && error.code !== 'E_OUTCOME_UNKNOWN') throw error;
      if (isKnown && !isImport) round.history.fail(attempt);
    }
    await sleep(round.random.below(4));
  }
}

async function checkTail(tail: Program, history: History): Promise<string[]> {
  const expected = history.deliveries.get('direct') ?? [];
  const patience = sleep(30_000, undefined, { ref: false });
  await Promise.race([tail.printed(expected.length), patience]);
  await tail.kill('SIGTERM');
  const printed = tail.lines.map((line) => JSON.parse(line).id);
  const isSame = printed.join() === expected.map(({ id }) => id).join();
  return isSame ? [] : [`tail printed ${printed.length} lines of ${expected.length} events\n${tail.stderr}`];
}
