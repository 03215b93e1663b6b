/** Undoes a swap: the old tables become live again, caught up when the code that made them is loaded. */
import { type CodeState, compareCode } from '../../domain/code-identity.js';
import { EvstoreError } from '../../domain/errors.js';
import { describeMeant } from '../../domain/similar.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { isUnfinished } from '../../store/rebuild-state.js';
import type { Rebuild, Store } from '../../store/store.js';
import type { PreparedProjection } from '../define/prepare.js';
import { assertLoaded } from '../journal/drop.js';
import { assertOwned } from '../journal/owned.js';
import { catchUpTables, withRebuildLease } from '../journal/tables.js';
import { promoteHeld } from './swap.js';
import { swapTables, type TableSwapOptions } from './swap-tables.js';

/** A swap that can be undone. */
export interface RollbackPlan {
  readonly rebuild: Rebuild;
  /** Of the tables that become live again. */
  readonly oldVersion: number;
  readonly oldPosition: number;
  readonly livePosition: number;
  /** The code that made the old tables is loaded: they can be caught up. */
  readonly hasOldCode: boolean;
  /** How the loaded code compares with the code that made the old tables; null when none is loaded. */
  readonly code: CodeState | null;
}

/**
 * Finds the newest swap of the projection that still has its old tables.
 * @param code what is loaded under that name, if anything
 * @throws E_NOT_FOUND when there is none
 * @throws E_PERMISSION naming what this account does not own
 * @throws E_CHECK_FAILED when the parts of the projection were at different positions at the swap
 */
export async function planRollback(
  store: Store,
  name: string,
  code: PreparedProjection | undefined,
): Promise<RollbackPlan> {
  const rebuilds = await store.projections.rebuilds(name);
  const rebuild = rebuilds.find(({ state }) => state === 'swapped');
  const old = rebuild?.old;
  if (rebuild === undefined || old === null || old === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `${name} has no swap to roll back`, {
      why:
        describeMeant(await store.projections.list(), name) ?? 'It was never swapped, or its old tables were dropped.',
      next: 'evstore projections',
    });
  }
  const unfinished = rebuilds.find(isUnfinished);
  if (unfinished !== undefined) {
    throw new EvstoreError('E_LOCK_HELD', `rebuild ${unfinished.id} of ${name} is unfinished`, {
      why: 'A rollback turns the live tables into a rebuild that is ready, and a projection can have only one rebuild.',
      next: `evstore abort ${name}`,
    });
  }
  if (old.position === null) {
    throw new EvstoreError('E_CHECK_FAILED', `the swap of ${name} cannot be rolled back`, {
      why: 'At the swap its parts were at different positions, so the old tables have no single position to continue from.',
      next: `evstore rebuild ${name}`,
      details: { rebuild: rebuild.id },
    });
  }
  await assertOwned(store, rebuild, 'old', `the rollback of ${name}`);
  const state = code === undefined ? null : compareCode(old, code);
  return {
    rebuild,
    oldVersion: old.version,
    oldPosition: old.position,
    livePosition: furthestOf(checkpointsOf(await store.projections.checkpoints(), name)) ?? 0,
    hasOldCode: state === 'current',
    code: state,
  };
}

/**
 * Catches up the old tables when the loaded code made them; readers go back to their old position when it did not.
 * @param code what is loaded under that name, if anything
 * @throws E_NOT_FOUND without any code, for rows outside the store's database: only code can promote them
 */
export async function rollBack(
  options: TableSwapOptions,
  { rebuild, oldPosition, oldVersion, hasOldCode }: RollbackPlan,
  code: PreparedProjection | undefined,
): Promise<Rebuild> {
  if (rebuild.target !== null) assertLoaded(rebuild, code);
  const { projections, schema } = options.store;
  const { lockTimeoutMs } = options;
  await schema.assertGuards();
  return withRebuildLease(options, rebuild, async (lease, signal) => {
    const held = { ...options, signal };
    const catchUp =
      code &&
      catchUpTables(
        options,
        code,
        rebuild,
        { lease, signal },
        {
          side: 'old',
          position: oldPosition,
          version: oldVersion,
          // Tables at position 0 need not be empty: inline appends may have written to them.
          isEmpty: oldPosition === 0 && rebuild.target !== null,
        },
      );
    try {
      return await swapTables(held, {
        rebuild,
        lease,
        catchUp: hasOldCode ? catchUp : undefined,
        done: 'ready',
        rename: async (live) => {
          await promoteHeld(held, catchUp, live);
          return projections.rollback(rebuild, { rebuild: lease, live }, { lockTimeoutMs, goBack: !hasOldCode });
        },
        next: `evstore rollback ${rebuild.projection}`,
      });
    } finally {
      await catchUp?.close();
    }
  });
}
