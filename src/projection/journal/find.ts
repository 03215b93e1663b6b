/** Finds rebuilds in the journal. */
import { type Code, type CodeState, compareCode, whyUnverified } from '../../domain/code-identity.js';
import { EvstoreError } from '../../domain/errors.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { findRecord } from '../../lease/registration.js';
import { isUnfinished } from '../../store/rebuild-state.js';
import type { Rebuild, Store } from '../../store/store.js';
import type { ExternalTarget } from '../define/definition.js';
import type { PreparedProjection } from '../define/prepare.js';

export async function findUnfinished(store: Store, projection: string): Promise<Rebuild | undefined> {
  return (await store.projections.rebuilds(projection)).find(isUnfinished);
}

/** Returns at most one of each projection, sorted by projection. */
export async function findAllUnfinished(store: Store): Promise<readonly Rebuild[]> {
  const unfinished = (await store.projections.rebuilds()).filter(isUnfinished);
  return unfinished.sort((a, b) => (a.projection < b.projection ? -1 : 1));
}

/** Reads the journal row of a rebuild again. */
export async function reload(store: Store, { id, projection }: Rebuild): Promise<Rebuild | undefined> {
  return (await store.projections.rebuilds(projection)).find((rebuild) => rebuild.id === id);
}

/**
 * Finds the rebuild that this code can swap in.
 * @throws E_NOT_FOUND when there is none, or it is not ready
 * @throws E_STALE_PROJECTION when other code made it
 */
export async function findReady(store: Store, projection: PreparedProjection): Promise<Rebuild> {
  const { name } = projection;
  const rebuild = await findUnfinished(store, name);
  if (rebuild === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `${name} has no rebuild that is ready`, {
      why: 'First rebuild it without the swap.',
      next: `evstore rebuild ${name} --no-swap`,
    });
  }
  const code = compareCode(rebuild, projection);
  if (code !== 'current') {
    const made = `${code === 'unverified' ? 'this code may not have' : 'other code'} made the rebuild of ${name}`;
    throw new EvstoreError('E_STALE_PROJECTION', made, {
      why: `${describeMaker(rebuild, projection, code)}. Only the code that made it can add the events since.`,
      next: `evstore rebuild ${name} --restart`,
    });
  }
  if (rebuild.state !== 'ready') {
    throw new EvstoreError('E_NOT_FOUND', `the rebuild of ${name} is not ready: it is ${rebuild.state}`, {
      next: `evstore rebuild ${name} --resume --no-swap`,
    });
  }
  return rebuild;
}

/** Describes the code that made a rebuild. @param code unless it is current */
export function describeMaker(rebuild: Rebuild, projection: Code, code: CodeState): string {
  const made = `Rebuild ${rebuild.id} is of version ${rebuild.version}`;
  if (code === 'stale') return `${made}, and the code of version ${projection.version}`;
  if (code === 'stale code') return `${made} as the code is, but the code has changed since`;
  return `${made} as the code is, but whether it is the same is unknown: ${whyUnverified(rebuild, projection)}`;
}

/** Returns what is live outside the database. Null for tables, and when no batch was written: it may not exist yet. */
export async function findLiveTarget(store: Store, projection: string): Promise<ExternalTarget | null> {
  const record = await findRecord(store, projection);
  const position = furthestOf(checkpointsOf(await store.projections.checkpoints(), projection)) ?? 0;
  if (record === undefined || record.target === null || position === 0) return null;
  return { name: record.target, version: record.version };
}
