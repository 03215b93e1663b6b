/** Swaps a rebuilt read model with the live one. */
import { findRecord } from '../../lease/registration.js';
import type { Lease, Rebuild, Store } from '../../store/store.js';
import type { CatchUp } from '../catch-up/catch-up.js';
import { countRows } from '../compare/count.js';
import { findFaults } from '../compare/validate.js';
import { assertNoFaults, assertReadEvents } from '../compare/verdict.js';
import type { PreparedProjection } from '../define/prepare.js';
import { assertHeld } from '../external/external.js';
import { findReady } from '../journal/find.js';
import { assertOwned } from '../journal/owned.js';
import type { RebuildProgress } from '../journal/steps.js';
import { type HeldTables, type TablesOptions, withReadyTables } from '../journal/tables.js';
import { swapTables, type TableSwapOptions } from './swap-tables.js';

export interface SwapOptions extends TableSwapOptions {
  /** How long the old tables are kept for a rollback, in milliseconds. */
  readonly keepOldMs: number;
  readonly progress: (progress: RebuildProgress) => void;
  /** True lets a rebuild that read no event replace live rows. */
  readonly allowEmpty?: boolean | undefined;
}

/**
 * Finds the rebuild that this code and this account can swap in.
 * @throws E_NOT_FOUND, E_STALE_PROJECTION as `findReady`
 * @throws E_PERMISSION naming what this account does not own
 */
export async function planSwap(store: Store, projection: PreparedProjection): Promise<Rebuild> {
  const rebuild = await findReady(store, projection);
  await assertOwned(store, rebuild, 'built', `the swap of ${projection.name}`);
  return rebuild;
}

/**
 * Applies the events since, and swaps in a rebuild that is ready.
 * @throws E_NOT_FOUND when none is ready
 * @throws E_STALE_PROJECTION when other code made it
 * @throws E_PERMISSION naming what this account does not own
 * @throws E_CHECK_FAILED naming the faults that its `validate` finds
 */
export async function swapReady(options: SwapOptions, projection: PreparedProjection): Promise<Rebuild> {
  const rebuild = await planSwap(options.store, projection);
  return withReadyTables(options, projection, rebuild, async (held, tables) => {
    assertNoFaults(rebuild, await findFaults(held.store, projection, rebuild));
    return swapHeld(held, projection, tables);
  });
}

/**
 * Swaps in a rebuild whose lease is held already.
 * @throws E_CHECK_FAILED when it read no event and would replace rows
 */
export function swapHeld(options: SwapOptions, projection: PreparedProjection, tables: HeldTables): Promise<Rebuild> {
  const { store, lockTimeoutMs, keepOldMs } = options;
  const { rebuild, lease, catchUp } = tables;
  return swapTables(options, {
    ...tables,
    done: 'swapped',
    rename: async (live) => {
      if (options.allowEmpty !== true) await refuseEmpty(options, projection, rebuild);
      await promoteHeld(options, catchUp, live);
      return store.projections.swap(rebuild, { rebuild: lease, live }, { lockTimeoutMs, keepOldMs });
    },
    next: `evstore swap ${rebuild.projection}`,
  });
}

async function refuseEmpty(
  { store, signal }: SwapOptions,
  projection: PreparedProjection,
  rebuild: Rebuild,
): Promise<void> {
  const cursor = (await store.projections.cursors()).find((each) => each.rebuild === rebuild.id);
  const delivered = cursor?.audit?.events ?? 0;
  if (delivered > 0) return;
  const isFirst = (await findRecord(store, projection.name)) === undefined;
  const rows = isFirst ? { live: 0 } : await countRows(store, rebuild, projection, signal);
  assertReadEvents(rebuild, delivered, rows === null ? null : (rows.live ?? 0));
}

/**
 * Promotes an external read model before the journal records it. If the process dies in between, readers have rows that
 * are up to date, and the next process promotes again.
 */
export async function promoteHeld(
  { store, signal }: TablesOptions,
  catchUp: CatchUp | undefined,
  live: Lease,
): Promise<void> {
  if (catchUp === undefined || live.target.kind !== 'checkpoint') return;
  const record = await findRecord(store, live.target.subscriptionId);
  if (record === undefined || record.target === null) return;
  await assertHeld(store.projections, live);
  // Before the first batch the live target may not exist.
  await catchUp.promote(live.position === 0 ? null : { name: record.target, version: record.version });
  signal.throwIfAborted();
}
