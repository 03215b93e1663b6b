/** Looks at the events of a store, and infers the shapes of their data. */
import type { EventQuery, JsonText, RecordedEvent } from '../domain/event.js';
import { parseJson } from '../domain/json-value.js';
import { maxPayloadBytes } from '../domain/limits.js';
import { sagaOf } from '../domain/subscription-names.js';
import type { PositionRange, Store, TypeSpan } from '../store/store.js';
import { DataSighting } from './data-sighting.js';
import type { TypeShape, VersionShape } from './shape.js';
import { toShape } from './to-shape.js';

export interface LookOptions {
  /** The most events of each type; `all` reads the whole log. Undefined reads a log whole if that takes about a second. */
  readonly sample: number | 'all' | undefined;
  /** Lists the values of texts that are a choice between a few. */
  readonly enums: boolean;
  /** Only events of streams of this category. */
  readonly category?: string | undefined;
  /** Only these types. */
  readonly types?: readonly string[] | undefined;
  /** Told after every part that was read. */
  readonly progress: (done: number, total: number) => void;
  /** @throws its reason when it aborts */
  readonly signal: AbortSignal;
}

export interface Looked {
  /** By name. */
  readonly types: readonly TypeShape[];
  /** The number of events that were looked at. */
  readonly events: number;
  /** The last position that was looked at: the safe head at the start. */
  readonly seenTo: number;
  /** The id of the event there; null in an empty log. */
  readonly seenToId: string | null;
  /** Every event was looked at. */
  readonly complete: boolean;
  /** Types beyond the most that are told apart, by name. */
  readonly leftOutTypes: number;
  /** Events of old schema versions beyond the most that are told apart. */
  readonly leftOutVersions: number;
  /** Events larger than evstore stores: other programs wrote them. */
  readonly tooLarge: number;
}

/** A log of fewer positions is read whole. */
const fewPositions = 50_000;
export const usualSample = 1_000;
/** A sample is taken at as many places between the first event of a type and its last. */
const samplePlaces = 10;
export const mostTypes = 1_000;
/** The newest ones. */
const mostVersions = 10;
/** Different places in the data of a type, and of all types together. */
const mostPlaces = 20_000;
const mostPlacesOfAll = 400_000;
const fewestPlaces = 500;

export async function lookAtStore(store: Store, options: LookOptions): Promise<Looked> {
  const { safeHead: seenTo } = await store.log.head();
  const wanted = options.types === undefined ? undefined : new Set(options.types);
  const spans = (await store.statistics.types()).filter(({ type }) => wanted?.has(type) ?? true);
  spans.sort((a, b) => (a.type < b.type ? -1 : 1));
  const kept = spans.slice(0, mostTypes);
  const looks = new Looks(kept, options.enums);
  const isWhole = options.sample === 'all' || (options.sample === undefined && seenTo <= fewPositions);
  if (isWhole) await readWhole(store, looks, seenTo, options);
  else await readSamples(store, looks, kept, seenTo, options);
  const types = looks.finish();
  return {
    types,
    events: types.flatMap(({ versions }) => versions).reduce((sum, { events }) => sum + events, 0),
    seenTo,
    seenToId: await findIdAt(store, seenTo),
    complete: looks.tooLarge === 0 && types.every(({ versions }) => versions.every(({ complete }) => complete)),
    leftOutTypes: spans.length - kept.length,
    leftOutVersions: looks.leftOutVersions,
    tooLarge: looks.tooLarge,
  };
}

async function readWhole({ log }: Store, looks: Looks, seenTo: number, options: LookOptions): Promise<void> {
  const { signal, progress, category, types } = options;
  const range = { to: seenTo, ...(category !== undefined && { category }), ...(types !== undefined && { types }) };
  for await (const { events, upTo } of log.readAll(range)) {
    signal.throwIfAborted();
    for (const event of events) looks.see(event);
    progress(upTo, seenTo);
  }
}

async function readSamples(
  store: Store,
  looks: Looks,
  spans: readonly TypeSpan[],
  seenTo: number,
  options: LookOptions,
): Promise<void> {
  const { signal, progress, category, sample = usualSample } = options;
  const most = Number(sample);
  for (const [index, { type, firstPosition, lastPosition }] of spans.entries()) {
    signal.throwIfAborted();
    const span = { after: firstPosition - 1, to: Math.min(lastPosition, seenTo) };
    const filter = { types: [type], ...(category !== undefined && { category }) };
    const isSmall = (await store.statistics.countType(type, most + 1)) <= most;
    if (!isSmall) looks.markSampled(type);
    const events = isSmall ? readRange(store, filter, span) : readPlaces(store, filter, span, most);
    for await (const event of events) looks.see(event);
    progress(index + 1, spans.length);
  }
}

