/**
 * The rows of a projection that are about a stream, as of an earlier moment, by replay in memory. The live tables are not
 * read, and nothing is written.
 */

import { type CodeState, compareCode } from '../domain/code-identity.js';
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { groupDigits } from '../domain/numbers.js';
import type { StoredRow, StoredValue } from '../domain/read-model.js';
import { type RowKey, toRowKeys } from '../projection/define/columns.js';
import {
  isExternalProjection,
  isKeyedByStream,
  isTableProjection,
  type PreparedProjection,
  type PreparedTableProjection,
} from '../projection/define/prepare.js';
import { findParked } from '../projection/repair/repair.js';
import { Replay, type ReplayOptions } from '../projection/repair/replay.js';
import { collectKeys, type Keys } from '../projection/repair/scope.js';
import type { Store } from '../store/store.js';
import { type Bound, findBound, findLatest, type Point, type StateMoment, toMoment } from './moment.js';

export interface StateOptions {
  readonly store: Store;
  readonly projection: PreparedProjection;
  readonly streamId: string;
  /** Reads any number of events, where a row may be about events of other streams. */
  readonly exact: boolean;
  /** The command that sets `exact`, for the error that asks for it. */
  readonly exactCommand: string;
  readonly progress: (position: number, to: number) => void;
  readonly signal: AbortSignal;
}

interface Told {
  readonly projection: string;
  readonly stream: string;
  /** Of the code that replays. */
  readonly codeVersion: number;
  /** Whether the same code made the live rows; `new` when there are none. */
  readonly code: CodeState | 'new';
  /** Parked events that were left out, as the live rows lack them. */
  readonly parked: number;
  /** Later events of the stream that cannot be read yet, because an open transaction holds the safe head. */
  readonly held: number;
}

export interface State extends Told {
  readonly at: StateMoment;
  /** The only row; null when there is none, or several. */
  readonly row: StoredRow | null;
  readonly rows: readonly StoredRow[];
}

export interface RowChange {
  readonly key: StoredRow;
  readonly kind: 'added' | 'changed' | 'removed' | 'same';
  readonly changes: Readonly<Record<string, { readonly before: StoredValue; readonly after: StoredValue }>>;
}

export interface HistoryEntry extends RowChange {
  readonly stream: string;
  readonly version: number;
  readonly position: number;
  readonly type: string;
  readonly id: string;
  readonly createdAt: string;
  /** After the event; null when there is none. */
  readonly row: StoredRow | null;
}

export interface StateHistory extends Told {
  readonly at: StateMoment;
  /** One for each event and row, oldest first. */
  readonly history: readonly HistoryEntry[];
  /** Earlier entries that were left out. */
  readonly omitted: number;
}

export interface StateDiff extends Told {
  readonly from: StateMoment;
  readonly to: StateMoment;
  readonly rows: readonly (RowChange & { readonly before: StoredRow | null; readonly after: StoredRow | null })[];
}

/** A projection with a key of its own is about any stream: with more events than this, it has to be asked for. */
const mostEvents = 100_000;
/**
 * Returns the rows that the events of the stream up to the point are about.
 * @throws E_NOT_FOUND for a version or position that there is not
 * @throws E_USAGE for a projection that cannot be replayed row by row, and when too many events would be read
 * @throws E_HANDLER naming the event
 */
export async function stateAt(options: StateOptions, point: Point): Promise<State> {
  const projection = asReplayable(options.projection);
  const bound = await findBound(options.store, options.streamId, point, options.signal);
  const keys = await findKeys(options, projection, [bound]);
  const replay = await replayTo(options, projection, keys, bound);
  const rows = [...keys.keys()].map((key) => replay.rowOf(key)).filter((row) => row !== null);
  const [only = null, ...others] = rows;
  const told = await tell(options, projection, replay, point.kind === 'now' ? bound : undefined);
  return { ...told, at: toMoment(bound), row: others.length === 0 ? only : null, rows };
}

/** As `stateAt`, event by event. @param limit keeps the last entries; all unless set */
export async function stateHistory(
  options: StateOptions,
  point: Point,
  limit = Number.POSITIVE_INFINITY,
): Promise<StateHistory> {
  const projection = asReplayable(options.projection);
  const bound = await findBound(options.store, options.streamId, point, options.signal);
  const keys = await findKeys(options, projection, [bound]);
  const before = new Map<string, StoredRow | null>();
  let history: HistoryEntry[] = [];
  let entries = 0;
  const observe = (event: RecordedEvent, about: readonly RowKey[]) => {
    for (const { text, columns } of about) {
      const row = replay.rowOf(text);
      history.push(toEntry(event, columns, before.get(text) ?? null, row));
      before.set(text, row);
      entries += 1;
    }
    if (history.length > 2 * limit) history = history.slice(-limit);
  };
  const replay: Replay = await startReplay(options, projection, keys, bound, observe);
  await replay.advance(bound.position, options.signal);
  const kept = limit < history.length ? history.slice(-limit) : history;
  const told = await tell(options, projection, replay, point.kind === 'now' ? bound : undefined);
  return { ...told, at: toMoment(bound), history: kept, omitted: entries - kept.length };
}

/** Compares the rows at two points: those that the events of the stream up to the later one are about. */
export async function stateDiff(options: StateOptions, points: readonly [Point, Point]): Promise<StateDiff> {
  const projection = asReplayable(options.projection);
  const from = await findBound(options.store, options.streamId, points[0], options.signal);
  const to = await findBound(options.store, options.streamId, points[1], options.signal);
  const keys = await findKeys(options, projection, [from, to]);
  const [old, current] = [
    await replayTo(options, projection, keys, from),
    await replayTo(options, projection, keys, to),
  ];
  const rows = [...keys].map(([text, key]) => {
    const [before, after] = [old.rowOf(text), current.rowOf(text)];
    return { ...compareRows(key, before, after), before, after };
  });
  const told = await tell(options, projection, current, points[1].kind === 'now' ? to : undefined);
  return { ...told, from: toMoment(from), to: toMoment(to), rows };
}

