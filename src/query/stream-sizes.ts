/** Which streams take the most bytes. */
import type { StreamSummary } from '../domain/event.js';
import { categoryOf } from '../domain/names.js';
import type { SampledEvent, Store, StreamsOptions } from '../store/store.js';
import { type CensusOptions, takeCensus } from './census.js';

export interface SizedStream extends StreamSummary {
  /** Of data and metadata of all its events, as they were written. */
  readonly bytes: number;
  /** True when `bytes` was not added up over all events. */
  readonly estimated: boolean;
}

export interface StreamSizes {
  /** The largest first. */
  readonly streams: readonly SizedStream[];
  readonly estimated: boolean;
}

export interface StreamSizesOptions extends CensusOptions, Pick<StreamsOptions, 'category' | 'prefix' | 'limit'> {}

/** Streams that may be among the largest, of which events are read. */
const candidates = 100;
/** Events of each that are read. One of no more events is measured exactly. */
const eventsOfEach = 200;

interface Amount {
  readonly events: number;
  readonly bytes: number;
}

/**
 * A small log is added up, and any log when it is asked for. Otherwise the candidates are the streams with the most events,
 * and those with the most bytes in a sample of the log: of each, events are looked up by index. A stream of few and very
 * large events may not be among them. It is then reckoned by the average of its category.
 */
export async function measureStreams(store: Store, options: StreamSizesOptions): Promise<StreamSizes> {
  const { signal, limit, category, prefix } = options;
  const tally = new Tally();
  const census = await takeCensus(store, (events) => tally.add(events), options);
  const range = { ...(category !== undefined && { category }), ...(prefix !== undefined && { prefix }) };
  const isLimited = census.isEstimated && limit !== undefined;
  const most = Math.max(candidates, limit ?? 0);
  const sampled = new Set(tally.largest());
  const listed = await store.log.streams({ ...range, sort: 'events', ...(isLimited && { limit: most }) });
  const found = isLimited ? [...listed, ...(await findOthers(store, sampled, listed, range))] : listed;
  const reckoned = found.map((stream) => tally.reckon(stream, census.isEstimated)).sort(bySize);
  const streams: SizedStream[] = [];
  for (const [place, stream] of reckoned.entries()) {
    signal.throwIfAborted();
    const isCandidate = stream.estimated && (place < candidates || sampled.has(stream.streamId));
    streams.push(isCandidate ? await measure(store, stream) : stream);
  }
  streams.sort(bySize);
  return { streams: streams.slice(0, limit), estimated: census.isEstimated };
}

function bySize(a: SizedStream, b: SizedStream): number {
  return b.bytes - a.bytes || (a.streamId < b.streamId ? -1 : 1);
}

/** What was seen of each stream, and of each category. */
class Tally {
  readonly #streams = new Map<string, Amount>();
  readonly #categories = new Map<string, Amount>();
  #all: Amount = { events: 0, bytes: 0 };

  add(events: readonly SampledEvent[]): void {
    for (const { streamId, bytes } of events) {
      addTo(this.#streams, streamId, bytes);
      addTo(this.#categories, categoryOf(streamId), bytes);
      this.#all = { events: this.#all.events + 1, bytes: this.#all.bytes + bytes };
    }
  }

  /** Those of which the most bytes were seen. */
  largest(): readonly string[] {
    const sorted = [...this.#streams].sort(([, a], [, b]) => b.bytes - a.bytes);
    return sorted.slice(0, candidates).map(([streamId]) => streamId);
  }

  /** @param isSample false when all events up to the safe head were seen; the stream may have later ones */
  reckon(stream: StreamSummary, isSample: boolean): SizedStream {
    const seen = this.#streams.get(stream.streamId);
    if (!isSample && seen?.events === stream.events) return { ...stream, bytes: seen.bytes, estimated: false };
    const { events, bytes } = this.#categories.get(categoryOf(stream.streamId)) ?? this.#all;
    const average = events === 0 ? 0 : bytes / events;
    return { ...stream, bytes: Math.round(average * stream.events), estimated: true };
  }
}

function addTo(amounts: Map<string, Amount>, name: string, more: number): void {
  const { events, bytes } = amounts.get(name) ?? { events: 0, bytes: 0 };
  amounts.set(name, { events: events + 1, bytes: bytes + more });
}

/** Streams that the sample shows to be large, and that are not among those with the most events. */
async function findOthers(
  { log }: Store,
  sampled: ReadonlySet<string>,
  listed: readonly StreamSummary[],
  { category, prefix = '' }: Pick<StreamsOptions, 'category' | 'prefix'>,
): Promise<readonly StreamSummary[]> {
  const known = new Set(listed.map(({ streamId }) => streamId));
  const isMeant = (streamId: string) =>
    category === undefined ? streamId.startsWith(prefix) : streamId === category || streamId.startsWith(`${category}-`);
  const others: StreamSummary[] = [];
  for (const streamId of sampled) {
    if (known.has(streamId) || !isMeant(streamId)) continue;
    // The first of all names that begin with it is the name itself.
    const [stream] = await log.streams({ prefix: streamId, limit: 1 });
    if (stream !== undefined) others.push(stream);
  }
  return others;
}

/** Reads its events, or as many in even distances. */
async function measure({ statistics }: Store, stream: SizedStream): Promise<SizedStream> {
  const places = Math.min(stream.events, eventsOfEach);
  const versions = Array.from({ length: places }, (_, place) => 1 + Math.floor((place * stream.events) / places));
  const { events, bytes } = await statistics.measureStream(stream.streamId, versions);
  if (events === stream.events) return { ...stream, bytes, estimated: false };
  return { ...stream, bytes: Math.round((bytes * stream.events) / Math.max(1, events)) };
}