async function* readRange({ log }: Store, filter: EventQuery, range: PositionRange): AsyncGenerator<RecordedEvent> {
  for await (const { events } of log.readAll({ ...filter, ...range })) yield* events;
}

interface Place {
  /** Exclusive. */
  readonly after: number;
  readonly limit: number;
}

/** Yields so many events of a range, each once: those at several places, and the last ones. */
async function* readPlaces(
  { log }: Store,
  filter: EventQuery,
  span: PositionRange,
  most: number,
): AsyncGenerator<RecordedEvent> {
  const places = choosePlaces(span, most);
  let after = span.after;
  for (const place of places) {
    after = Math.max(after, place.after);
    for await (const { events } of log.readAll({ ...filter, after, to: span.to, limit: place.limit })) {
      yield* events;
      after = events.at(-1)?.globalPosition ?? after;
    }
  }
  // What programs write now is most like what handlers will get.
  const limit = most - places.reduce((sum, place) => sum + place.limit, 0);
  for await (const { events } of log.readAll({ ...filter, after, to: span.to, limit, backwards: true })) yield* events;
}

/** Returns where to begin to read, and how many events: evenly from the first event on. One share is left for the last ones. */
function choosePlaces(span: PositionRange, most: number): readonly Place[] {
  const places = Math.min(samplePlaces, most - 1);
  const step = (span.to - span.after) / places;
  return Array.from({ length: places }, (_, index) => ({
    after: Math.floor(span.after + index * step),
    limit: Math.floor(((index + 1) * most) / (places + 1)) - Math.floor((index * most) / (places + 1)),
  }));
}

/** Returns the id of the last event up to a position; null without any. */
export async function findIdAt({ log }: Pick<Store, 'log'>, position: number): Promise<string | null> {
  if (position === 0) return null;
  for await (const { events } of log.readAll({ to: position, backwards: true, limit: 1 })) return events[0]?.id ?? null;
  return null;
}

/** Returns true for a fact that the saga engine recorded. A program may have a category `saga` of its own. */
export function isOfSaga({ streamId, streamType }: Pick<RecordedEvent, 'streamId' | 'streamType'>): boolean {
  return streamType === 'saga' && sagaOf(streamId) !== undefined;
}

/** Returns the data of an event; undefined when it is too large to look at. */
export function readData(data: JsonText): unknown {
  return data.length > maxPayloadBytes ? undefined : parseJson(data, true);
}

interface Look {
  events: number;
  readonly data: DataSighting;
}

/** The looks at every type and schema version. */
class Looks {
  readonly #types = new Map<string, Map<number, Look>>();
  readonly #sampled = new Set<string>();
  readonly #mostPlaces: number;
  readonly #enums: boolean;
  leftOutVersions = 0;
  tooLarge = 0;

  constructor(spans: readonly TypeSpan[], enums: boolean) {
    for (const { type } of spans) this.#types.set(type, new Map());
    this.#mostPlaces = Math.max(fewestPlaces, Math.min(mostPlaces, Math.floor(mostPlacesOfAll / spans.length)));
    this.#enums = enums;
  }

  markSampled(type: string): void {
    this.#sampled.add(type);
  }

  see(event: RecordedEvent): void {
    const versions = this.#types.get(event.type);
    if (versions === undefined || isOfSaga(event)) return;
    const look = versions.get(event.schemaVersion) ?? this.#add(versions, event.schemaVersion);
    if (look === undefined) return;
    const data = readData(event.data);
    if (data === undefined) {
      this.tooLarge += 1;
      return;
    }
    look.events += 1;
    look.data.see(data);
  }

  /** Returns undefined for a version that is older than the newest ones. */
  #add(versions: Map<number, Look>, version: number): Look | undefined {
    const oldest = Math.min(...versions.keys());
    if (versions.size >= mostVersions && version < oldest) {
      this.leftOutVersions += 1;
      return undefined;
    }
    const look = { events: 0, data: new DataSighting(this.#mostPlaces) };
    versions.set(version, look);
    if (versions.size <= mostVersions) return look;
    this.leftOutVersions += versions.get(oldest)?.events ?? 0;
    versions.delete(oldest);
    return look;
  }

  finish(): readonly TypeShape[] {
    return [...this.#types].flatMap(([type, versions]) => {
      const shapes = [...versions].map(([version, look]) => this.#toVersion(type, version, look));
      const seen = shapes.filter(({ events }) => events > 0).sort((a, b) => a.version - b.version);
      return seen.length === 0 ? [] : [{ type, versions: seen }];
    });
  }

  #toVersion(type: string, version: number, { events, data }: Look): VersionShape {
    const complete = !this.#sampled.has(type);
    const { levels } = data;
    return { version, events, complete, data: toShape(data.root, levels, { enums: this.#enums, complete }) };
  }
}
