/** Snapshots of aggregates, and how many events their streams have since. */
import { type AggregateCode, isStale, judgeByCode, readSnapshots } from '../aggregate/manage-snapshots.js';
import type { SnapshotState } from '../aggregate/trust.js';
import { EvstoreError } from '../domain/errors.js';
import { shellWord } from '../domain/shell-word.js';
import { findSimilar } from '../domain/similar.js';
import type { Snapshot, SnapshotSummary, SnapshotsOptions, Store } from '../store/store.js';

/** A snapshot, its origin beside its other facts. */
type Aged<Summary extends SnapshotSummary> = Omit<Summary, 'origin' | 'storedEventId'> & {
  /** How many events the stream has since; below 0 for a snapshot of a version that the stream never had. */
  readonly eventsSince: number;
  /** Null for a snapshot of another program. */
  readonly aggregate: string | null;
  readonly stateVersion: number | null;
  /** Whether a load uses it, as far as that is known: null where it depends on code that was not loaded. */
  readonly state: SnapshotState | null;
};

const mostNear = 200;

export async function listSnapshots(
  { snapshots }: Pick<Store, 'snapshots'>,
  options: SnapshotsOptions = {},
): Promise<readonly Aged<SnapshotSummary>[]> {
  return (await snapshots.list(options)).map((each) => toAged(each));
}

/** Returns those that a load passes over: of other code, and of events that the stream does not have. By stream. */
export async function listStaleSnapshots(
  store: Pick<Store, 'snapshots'>,
  code: AggregateCode,
  { limit = Number.POSITIVE_INFINITY, sort: _, after: __, ...options }: SnapshotsOptions = {},
): Promise<readonly Aged<SnapshotSummary>[]> {
  const stale: Aged<SnapshotSummary>[] = [];
  for await (const snapshot of readSnapshots(store, options)) {
    if (stale.length >= limit) break;
    if (isStale(judgeByCode(snapshot, code))) stale.push(toAged(snapshot, code));
  }
  return stale;
}

/** @throws E_NOT_FOUND with the name that was probably meant */
export async function findSnapshot({ snapshots }: Pick<Store, 'snapshots'>, streamId: string): Promise<Aged<Snapshot>> {
  const found = await snapshots.find(streamId);
  if (found !== undefined) return toAged(found);
  const letters = [...streamId];
  const prefix = letters.slice(0, Math.ceil(letters.length / 2)).join('');
  const near = await snapshots.list({ prefix, limit: mostNear });
  const meant = findSimilar(
    streamId,
    near.map((each) => each.streamId),
  );
  throw new EvstoreError('E_NOT_FOUND', `stream ${streamId} has no snapshot`, {
    why: meant === undefined ? undefined : `Did you mean ${meant}?`,
    next: meant === undefined ? 'evstore snapshots list' : `evstore snapshots show ${shellWord(meant)}`,
    details: { streamId, ...(meant !== undefined && { meant }) },
  });
}

function toAged<Summary extends SnapshotSummary>(
  { origin, storedEventId, ...snapshot }: Summary,
  code?: AggregateCode,
): Aged<Summary> {
  const state = judgeByCode({ ...snapshot, origin, storedEventId } as SnapshotSummary, code ?? new Map());
  return {
    ...snapshot,
    eventsSince: snapshot.streamVersion - snapshot.version,
    aggregate: origin?.aggregate ?? null,
    stateVersion: origin?.stateVersion ?? null,
    state: code === undefined && state === 'detached' ? null : state,
  } as Aged<Summary>;
}
