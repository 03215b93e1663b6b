/** Takes a swap back: the replaced tables become live again, brought up to date when their code is at hand. */
import { EvstoreError } from '../../domain/errors.js';
import { describeMeant } from '../../domain/similar.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { Heartbeat } from '../../lease/heartbeat.js';
import type { Rebuild, Store } from '../../store/store.js';
import { CatchUp } from '../catch-up/catch-up.js';
import type { PreparedProjection } from '../define/prepare.js';
import { assertLoaded, leaseRebuild, tableOf } from '../journal/rebuild-lease.js';
import { promoteHeld } from './swap.js';
import { type SwitchOptions, switchTables } from './switch-tables.js';

/** A swap that can be taken back. */
export interface RollbackPlan {
  readonly rebuild: Rebuild;
  /** Of the tables that become live again. */
  readonly oldVersion: number;
  readonly oldPosition: number;
  readonly livePosition: number;
  /** The code that made the old tables is loaded: they can be caught up. */
  readonly hasOldCode: boolean;
}

export interface RollbackOptions extends SwitchOptions {
  readonly batchSize?: number | undefined;
}

/**
 * The newest swap of the projection that still has its old tables.
 * @param code what is loaded under that name, if anything
 * @throws E_NOT_FOUND when there is none
 * @throws E_CHECK_FAILED when the parts of the projection stood at different positions at the swap
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
    const meant = describeMeant(await store.projections.list(), name);
    throw new EvstoreError('E_NOT_FOUND', `no swap of ${name} to take back`, {
      why: meant ?? 'The replaced tables are gone, or there was no swap.',
      next: 'evstore projections',
    });
  }
  const unfinished = rebuilds.find(({ state }) => state === 'planned' || state === 'filling' || state === 'ready');
  if (unfinished !== undefined) {
    throw new EvstoreError('E_LOCK_HELD', `rebuild ${unfinished.id} of ${name} is unfinished`, {
      why: 'A rollback makes the live tables a rebuild that is ready, and a projection has one at a time.',
      next: `evstore abort ${name}`,
    });
  }
  if (old.position === null) {
    throw new EvstoreError('E_CHECK_FAILED', `the swap of ${name} cannot be taken back`, {
      why: 'Its parts were at different positions then, so the old tables have no single position to continue from.',
      next: `evstore rebuild ${name}`,
      details: { rebuild: rebuild.id },
    });
  }
  const checkpoints = checkpointsOf(await store.projections.checkpoints(), name);
  return {
    rebuild,
    oldVersion: old.version,
    oldPosition: old.position,
    livePosition: furthestOf(checkpoints) ?? 0,
    hasOldCode: code !== undefined && code.version === old.version && code.codeHash === old.codeHash,
  };
}

/**
 * Catches the old tables up when the code is the one that made them; otherwise they stay where they are, and readers go
 * back to it.
 * @param code what is loaded under that name, if anything
 * @throws E_NOT_FOUND without any code, for rows outside the store's database: only it can send readers back to them
 */
export async function rollBack(
  options: RollbackOptions,
  { rebuild, oldPosition, oldVersion, hasOldCode }: RollbackPlan,
  code: PreparedProjection | undefined,
): Promise<Rebuild> {
  if (rebuild.target !== null) assertLoaded(rebuild, code);
  const { store, owner, lockTimeoutMs, batchSize, policy, tellAside } = options;
  await store.schema.assertGuards();
  const lease = await leaseRebuild(store, rebuild, owner);
  const heartbeat = new Heartbeat(store.projections, lease);
  const catchesUp = hasOldCode && code !== undefined;
  let catchUp: CatchUp | undefined;
  try {
    const signal = AbortSignal.any([options.signal, heartbeat.lost]);
    const physical = tableOf(rebuild, 'old');
    const target = {
      lease,
      side: 'old',
      physical,
      position: oldPosition,
      // Of tables that says nothing: appends may have written them.
      isEmpty: oldPosition === 0 && rebuild.target !== null,
      version: oldVersion,
      batchSize,
      policy,
      tellAside,
      signal,
    } as const;
    catchUp = code === undefined ? undefined : new CatchUp(store, code, target);
    return await switchTables(
      { ...options, signal },
      {
        rebuild,
        lease,
        catchUp: catchesUp ? catchUp : undefined,
        done: 'ready',
        act: async (live) => {
          await promoteHeld({ ...options, signal }, catchUp, live);
          return store.projections.rollback(rebuild, { rebuild: lease, live }, { lockTimeoutMs, goBack: !catchesUp });
        },
        next: `evstore rollback ${rebuild.projection}`,
      },
    );
  } finally {
    await catchUp?.close();
    heartbeat.stop();
    await store.projections.releaseLease(lease).catch(() => {});
  }
}
