/** Puts a rebuilt read model in the place of the live one. */
import { Heartbeat } from '../../lease/heartbeat.js';
import { findRecord } from '../../lease/registration.js';
import type { Lease, Rebuild } from '../../store/store.js';
import { CatchUp } from '../catch-up/catch-up.js';
import { assertValid } from '../compare/validate-rows.js';
import type { PreparedProjection } from '../define/prepare.js';
import { assertHeld } from '../external/external.js';
import { assertReady, findUnfinished, leaseRebuild, tableOf } from '../journal/rebuild-lease.js';
import type { RebuildProgress } from '../journal/rebuild-steps.js';
import { type SwitchOptions, switchTables } from './switch-tables.js';

export interface SwapOptions extends SwitchOptions {
  /** How long the replaced tables are kept for a rollback, in milliseconds. */
  readonly keepOldMs: number;
  /** Events a batch; adaptive unless said. */
  readonly batchSize?: number | undefined;
  readonly progress: (progress: RebuildProgress) => void;
}

/**
 * Swaps in a rebuild that is ready, with the events since.
 * @throws E_NOT_FOUND when none is ready
 * @throws E_STALE_PROJECTION when it was made by other code than this
 * @throws E_CHECK_FAILED naming the faults that its \`validate\` finds
 */
export async function swapReady(options: SwapOptions, projection: PreparedProjection): Promise<Rebuild> {
  const { store, owner } = options;
  const rebuild = await findUnfinished(store, projection.name);
  assertReady(rebuild, projection);
  await store.schema.assertGuards();
  const lease = await leaseRebuild(store, rebuild, owner);
  const heartbeat = new Heartbeat(store.projections, lease);
  try {
    const signal = AbortSignal.any([options.signal, heartbeat.lost]);
    const catchUp = new CatchUp(store, projection, {
      lease,
      side: 'built',
      physical: tableOf(rebuild, 'built'),
      position: lease.position,
      batchSize: options.batchSize,
      policy: options.policy,
      tellAside: options.tellAside,
      signal,
    });
    await assertValid(store, projection, rebuild);
    try {
      return await swapHeld({ ...options, signal }, rebuild, lease, catchUp);
    } finally {
      await catchUp.close();
    }
  } finally {
    heartbeat.stop();
    await store.projections.releaseLease(lease).catch(() => {});
  }
}

/** Swaps in a rebuild whose lease is held already. */
export function swapHeld(options: SwapOptions, rebuild: Rebuild, lease: Lease, catchUp: CatchUp): Promise<Rebuild> {
  const { store, lockTimeoutMs, keepOldMs } = options;
  return switchTables(options, {
    rebuild,
    lease,
    catchUp,
    done: 'swapped',
    act: async (live) => {
      await promoteHeld(options, catchUp, live);
      return store.projections.swap(rebuild, { rebuild: lease, live }, { lockTimeoutMs, keepOldMs });
    },
    next: `evstore swap ${rebuild.projection}`,
  });
}

/**
 * Before the journal: a process that dies in between leaves readers with a read model that is level, and whoever goes on
 * promotes again.
 */
export async function promoteHeld(
  { store, signal }: SwitchOptions,
  catchUp: CatchUp | undefined,
  live: Lease,
): Promise<void> {
  if (catchUp === undefined || live.target.kind !== 'checkpoint') return;
  const record = await findRecord(store, live.target.subscriptionId);
  if (record === undefined || record.target === null) return;
  await assertHeld(store.projections, live);
  // Without a batch, what is live may never have been made.
  await catchUp.promote(live.position === 0 ? null : { name: record.target, version: record.version });
  signal.throwIfAborted();
}