/** Returns the projections that handle an event of the stream. @param loaded in any order */
export async function findHandling<Projection extends PreparedProjection>(
  { log }: Pick<Store, 'log'>,
  loaded: readonly Projection[],
  streamId: string,
): Promise<readonly Projection[]> {
  const handling: Projection[] = [];
  for (const projection of loaded) {
    for await (const { events } of log.readAll({ ...projection.filter, streamId, limit: 1 })) {
      if (events.length > 0) handling.push(projection);
    }
  }
  return handling;
}

/** Returns true when the rows of the projection can be replayed one by one. */
export function isReplayable(projection: PreparedProjection): boolean {
  return isTableProjection(projection);
}

function asReplayable(projection: PreparedProjection): PreparedTableProjection {
  if (isTableProjection(projection)) return projection;
  const { name } = projection;
  throw new EvstoreError('E_USAGE', `the rows of ${name} cannot be replayed`, {
    why: isExternalProjection(projection)
      ? 'They are not in the database of this store.'
      : 'Its SQL statements may read and change any row, so evstore cannot tell which events a row depends on.',
    next: isExternalProjection(projection) ? 'evstore projections' : `evstore rows ${name}`,
  });
}

/** Returns the keys of the rows that the events of the stream up to any of the bounds are about. */
async function findKeys(
  { store, streamId, signal, exact, exactCommand }: StateOptions,
  projection: PreparedTableProjection,
  bounds: readonly Bound[],
): Promise<Keys> {
  if (isKeyedByStream(projection)) {
    return new Map(toRowKeys(projection.shape, streamId).map(({ text, columns }) => [text, columns]));
  }
  const keys = new Map<string, StoredRow>();
  for (const { position, until } of bounds) {
    if (!exact) await assertFew(store, projection, position, exactCommand);
    const scope = { kind: 'stream', streamId, until } as const;
    const found = await collectKeys(store, projection, scope, position, signal).catch((error: unknown) => {
      if (error instanceof EvstoreError && error.code === 'E_NOT_FOUND') return new Map<string, StoredRow>();
      throw error;
    });
    for (const [text, key] of found) keys.set(text, key);
  }
  return keys;
}

/** Counts by index, so it takes no longer than reading that many events. @throws E_USAGE */
async function assertFew(
  { statistics }: Store,
  { name, filter }: PreparedTableProjection,
  position: number,
  next: string,
): Promise<void> {
  if (position <= mostEvents) return;
  let events = filter.types === undefined ? position : 0;
  for (const type of filter.types ?? []) {
    if (events <= mostEvents) events += await statistics.countType(type, mostEvents + 1 - events);
  }
  if (events <= mostEvents) return;
  throw new EvstoreError('E_USAGE', `the rows of ${name} may depend on more than ${groupDigits(mostEvents)} events`, {
    why: 'Their key is not the stream, so an event of any stream may be about them. --exact reads all events that the projection handles.',
    next,
    details: { projection: name, mostEvents },
  });
}

async function replayTo(
  options: StateOptions,
  projection: PreparedTableProjection,
  keys: Keys,
  bound: Bound,
): Promise<Replay> {
  const replay = await startReplay(options, projection, keys, bound);
  if (keys.size > 0) await replay.advance(bound.position, options.signal);
  return replay;
}

async function startReplay(
  { store, progress }: StateOptions,
  projection: PreparedTableProjection,
  keys: Keys,
  { position, until }: Bound,
  observe?: ReplayOptions['observe'],
): Promise<Replay> {
  return new Replay(store, projection, keys, await findParked(store, projection.name), {
    until,
    progress: (upTo) => progress(upTo, position),
    ...(observe !== undefined && { observe }),
  });
}

/** @param now the bound of a question about now */
async function tell(
  { store, streamId }: StateOptions,
  projection: PreparedTableProjection,
  replay: Replay,
  now: Bound | undefined,
): Promise<Told> {
  const { name, version } = projection;
  const record = (await store.projections.list()).find((each) => each.name === name);
  const latest = now === undefined ? undefined : await findLatest(store.log, streamId);
  return {
    projection: name,
    stream: streamId,
    codeVersion: version,
    code: record === undefined ? 'new' : compareCode(record, projection),
    parked: replay.skipped,
    held: now === undefined ? 0 : Math.max(0, (latest?.version ?? 0) - now.version),
  };
}

function toEntry(event: RecordedEvent, key: StoredRow, before: StoredRow | null, row: StoredRow | null): HistoryEntry {
  const { streamId, version, globalPosition, type, id, createdAt } = event;
  const place = { stream: streamId, version, position: globalPosition, type, id, createdAt };
  return { ...place, ...compareRows(key, before, row), row };
}

function compareRows(key: StoredRow, before: StoredRow | null, after: StoredRow | null): RowChange {
  const names = Object.keys(after ?? before ?? {}).filter((name) => !Object.hasOwn(key, name));
  const changes = names.flatMap((name) => {
    const [old, current] = [before?.[name] ?? null, after?.[name] ?? null];
    return old === current ? [] : [[name, { before: old, after: current }] as const];
  });
  const kind = before === null ? 'added' : after === null ? 'removed' : changes.length > 0 ? 'changed' : 'same';
  return { key, kind: before === null && after === null ? 'same' : kind, changes: Object.fromEntries(changes) };
}
