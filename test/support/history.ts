/**
 * What was asked of a store and what it answered, in the order it happened, and whether one history explains it all.
 */
import type { AppendResult, RecordedEvent } from '../../src/domain/event.js';

/** One append. Its outcome is unknown until somebody says otherwise: a killed writer never does. */
export interface Attempt {
  readonly streamId: string;
  readonly ids: readonly string[];
  readonly invokedAt: number;
  outcome: 'ok' | 'fail' | 'unknown';
  endedAt: number;
  /** Of an acknowledged append. */
  positions: readonly number[];
}

export class History {
  readonly attempts: Attempt[] = [];
  readonly deliveries = new Map<string, RecordedEvent[]>();
  readonly checkpoints: { readonly subscriptionId: string; readonly position: number; readonly safeHead: number }[] =
    [];
  #clock = 0;

  /** @param at when, by `process.hrtime`, which is one clock for all processes of a machine; now unless said */
  invoke(streamId: string, ids: readonly string[], at = this.#now()): Attempt {
    const attempt: Attempt = {
      streamId,
      ids,
      invokedAt: at,
      outcome: 'unknown',
      endedAt: Number.POSITIVE_INFINITY,
      positions: [],
    };
    this.attempts.push(attempt);
    return attempt;
  }

  succeed(attempt: Attempt, events: AppendResult['events'] = [], at = this.#now()): void {
    attempt.outcome = 'ok';
    attempt.endedAt = at;
    attempt.positions = events.map(({ globalPosition }) => globalPosition);
  }

  fail(attempt: Attempt): void {
    attempt.outcome = 'fail';
    attempt.endedAt = this.#now();
  }

  deliver(reader: string, events: readonly RecordedEvent[]): void {
    const delivered = this.deliveries.get(reader) ?? [];
    delivered.push(...events);
    this.deliveries.set(reader, delivered);
  }

  observe(subscriptionId: string, position: number, safeHead: number): void {
    this.checkpoints.push({ subscriptionId, position, safeHead });
  }

  /** Two calls are never at the same time. */
  #now(): number {
    this.#clock = Math.max(this.#clock + 1, Number(process.hrtime.bigint()));
    return this.#clock;
  }
}

/** Every way in which the history breaks a promise; empty when it is clean. Readers must have reached the end. */
export function checkHistory(history: History): string[] {
  const readers = [...history.deliveries];
  return [
    ...readers.flatMap(([reader, events]) => checkReader(history, reader, events)),
    ...checkAgreement(readers),
    ...checkRealTime(history),
    ...checkCheckpoints(history),
  ];
}

function checkReader({ attempts }: History, reader: string, events: readonly RecordedEvent[]): string[] {
  const faults: string[] = [];
  const versions = new Map<string, number>();
  const times = new Map<string, number>();
  let before = 0;
  for (const { id, streamId, version, globalPosition } of events) {
    if (globalPosition <= before) faults.push(`${reader}: position ${globalPosition} after ${before}`);
    before = globalPosition;
    const expected = (versions.get(streamId) ?? 0) + 1;
    if (version !== expected) faults.push(`${reader}: ${streamId} has version ${version} where ${expected} belongs`);
    versions.set(streamId, version);
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  for (const attempt of attempts) faults.push(...checkAttempt(reader, attempt, times));
  const asked = new Set(attempts.flatMap(({ ids }) => ids));
  for (const id of times.keys()) if (!asked.has(id)) faults.push(`${reader}: ${id} was never appended`);
  return faults;
}

function checkAttempt(reader: string, { ids, outcome }: Attempt, times: ReadonlyMap<string, number>): string[] {
  const seen = ids.map((id) => times.get(id) ?? 0);
  const faults = ids.filter((_, index) => (seen[index] ?? 0) > 1).map((id) => `${reader}: ${id} read twice`);
  const present = seen.filter((count) => count > 0).length;
  if (outcome === 'ok' && present < ids.length) faults.push(`${reader}: lost ${ids.length - present} of ${ids.join()}`);
  if (outcome === 'fail' && present > 0) faults.push(`${reader}: failed append ${ids.join()} was read`);
  if (present > 0 && present < ids.length) faults.push(`${reader}: half of ${ids.join()} was read`);
  return faults;
}

function checkAgreement(readers: readonly [string, readonly RecordedEvent[]][]): string[] {
  const [first, ...others] = readers.map(([reader, events]) => ({ reader, order: events.map(({ id }) => id).join() }));
  return others
    .filter(({ order }) => order !== first?.order)
    .map(({ reader }) => `${reader} and ${first?.reader} read different orders`);
}

/** An append acknowledged before another began has the lower positions. */
function checkRealTime({ attempts }: History): string[] {
  const faults: string[] = [];
  const done = attempts.filter(({ positions }) => positions.length > 0);
  const byEnd = [...done].sort((a, b) => a.endedAt - b.endedAt);
  let highest = 0;
  let ended = 0;
  for (const attempt of [...done].sort((a, b) => a.invokedAt - b.invokedAt)) {
    for (let next = byEnd[ended]; next !== undefined && next.endedAt < attempt.invokedAt; next = byEnd[++ended]) {
      highest = Math.max(highest, ...next.positions);
    }
    const lowest = Math.min(...attempt.positions);
    if (lowest <= highest) faults.push(`position ${lowest} was given after ${highest} had been acknowledged`);
  }
  return faults;
}

function checkCheckpoints({ checkpoints }: History): string[] {
  const faults: string[] = [];
  const latest = new Map<string, number>();
  for (const { subscriptionId, position, safeHead } of checkpoints) {
    const before = latest.get(subscriptionId) ?? 0;
    if (position < before) faults.push(`${subscriptionId} went down from ${before} to ${position}`);
    if (position > safeHead) faults.push(`${subscriptionId} at ${position} is above the safe head ${safeHead}`);
    latest.set(subscriptionId, position);
  }
  return faults;
}
