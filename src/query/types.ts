/** Which types of events there are: how many, since when, in which shape. */
import type { RecordedEvent } from '../domain/event.js';
import type { SampledEvent, Store, TypeSpan } from '../store/store.js';
import { type CensusOptions, takeCensus } from './census.js';
import { describeFields, type FieldSummary } from './fields.js';

export interface TypeSummary {
  readonly type: string;
  readonly events: number;
  /** True when `events` was not counted. */
  readonly estimated: boolean;
  /** Of all events, from 0 to 1. */
  readonly share: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly lastPosition: number;
  /** In rising order; those of the events that were looked at. */
  readonly schemaVersions: readonly number[];
  /** Of the data of the last events. */
  readonly fields: readonly FieldSummary[];
}

export interface TypeList {
  /** The most frequent first. */
  readonly types: readonly TypeSummary[];
  readonly events: number;
  readonly estimated: boolean;
}

/** The last events of each type whose shape is looked at. */
const shapeEvents = 20;
/** A type that was seen fewer times than this is counted instead. */
const fewSightings = 50;
/** Counting in an index up to here takes a millisecond. */
const mostCounted = 10_000;

export async function listTypes(store: Store, options: CensusOptions): Promise<TypeList> {
  const sightings = new Map<string, { events: number; readonly versions: Set<number> }>();
  const see = (events: readonly SampledEvent[]) => {
    for (const { type, schemaVersion } of events) {
      const sighting = sightings.get(type) ?? { events: 0, versions: new Set() };
      sighting.events += 1;
      sighting.versions.add(schemaVersion);
      sightings.set(type, sighting);
    }
  };
  const census = await takeCensus(store, see, options);
  const types: Omit<TypeSummary, 'share'>[] = [];
  for (const span of await store.statistics.types()) {
    options.signal.throwIfAborted();
    const { events: seen = 0, versions = [] } = sightings.get(span.type) ?? {};
    const counted = census.isEstimated && seen < fewSightings ? await countUpTo(store, span) : undefined;
    const last = await store.statistics.latest(span.type, shapeEvents);
    const events = counted ?? Math.round(seen * census.weight);
    const estimated = census.isEstimated && counted === undefined;
    types.push(summarise(span, { events, estimated, versions: [...versions], last }));
  }
  types.sort((a, b) => b.events - a.events);
  const events = types.reduce((sum, type) => sum + type.events, 0);
  return {
    types: types.map((type) => ({ ...type, share: events === 0 ? 0 : type.events / events })),
    events,
    estimated: types.some(({ estimated }) => estimated),
  };
}

/** Undefined when there are more than are counted. */
async function countUpTo({ statistics }: Store, { type }: TypeSpan): Promise<number | undefined> {
  const events = await statistics.countType(type, mostCounted + 1);
  return events > mostCounted ? undefined : events;
}

interface Facts extends Pick<TypeSummary, 'events' | 'estimated'> {
  readonly versions: readonly number[];
  readonly last: readonly RecordedEvent[];
}

function summarise(
  { type, firstAt, lastAt, lastPosition }: TypeSpan,
  { events, estimated, versions, last }: Facts,
): Omit<TypeSummary, 'share'> {
  const schemaVersions = [...new Set([...versions, ...last.map(({ schemaVersion }) => schemaVersion)])];
  const fields = describeFields(last.map(({ data }) => data));
  return {
    ...{ type, events, estimated, firstAt, lastAt, lastPosition },
    schemaVersions: schemaVersions.sort((a, b) => a - b),
    fields,
  };
}
