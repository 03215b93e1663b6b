/** Shares the work of a projection among other parts than before, or makes it whole: from one position on. */
import { EvstoreError } from '../../domain/errors.js';
import { partOf } from '../../domain/parts.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { Heartbeat } from '../../lease/heartbeat.js';
import { assertSameHistory } from '../../lease/same-history.js';
import type { Checkpoint, Lease, Store } from '../../store/store.js';
import { CatchUp } from '../catch-up/catch-up.js';
import type { ErrorHandling } from '../catch-up/error-policy.js';
import type { PreparedProjection } from '../define/prepare.js';

export interface DivideOptions extends ErrorHandling {
  readonly store: Store;
  readonly projection: PreparedProjection;
  readonly owner: string;
  readonly ttlMs: number;
  readonly signal: AbortSignal;
}

/**
 * Takes parts that were left behind up to the furthest one first.
 * @throws E_LOCK_HELD when somebody runs the projection, or a part of it
 * @throws E_CHECK_FAILED when the parts could not be brought level, because an open transaction hides events
 */
export async function divideWork(options: DivideOptions, parts: number): Promise<void> {
  const { store, projection, signal } = options;
  const checkpoints = checkpointsOf(await store.projections.checkpoints(), projection.name);
  const furthest = furthestOf(checkpoints) ?? 0;
  const isHeld = checkpoints.some(({ owner }) => owner !== null);
  for (const checkpoint of checkpoints) {
    if (isHeld || checkpoint.position === furthest) continue;
    await assertSameHistory(store.log, checkpoint);
    await bringLevel(options, checkpoint, furthest);
    if (signal.aborted) return;
  }
  await store.projections.divide(projection.name, parts);
}

async function bringLevel(options: DivideOptions, { subscriptionId }: Checkpoint, position: number): Promise<void> {
  const { store, projection, ttlMs } = options;
  const lease = await takeLease(options, subscriptionId);
  const heartbeat = new Heartbeat(store.projections, lease, { ttlMs });
  try {
    const catchUp = new CatchUp(store, projection, {
      lease,
      physical: String,
      part: partOf(subscriptionId).part,
      position: lease.position,
      policy: options.policy,
      tellAside: options.tellAside,
      signal: AbortSignal.any([options.signal, heartbeat.lost]),
    });
    for await (const _step of catchUp.steps(position));
  } finally {
    heartbeat.stop();
    await store.projections.releaseLease(lease).catch(() => {});
  }
}

async function takeLease({ store, owner, ttlMs }: DivideOptions, subscriptionId: string): Promise<Lease> {
  const target = { kind: 'checkpoint', subscriptionId } as const;
  const answer = await store.projections.acquireLease(target, { owner, ttlMs });
  if (!answer.held) return answer.lease;
  throw new EvstoreError(
    'E_LOCK_HELD',
    `${answer.owner} is running ${subscriptionId}; stop it before changing the number of parts`,
    {
      next: 'evstore lag',
      details: { owner: answer.owner },
    },
  );
}
