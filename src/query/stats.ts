/** How much there is, where, and how fast it grows. */
import type { SampledEvent, Store, StoreSizes } from '../store/store.js';
import { type CensusOptions, takeCensus } from './census.js';
import { positionAt } from './position-at.js';

export interface Stats {
  readonly events: number;
  /** Streams that began, each of which has one event of version 1. */
  readonly streams: number;
  readonly bytes: {
    /** Of the whole store on disk. */
    readonly store: number;
    /** With their indexes; null where measuring them would mean reading the whole store. */
    readonly tables: Readonly<Record<string, number>> | null;
    /** Of data and metadata of an average event; null without events. */
    readonly payload: number | null;
  };
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  /** Days and hours of UTC in which there are events, oldest first. */
  readonly byDay: readonly { readonly day: string; readonly events: number }[];
  readonly byHour: readonly { readonly hour: string; readonly events: number }[];
  /** By events, the largest first. */
  readonly largestStreams: readonly { readonly streamId: string; readonly events: number }[];
  /** By events, in the hour before the last event. */
  readonly lastHour: readonly { readonly type: string; readonly events: number }[];
  /** Events and streams were not counted, and a large stream may be missing from the list. */
  readonly estimated: boolean;
}

export interface StatsOptions extends CensusOptions {
  /** RFC 3339; only what was recorded at or after. */
  readonly since?: string;
}

const mostStreams = 10;
/** Streams that may be among the largest, of which the true size is looked up. */
const candidates = 100;
/** Of the head, in which the last hour is looked for. */
const lastEvents = 10_000;
const hourMs = 3_600_000;

export async function takeStats(store: Store, options: StatsOptions): Promise<Stats> {
  const { exact, since } = options;
  const after = since === undefined || exact ? 0 : await positionAt(store, since);
  const tally = new Tally(since);
  const census = await takeCensus(store, (events) => tally.add(events), { ...options, after });
  const sizes = await store.statistics.sizes(exact || !census.isEstimated);
  const scale = (count: number) => Math.round(count * census.weight);
  const largest = await lookUpLargest(store, tally.highest(candidates));
  tally.addTimes(await readEnds(store, after));
  const lastHour = await countLastHour(store, tally.lastAt, census.head);
  return {
    events: scale(tally.events),
    streams: scale(tally.firsts),
    bytes: toBytes(sizes, tally),
    firstAt: tally.firstAt,
    lastAt: tally.lastAt,
    byDay: tally.counts(10).map(([day, events]) => ({ day, events: scale(events) })),
    byHour: tally.counts(13).map(([hour, events]) => ({ hour: `${hour}:00Z`, events: scale(events) })),
    largestStreams: largest,
    lastHour: lastHour.types,
    estimated: census.isEstimated || lastHour.isEstimated,
  };
}

/** What is kept of the events that were seen. */
class Tally {
  events = 0;
  firsts = 0;
  firstAt: string | null = null;
  lastAt: string | null = null;
  #bytes = 0;
  readonly #since: string;
  readonly #hours = new Map<string, number>();
  readonly #streams = new Map<string, number>();

  constructor(since = '') {
    this.#since = since;
  }

  add(events: readonly SampledEvent[]): void {
    this.addTimes(events.map(({ createdAt }) => createdAt));
    for (const { createdAt, streamId, version, bytes } of events) {
      if (createdAt < this.#since) continue;
      this.events += 1;
      this.#bytes += bytes;
      if (version === 1) this.firsts += 1;
      const hour = createdAt.slice(0, '2026-01-31T09'.length);
      this.#hours.set(hour, (this.#hours.get(hour) ?? 0) + 1);
      this.#streams.set(streamId, Math.max(version, this.#streams.get(streamId) ?? 0));
    }
  }

  addTimes(times: readonly string[]): void {
    for (const time of times) {
      if (time < this.#since) continue;
      if (this.firstAt === null || time < this.firstAt) this.firstAt = time;
      if (this.lastAt === null || time > this.lastAt) this.lastAt = time;
    }
  }

  /** Bytes of an average event. */
  get payload(): number | null {
    return this.events === 0 ? null : Math.round(this.#bytes / this.events);
  }

  /** @param length of the beginning of a time that names the period: 10 for days, 13 for hours */
  counts(length: number): readonly (readonly [period: string, events: number])[] {
    const counts = new Map<string, number>();
    for (const [hour, events] of this.#hours) {
      const period = hour.slice(0, length);
      counts.set(period, (counts.get(period) ?? 0) + events);
    }
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Streams of which the highest versions were seen. */
  highest(count: number): readonly string[] {
    return [...this.#streams]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([streamId]) => streamId);
  }
}

function toBytes({ bytes, tables }: StoreSizes, { payload }: Tally): Stats['bytes'] {
  const named = tables?.map(({ table, bytes: size }) => [table, size] as const);
  return { store: bytes, tables: named === undefined ? null : Object.fromEntries(named), payload };
}

/** The times of the first and the last event, which the census may not have seen. */
async function readEnds({ log }: Store, after: number): Promise<readonly string[]> {
  const times: string[] = [];
  for (const backwards of [false, true]) {
    for await (const { events } of log.readAll({ after, backwards, limit: 1, batchSize: 1 })) {
      times.push(...events.map(({ createdAt }) => createdAt));
    }
  }
  return times;
}

async function lookUpLargest({ log }: Store, names: readonly string[]): Promise<Stats['largestStreams']> {
  const streams: { readonly streamId: string; readonly events: number }[] = [];
  for (const streamId of names) {
    for await (const { events } of log.readStream(streamId, { backwards: true, limit: 1 })) {
      const [last] = events;
      if (last !== undefined) streams.push({ streamId, events: last.version });
    }
  }
  return streams.sort((a, b) => b.events - a.events).slice(0, mostStreams);
}

/** Looks back from the head. In a busy hour only its end is counted, and stands for the whole of it. */
async function countLastHour(
  { statistics }: Store,
  lastAt: string | null,
  head: number,
): Promise<{ readonly types: Stats['lastHour']; readonly isEstimated: boolean }> {
  if (lastAt === null) return { types: [], isEstimated: false };
  const last = Date.parse(lastAt);
  const recent = await statistics.sample([{ after: Math.max(0, head - lastEvents), to: head }]);
  const within = recent.filter(({ createdAt }) => Date.parse(createdAt) > last - hourMs);
  const isEstimated = head > lastEvents && within.length === recent.length;
  const seenMs = Math.max(1, last - Math.min(...within.map(({ createdAt }) => Date.parse(createdAt))));
  const weight = isEstimated ? hourMs / seenMs : 1;
  const counts = new Map<string, number>();
  for (const { type } of within) counts.set(type, (counts.get(type) ?? 0) + 1);
  const types = [...counts].map(([type, events]) => ({ type, events: Math.round(events * weight) }));
  return { types: types.sort((a, b) => b.events - a.events), isEstimated };
}
