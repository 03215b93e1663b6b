/** Makes, judges and verifies snapshots for people. It always folds all events: no snapshot is trusted here. */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { jsonEquals } from '../domain/json.js';
import { categoryOf } from '../domain/names.js';
import { shellWord } from '../domain/shell-word.js';
import type { Snapshot, SnapshotSummary, SnapshotsOptions, Store } from '../store/store.js';
import { describeFault, toSnapshot } from './keep-snapshot.js';
import { foldStream } from './load-state.js';
import type { PreparedAggregate } from './prepare.js';
import { StateFault } from './state-json.js';
import { isTrusted, judgeSnapshot, type SnapshotState } from './trust.js';

/** By the name of the aggregate. */
export type AggregateCode = ReadonlyMap<string, PreparedAggregate>;

const pageSize = 1_000;

/** Reads any number of snapshots by stream, page by page. */
export async function* readSnapshots(
  { snapshots }: Pick<Store, 'snapshots'>,
  options: Omit<SnapshotsOptions, 'sort' | 'limit' | 'after'> = {},
): AsyncGenerator<SnapshotSummary> {
  let after: string | undefined;
  for (;;) {
    const page = await snapshots.list({ ...options, after, limit: pageSize });
    yield* page;
    if (page.length < pageSize) return;
    after = page.at(-1)?.streamId;
  }
}

export function judgeByCode(snapshot: SnapshotSummary, code: AggregateCode): SnapshotState {
  return judgeSnapshot(snapshot, code.get(snapshot.origin?.aggregate ?? ''));
}

/** Returns true for one that a load passes over, and that only takes space. Not those of other programs and other code. */
export function isStale(state: SnapshotState): boolean {
  return state === 'diverged' || state === 'stale' || state === 'stale code';
}

export interface CreatedSnapshot {
  readonly streamId: string;
  /** Of the last event in it. */
  readonly version: number;
  /** `kept`: a later one is there. `foreign`: one of another program is there, and stays. */
  readonly result: 'stored' | 'kept' | 'foreign';
}

/**
 * Folds a stream and stores the snapshot.
 * @throws E_NOT_FOUND for a stream without events, E_USAGE for one of another category, E_HANDLER when `evolve` throws or
 * the state cannot be a snapshot
 */
export async function createSnapshot(
  store: Pick<Store, 'log' | 'snapshots'>,
  aggregate: PreparedAggregate,
  streamId: string,
  { dryRun }: { readonly dryRun: boolean },
): Promise<CreatedSnapshot> {
  const { name, category } = aggregate;
  if (categoryOf(streamId) !== category || streamId === category) {
    throw new EvstoreError('E_USAGE', `${streamId} is not a stream of ${name}`, {
      why: `Its streams are named ${category}-ID.`,
      next: `evstore streams --category ${shellWord(category)}`,
    });
  }
  const folded = await foldStream(store, aggregate, streamId);
  if (folded.version === 0) {
    throw new EvstoreError('E_NOT_FOUND', `stream ${streamId} has no events`, {
      next: `evstore streams --category ${shellWord(category)}`,
    });
  }
  const snapshot = writing(name, () => toSnapshot(aggregate, streamId, folded));
  const { version } = snapshot;
  const there = await store.snapshots.find(streamId);
  if (there !== undefined && there.origin === null) return { streamId, version, result: 'foreign' };
  const isStored = dryRun ? !isLater(there, version) : await store.snapshots.save(snapshot);
  return { streamId, version, result: isStored ? 'stored' : 'kept' };
}

function isLater(there: Snapshot | undefined, version: number): boolean {
  return there !== undefined && there.version > version && there.origin?.eventId === there.storedEventId;
}

/** Returns the streams with so many events that a snapshot is worth it, without those whose snapshot is certainly right. */
export async function findStreamsToCreate(
  store: Pick<Store, 'log' | 'snapshots'>,
  aggregate: PreparedAggregate,
): Promise<readonly string[]> {
  const { category, every = 1 } = aggregate;
  const code = new Map([[aggregate.name, aggregate]]);
  const done = new Set<string>();
  for await (const snapshot of readSnapshots(store, { category })) {
    const isRight = judgeByCode(snapshot, code) === 'current' && snapshot.version === snapshot.streamVersion;
    if (isRight) done.add(snapshot.streamId);
  }
  const streams = await store.log.streams({ category });
  return streams
    .filter(({ streamId, events }) => events >= every && streamId !== category && !done.has(streamId))
    .map(({ streamId }) => streamId);
}

export interface VerifiedSnapshot {
  readonly streamId: string;
  readonly aggregate: string;
  readonly version: number;
  /** Why it is wrong; null when the events make the same state. */
  readonly fault: string | null;
}

/** Folds the events up to the version of a snapshot that a load would trust, and compares. Undefined for any other. */
export async function verifySnapshot(
  store: Pick<Store, 'log' | 'snapshots'>,
  streamId: string,
  code: AggregateCode,
): Promise<VerifiedSnapshot | undefined> {
  const snapshot = await store.snapshots.find(streamId);
  const aggregate = code.get(snapshot?.origin?.aggregate ?? '');
  if (snapshot === undefined || aggregate === undefined) return undefined;
  if (!isTrusted(judgeSnapshot(snapshot, aggregate))) return undefined;
  const { version, data } = snapshot;
  const place = { streamId, aggregate: aggregate.name, version };
  try {
    const folded = await foldStream(store, aggregate, streamId, { upTo: version });
    const made = writing(aggregate.name, () => toSnapshot(aggregate, streamId, folded));
    return { ...place, fault: jsonEquals(made.data, data) ? null : 'the events make another state' };
  } catch (error) {
    if (!isEvstoreError(error) || error.code !== 'E_HANDLER') throw error;
    return { ...place, fault: error.message };
  }
}

function writing<Value>(aggregate: string, write: () => Value): Value {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof StateFault)) throw error;
    throw new EvstoreError('E_HANDLER', describeFault(aggregate, error), { cause: error });
  }
}
