import { isEvstoreError } from '../../domain/errors.js';
import { partOf } from '../../domain/parts.js';
import { acquireLease, type Patience } from '../../lease/acquire.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { assertSameHistory } from '../../lease/same-history.js';
import { withLease } from '../../lease/with-lease.js';
import type { Checkpoint, Store } from '../../store/store.js';
import { CatchUp } from '../catch-up/catch-up.js';
import type { PreparedProjection } from '../define/prepare.js';
import type { ErrorHandling } from '../define/set-aside.js';

export interface DivideOptions extends ErrorHandling {
  readonly store: Store;
  readonly projection: PreparedProjection;
  readonly owner: string;
  readonly ttlMs: number;
  /** Waits for leases of processes that may have died. */
  readonly patience?: Patience | undefined;
  readonly signal: AbortSignal;
}

/**
 * Changes the number of parts that the work of a projection is divided into; 1 undivides it. Parts that are behind are
 * first moved to the position of the furthest one.
 * @throws E_LOCK_HELD when another process runs the projection or one of its parts
 * @throws E_CHECK_FAILED when a part cannot reach that position, because an open transaction hides events
 */
export async function divideWork(options: DivideOptions, parts: number): Promise<void> {
  const { store, projection, signal } = options;
  const read = async () => checkpointsOf(await store.projections.checkpoints(), projection.name);
  for (const held of await read()) if (held.owner !== null) await awaitEnd(options, held);
  const checkpoints = await read();
  const furthest = furthestOf(checkpoints) ?? 0;
  const isRunning = checkpoints.some(({ owner }) => owner !== null);
  for (const checkpoint of checkpoints) {
    if (isRunning || checkpoint.position === furthest) continue;
    await assertSameHistory(store.log, checkpoint);
    await bringLevel(options, checkpoint, furthest);
    if (signal.aborted) return;
  }
  await store.projections.divide(projection.name, parts);
}

/** Ends, or outwaits, the lease of a process that has died; leaves that of another one to `divide`, which names it. */
async function awaitEnd(
  { store: { projections }, owner, ttlMs, patience, signal }: DivideOptions,
  { subscriptionId }: Checkpoint,
): Promise<void> {
  const target = { kind: 'checkpoint', subscriptionId } as const;
  try {
    await projections.releaseLease(await acquireLease(projections, target, { owner, ttlMs, patience, signal }));
  } catch (error) {
    if (!isEvstoreError(error) || error.code !== 'E_LOCK_HELD') throw error;
  }
}

async function bringLevel(
  { store, projection, owner, ttlMs, policy, tellAside, signal }: DivideOptions,
  { subscriptionId }: Checkpoint,
  position: number,
): Promise<void> {
  const target = { kind: 'checkpoint', subscriptionId } as const;
  await withLease(store.projections, target, { owner, ttlMs, signal }, async (lease, held) => {
    const catchUp = new CatchUp(store, projection, {
      lease,
      physical: String,
      part: partOf(subscriptionId).part,
      position: lease.position,
      policy,
      tellAside,
      signal: held,
    });
    for await (const _step of catchUp.steps(position));
  });
}
