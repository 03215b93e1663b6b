/** Loads the state of an aggregate: from its snapshot, if that can be trusted, and the events since. */
import { detach } from '../domain/detach.js';
import type { Snapshot, Store } from '../store/store.js';
import { evolveState } from './evolve.js';
import { makeInitial, type PreparedAggregate, streamOf } from './prepare.js';
import { readState } from './state-json.js';
import { isTrusted, judgeSnapshot } from './trust.js';

/** The state of an aggregate, as `load` returns it. */
export interface LoadedAggregate<State> {
  readonly streamId: string;
  readonly state: State;
  /** Of the last event in it; 0 when there is none. */
  readonly version: number;
}

export interface LoadedState {
  readonly state: unknown;
  /** Of the last event in it; 0 for a stream without events. */
  readonly version: number;
  /** Of that event; undefined for a stream without events. */
  readonly eventId: string | undefined;
  /** How many events were read. */
  readonly read: number;
  /** The one that the stream has, trusted or not. */
  readonly snapshot: Snapshot | undefined;
}

/** @throws E_INVALID_INPUT for a wrong id, E_HANDLER naming the event that `evolve` failed on */
export async function loadAggregate<State>(
  store: Pick<Store, 'log' | 'snapshots'>,
  aggregate: PreparedAggregate,
  id: string,
): Promise<LoadedAggregate<State>> {
  const streamId = streamOf(aggregate, id);
  const { state, version } = await loadState(store, aggregate, streamId);
  return { streamId, state: state as State, version };
}

/** @throws E_HANDLER naming the event that `evolve` failed on */
export async function loadState(
  store: Pick<Store, 'log' | 'snapshots'>,
  aggregate: PreparedAggregate,
  streamId: string,
): Promise<LoadedState> {
  const snapshot = aggregate.every === undefined ? undefined : await store.snapshots.find(streamId);
  if (snapshot === undefined || !isTrusted(judgeSnapshot(snapshot, aggregate))) {
    return { ...(await foldStream(store, aggregate, streamId)), snapshot };
  }
  const { version, storedEventId, data } = snapshot;
  const start = { state: readState(data), version, eventId: storedEventId ?? undefined };
  return { ...(await foldStream(store, aggregate, streamId, { start })), snapshot };
}

type Folded = Omit<LoadedState, 'snapshot'>;

/**
 * Folds the events of a stream, with no snapshot unless one is given as the start.
 * @param options.upTo a version, or a test that the first event to leave out fails
 */
export async function foldStream(
  { log }: Pick<Store, 'log'>,
  aggregate: PreparedAggregate,
  streamId: string,
  { start, upTo }: { readonly start?: Omit<Folded, 'read'>; readonly upTo?: number } = {},
): Promise<Folded> {
  let { state, version, eventId } = start ?? {
    state: makeInitial(aggregate.definition),
    version: 0,
    eventId: undefined,
  };
  let read = 0;
  const range = { fromVersion: version + 1, ...(upTo !== undefined && { toVersion: upTo }) };
  for await (const { events } of log.readStream(streamId, range)) {
    for (const event of events) state = evolveState(aggregate, state, event);
    const last = events.at(-1);
    if (last === undefined) continue;
    read += events.length;
    ({ version } = last);
    eventId = detach(last.id);
  }
  return { state, version, eventId, read };
}
