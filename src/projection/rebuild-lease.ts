/** The lease on a rebuild: one process works on it at a time. */
import { EvstoreError } from '../domain/errors.js';
import type { Lease, Rebuild, Store } from '../store/store.js';
import { leaseTtlMs } from './heartbeat.js';

export async function findUnfinished(store: Store, projection: string): Promise<Rebuild | undefined> {
  return (await store.projections.rebuilds(projection)).find(isUnfinished);
}

/** By projection; at most one of each. */
export async function findAllUnfinished(store: Store): Promise<readonly Rebuild[]> {
  const unfinished = (await store.projections.rebuilds()).filter(isUnfinished);
  return unfinished.sort((a, b) => (a.projection < b.projection ? -1 : 1));
}

export function isUnfinished({ state }: Rebuild): boolean {
  return state === 'planned' || state === 'filling' || state === 'ready';
}

/** @throws E_LOCK_HELD naming who works on it, and for how long without a sign of life */
export async function leaseRebuild(store: Store, rebuild: Rebuild, owner: string): Promise<Lease> {
  const answer = await store.projections.acquireLease(
    { kind: 'rebuild', id: rebuild.id },
    { owner, ttlMs: leaseTtlMs },
  );
  if (!answer.held) return answer.lease;
  throw new EvstoreError('E_LOCK_HELD', `rebuild ${rebuild.id} of ${rebuild.projection} is held by ${answer.owner}`, {
    why: `It is free ${Math.ceil(answer.expiresInMs / 1000)} s after that process ends.`,
    details: { rebuild: rebuild.id, owner: answer.owner, expiresInMs: answer.expiresInMs },
  });
}

/** Maps a name readers use to the table a rebuild fills, or to the one it replaced. */
export function tableOf(rebuild: Rebuild, side: 'built' | 'old'): (name: string) => string {
  return (name) => rebuild.tables.find(({ live }) => live === name)?.[side] ?? name;
}

/** `planned | filling | ready → aborted`. */
export async function abortRebuild(store: Store, rebuild: Rebuild, owner: string): Promise<Rebuild> {
  const lease = await leaseRebuild(store, rebuild, owner);
  return store.projections.abort(rebuild, lease);
}
