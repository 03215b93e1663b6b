/** Drops what a rebuild made, or what a swap replaced. */
import { EvstoreError, isTransient } from '../../domain/errors.js';
import type { Patience } from '../../lease/acquire.js';
import { isUnfinished } from '../../store/rebuild-state.js';
import type { Lease, Rebuild, Store } from '../../store/store.js';
import type { ExternalTarget } from '../define/definition.js';
import { isExternalProjection, type PreparedExternalProjection, type PreparedProjection } from '../define/prepare.js';
import { dropBeside } from '../external/external.js';
import { findLiveTarget, reload } from './find.js';
import { assertDropOwned } from './owned.js';
import { tablesOf, withRebuildLease } from './tables.js';

export interface DropOptions {
  readonly store: Store;
  readonly owner: string;
  /** Waits for the lease of a process that may have died. */
  readonly patience?: Patience | undefined;
  /** The loaded code of the projection, if any: only it can drop what is outside the database. Tables need none. */
  readonly code: PreparedProjection | undefined;
  readonly signal: AbortSignal;
}

/** What would be dropped, and what has such a name without being evstore's. */
export interface DropPlan {
  readonly rebuild: Rebuild;
  readonly dropped: readonly string[];
  readonly left: readonly string[];
}

/** @param side the tables that an abort drops (`built`), or those that a swap replaced */
export async function planDrop({ projections }: Store, rebuild: Rebuild, side: 'built' | 'old'): Promise<DropPlan> {
  const names = tablesOf(rebuild, side);
  if ((side === 'built' ? rebuild.target : rebuild.oldTarget) !== null) return { rebuild, dropped: names, left: [] };
  const dropped = await projections.findOwnTables(rebuild);
  const left = (await projections.findTaken(names)).filter((name) => !dropped.includes(name));
  return { rebuild, dropped, left };
}

/**
 * `planned | filling | ready → aborted`.
 * @throws E_NOT_FOUND, and nothing has changed, when only code that is not loaded can drop what was built
 * @throws E_HANDLER when that code fails: the rebuild is as it was
 */
export async function abortRebuild(options: DropOptions, rebuild: Rebuild): Promise<Rebuild> {
  const { projections } = options.store;
  await assertMayDrop(options.store, rebuild, `the abort of the rebuild of ${rebuild.projection}`);
  const built = rebuild.target === null ? null : { name: rebuild.target, version: rebuild.version };
  return dropUnderLease(options, rebuild, built, isUnfinished, (lease) => projections.abort(rebuild, lease));
}

/**
 * Ends a rebuild whose tables could not be made: nothing is left to resume. It stays when the store was out of reach.
 * @returns true when it ended
 */
export async function endUnmade(
  { projections }: Store,
  rebuild: Rebuild,
  lease: Lease,
  cause: unknown,
): Promise<boolean> {
  if (isTransient(cause)) return false;
  return projections.abort(rebuild, lease).then(
    () => true,
    () => false,
  );
}

/** `swapped → retired`. @throws as `abortRebuild` */
export async function retireRebuild(options: DropOptions, rebuild: Rebuild): Promise<Rebuild> {
  const { projections } = options.store;
  await assertMayDrop(options.store, rebuild, `the drop of the old tables of ${rebuild.projection}`);
  if (rebuild.oldTarget === null) return projections.retire(rebuild);
  const old = { name: rebuild.oldTarget, version: rebuild.old?.version ?? rebuild.version };
  const isSwapped = ({ state }: Rebuild) => state === 'swapped';
  return dropUnderLease(options, rebuild, old, isSwapped, () => projections.retire(rebuild));
}

/** @throws E_PERMISSION before anything has changed */
async function assertMayDrop(store: Store, rebuild: Rebuild, what: string): Promise<void> {
  await assertDropOwned(store, await store.projections.findOwnTables(rebuild), what);
}

/** With the lease of the rebuild no swap and no rollback can make live again what is being dropped. */
function dropUnderLease(
  options: DropOptions,
  rebuild: Rebuild,
  doomed: ExternalTarget | null,
  isDroppable: (current: Rebuild) => boolean,
  forget: (lease: Lease) => Promise<Rebuild>,
): Promise<Rebuild> {
  const { store, code } = options;
  return withRebuildLease(options, rebuild, async (lease, signal) => {
    if (doomed !== null) {
      assertLoaded(rebuild, code);
      const current = await reload(store, rebuild);
      const live = await findLiveTarget(store, rebuild.projection);
      if (current === undefined || !isDroppable(current) || live?.name === doomed.name) throw movedOn(rebuild, current);
      await dropBeside({ projection: code, target: doomed, signal }, live);
    }
    return forget(lease);
  });
}

/** @throws E_NOT_FOUND */
export function assertLoaded(
  { projection, target, oldTarget }: Rebuild,
  code: PreparedProjection | undefined,
): asserts code is PreparedExternalProjection {
  if (code !== undefined && isExternalProjection(code)) return;
  throw new EvstoreError('E_NOT_FOUND', `the code of projection ${projection} is not loaded`, {
    why: `Its rows are outside this store, in ${[target, oldTarget].filter(Boolean).join(' and ')}, and only its own code can promote or drop them. Nothing was changed.`,
    next: 'evstore projections',
    details: { projection, target, oldTarget },
  });
}

function movedOn({ id, state }: Rebuild, current: Rebuild | undefined): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `rebuild ${id} is no longer ${state}: it is ${current?.state ?? 'gone'}`, {
    why: 'Another process changed it. Nothing was dropped.',
    next: 'evstore projections',
  });
}
