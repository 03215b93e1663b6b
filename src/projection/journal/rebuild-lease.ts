/** The lease on a rebuild: one process works on it at a time. */
import { EvstoreError } from '../../domain/errors.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { Heartbeat, leaseTtlMs } from '../../lease/heartbeat.js';
import { findRecord } from '../../lease/registration.js';
import type { Lease, Rebuild, RebuildState, Store } from '../../store/store.js';
import type { ExternalTarget } from '../define/definition.js';
import { isExternalProjection, type PreparedExternalProjection, type PreparedProjection } from '../define/prepare.js';
import { dropBeside } from '../external/external.js';

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

/**
 * Checks that a rebuild can be swapped in by this code.
 * @throws E_NOT_FOUND when there is none, or it is not ready
 * @throws E_STALE_PROJECTION when it was made by other code
 */
export function assertReady(
  rebuild: Rebuild | undefined,
  { name, version, codeHash }: PreparedProjection,
): asserts rebuild {
  if (rebuild === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `no rebuild of ${name} to swap in`, { next: `evstore rebuild ${name}` });
  }
  if (rebuild.version !== version || rebuild.codeHash !== codeHash) {
    throw new EvstoreError('E_STALE_PROJECTION', `the rebuild of ${name} was made by other code`, {
      why: `It is of version ${rebuild.version}, and the events since can only be added by the code that made it.`,
      next: `evstore rebuild ${name} --restart`,
    });
  }
  if (rebuild.state !== 'ready') {
    throw new EvstoreError('E_NOT_FOUND', `the rebuild of ${name} is not ready: it is ${rebuild.state}`, {
      next: `evstore rebuild ${name} --resume`,
    });
  }
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

/** Maps a name readers use to what a rebuild fills, or to what it replaced: a table, or a target outside the database. */
export function tableOf(rebuild: Rebuild, side: 'built' | 'old'): (name: string) => string {
  const target = side === 'built' ? rebuild.target : rebuild.oldTarget;
  if (target !== null) return () => target;
  return (name) => rebuild.tables.find(({ live }) => live === name)?.[side] ?? name;
}

/** What drops a target outside the store's database: the code of its projection. */
export interface DropOptions {
  readonly store: Store;
  readonly owner: string;
  /** What is loaded under the projection's name, if anything; tables need none. */
  readonly code: PreparedProjection | undefined;
  readonly signal: AbortSignal;
}

/**
 * `planned | filling | ready → aborted`.
 * @throws E_NOT_FOUND, and nothing has changed, when only code that is not loaded can drop what was built
 * @throws E_HANDLER when that code fails: the rebuild is as it was
 */
export async function abortRebuild(options: DropOptions, rebuild: Rebuild): Promise<Rebuild> {
  const { projections } = options.store;
  const built = rebuild.target === null ? null : { name: rebuild.target, version: rebuild.version };
  return dropUnder(options, rebuild, built, ['planned', 'filling', 'ready'], (lease) =>
    projections.abort(rebuild, lease),
  );
}

/** `swapped → retired`. @throws as `abortRebuild` */
export async function retireRebuild(options: DropOptions, rebuild: Rebuild): Promise<Rebuild> {
  const { projections } = options.store;
  if (rebuild.oldTarget === null) return projections.retire(rebuild);
  const old = { name: rebuild.oldTarget, version: rebuild.old?.version ?? rebuild.version };
  return dropUnder(options, rebuild, old, ['swapped'], () => projections.retire(rebuild));
}

/** Under the lease of the rebuild, so that no swap and no rollback brings back what is dropped. */
async function dropUnder(
  { store, owner, code, signal }: DropOptions,
  rebuild: Rebuild,
  doomed: ExternalTarget | null,
  states: readonly RebuildState[],
  forget: (lease: Lease) => Promise<Rebuild>,
): Promise<Rebuild> {
  if (doomed !== null) assertLoaded(rebuild, code);
  const lease = await leaseRebuild(store, rebuild, owner);
  if (doomed === null) return forget(lease);
  assertLoaded(rebuild, code);
  const heartbeat = new Heartbeat(store.projections, lease);
  try {
    const current = (await store.projections.rebuilds(rebuild.projection)).find(({ id }) => id === rebuild.id);
    const live = await findLiveTarget(store, rebuild.projection);
    if (current === undefined || !states.includes(current.state) || live?.name === doomed.name) {
      throw movedOn(rebuild, current);
    }
    const dropping = AbortSignal.any([signal, heartbeat.lost]);
    await dropBeside({ projection: code, target: doomed, signal: dropping }, live);
    return await forget(lease);
  } finally {
    heartbeat.stop();
    await store.projections.releaseLease(lease).catch(() => {});
  }
}

/** Null for one that no batch was written to: it may never have been made. */
export async function findLiveTarget(store: Store, projection: string): Promise<ExternalTarget | null> {
  const record = await findRecord(store, projection);
  const position = furthestOf(checkpointsOf(await store.projections.checkpoints(), projection)) ?? 0;
  if (record === undefined || record.target === null || position === 0) return null;
  return { name: record.target, version: record.version };
}

/** @throws E_NOT_FOUND */
export function assertLoaded(
  { projection, target, oldTarget }: Rebuild,
  code: PreparedProjection | undefined,
): asserts code is PreparedExternalProjection {
  if (code !== undefined && isExternalProjection(code)) return;
  throw new EvstoreError('E_NOT_FOUND', `the code of projection ${projection} is not loaded`, {
    why: `Its rows are outside this store, in ${[target, oldTarget].filter(Boolean).join(' and ')}, and only its own code can promote and drop them. They stay as they are.`,
    next: 'evstore projections',
    details: { projection, target, oldTarget },
  });
}

function movedOn({ id, state }: Rebuild, current: Rebuild | undefined): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `rebuild ${id} is ${current?.state ?? 'gone'}, not ${state} any more`, {
    why: 'Another process has moved it on. Nothing has been dropped.',
    next: 'evstore projections',
  });
}
