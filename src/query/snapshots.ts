/** Snapshots of aggregates, and how many events their streams have since. */
import { EvstoreError } from '../domain/errors.js';
import { shellWord } from '../domain/shell-word.js';
import { findSimilar } from '../domain/similar.js';
import type { Snapshot, SnapshotSummary, SnapshotsOptions, Store } from '../store/store.js';

/** How many events the stream has since; below 0 for a snapshot of a version that the stream never had. */
type Aged<Summary> = Summary & { readonly eventsSince: number };

const mostNear = 200;

export async function listSnapshots(
  { snapshots }: Pick<Store, 'snapshots'>,
  options: SnapshotsOptions = {},
): Promise<readonly Aged<SnapshotSummary>[]> {
  return (await snapshots.list(options)).map(withAge);
}

/** @throws E_NOT_FOUND with the name that was probably meant */
export async function findSnapshot({ snapshots }: Pick<Store, 'snapshots'>, streamId: string): Promise<Aged<Snapshot>> {
  const found = await snapshots.find(streamId);
  if (found !== undefined) return withAge(found);
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

function withAge<Summary extends SnapshotSummary>(snapshot: Summary): Aged<Summary> {
  return { ...snapshot, eventsSince: snapshot.streamVersion - snapshot.version };
}
