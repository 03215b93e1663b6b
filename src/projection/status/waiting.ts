/**
 * Counts the events that wait for a subscription: those behind its checkpoint that it handles. What it would pass over is
 * not lag. The cost is bounded, however long the log is; a longer range is estimated from samples.
 */
import type { AuditFilter } from '../../domain/audit.js';
import type { EventFilter, RecordedEvent } from '../../domain/event.js';
import type { EventLog } from '../../store/store.js';

/** Positions that are counted in one range. Two samples are half of it each. */
const mostCounted = 10_000;
/** Without a filter only gaps make positions and events differ, so fewer are worth counting. */
const mostCountedOfAll = 500;
/** Positions counted at a time when everything is counted: in between, signals and timers get their turn. */
const sliceLength = 100_000;

export interface Range {
  /** Exclusive. */
  readonly after: number;
  /** The safe head. */
  readonly to: number;
  /** Undefined when nothing is known about what it handles: then every event counts. */
  readonly filter: AuditFilter | undefined;
}

export interface Waiting {
  readonly events: number;
  readonly isEstimated: boolean;
  /** The first event that waits; undefined without any. */
  readonly first: RecordedEvent | undefined;
}

export async function measureWaiting(log: EventLog, range: Range): Promise<Waiting> {
  const { after, to, filter } = range;
  const length = to - after;
  if (length <= 0) return { events: 0, isEstimated: false, first: undefined };
  const isAll = filter === undefined || (filter.category === undefined && filter.types === undefined);
  if (length <= (isAll ? mostCountedOfAll : mostCounted)) {
    const events = await tally(log, filter ?? {}, after, to);
    const first = events === 0 ? undefined : await firstEvent(log, filter ?? {}, after, to);
    return { events, isEstimated: filter === undefined, first };
  }
  if (isAll) return { events: length, isEstimated: true, first: await firstEvent(log, {}, after, to) };
  const half = mostCounted / 2;
  const early = await tally(log, filter, after, after + half);
  const late = await tally(log, filter, to - half, to);
  // Nothing in the sample says little about the rest: the first event of any kind is not too late.
  const first = await firstEvent(log, early > 0 ? filter : {}, after, to);
  return { events: Math.round(((early + late) / mostCounted) * length), isEstimated: true, first };
}

/** Reads that part of the log. @throws the signal's reason when it aborts */
export async function countWaiting(
  log: EventLog,
  { after, to, filter = {} }: Range,
  signal?: AbortSignal,
): Promise<number> {
  let events = 0;
  for (let from = after; from < to; from += sliceLength) {
    signal?.throwIfAborted();
    events += await tally(log, filter, from, Math.min(to, from + sliceLength));
  }
  return events;
}

async function tally(log: EventLog, filter: AuditFilter, after: number, to: number): Promise<number> {
  return (await log.tally({ after, to }, filter)).events;
}

async function firstEvent(
  log: EventLog,
  filter: EventFilter,
  after: number,
  to: number,
): Promise<RecordedEvent | undefined> {
  for await (const { events } of log.readAll({ ...filter, after, to, safeHead: to, limit: 1, batchSize: 1 })) {
    if (events[0] !== undefined) return events[0];
  }
  return undefined;
}
