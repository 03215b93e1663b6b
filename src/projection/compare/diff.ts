/** What a swap would change: the rebuild that is ready beside the live read model. Writes no live row. */
import { EvstoreError } from '../../domain/errors.js';
import { Heartbeat } from '../../lease/heartbeat.js';
import type { Rebuild, Store } from '../../store/store.js';
import { CatchUp } from '../catch-up/catch-up.js';
import type { ErrorHandling } from '../catch-up/error-policy.js';
import type { PreparedProjection } from '../define/prepare.js';
import { assertReady, findUnfinished, leaseRebuild, tableOf } from '../journal/rebuild-lease.js';
import { type CompareOptions, compareRebuilt, type Differences } from './compare.js';
import { findFaults } from './validate-rows.js';

export interface DiffOptions extends CompareOptions, ErrorHandling {
  /** Events a batch; adaptive unless said. */
  readonly batchSize?: number | undefined;
}

export interface Diff extends Differences {
  readonly projection: string;
  /** Rows that the projection's `validate` returned for the rebuilt tables. */
  readonly faults: readonly unknown[];
}

/**
 * The rebuild that would be compared.
 * @throws E_NOT_FOUND without a rebuild that is ready
 * @throws E_STALE_PROJECTION when the rebuild was made by other code than this
 */
export async function findComparable(store: Store, projection: PreparedProjection): Promise<Rebuild> {
  const { name } = projection;
  const rebuild = await findUnfinished(store, name);
  if (rebuild === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `no rebuild of ${name} to compare with`, {
      why: 'The live rows are compared with those of a rebuild that is ready.',
      next: `evstore rebuild ${name} --no-swap`,
    });
  }
  assertReady(rebuild, projection);
  return rebuild;
}

/**
 * @throws E_NOT_FOUND without a rebuild that is ready, and without a live table
 * @throws E_STALE_PROJECTION when the rebuild was made by other code than this
 * @throws E_TIMEOUT, E_CONFIG, E_SUPERSEDED as `compareRebuilt`
 */
export async function diffReady(options: DiffOptions): Promise<Diff> {
  const { store, projection, owner, batchSize, policy, tellAside } = options;
  const { name } = projection;
  const rebuild = await findComparable(store, projection);
  await store.schema.assertGuards();
  const lease = await leaseRebuild(store, rebuild, owner);
  const heartbeat = new Heartbeat(store.projections, lease);
  try {
    const signal = AbortSignal.any([options.signal, heartbeat.lost]);
    const physical = tableOf(rebuild, 'built');
    const catchUp = new CatchUp(store, projection, {
      lease,
      side: 'built',
      physical,
      position: lease.position,
      batchSize,
      policy,
      tellAside,
      signal,
    });
    const found = await compareRebuilt({ ...options, signal }, rebuild, lease, catchUp);
    if (found === null) throw noLiveTable(name);
    const faults = await findFaults(store, projection, rebuild);
    return { projection: name, ...found, faults: faults.map((fault): unknown => JSON.parse(fault)) };
  } finally {
    heartbeat.stop();
    await store.projections.releaseLease(lease).catch(() => {});
  }
}

function noLiveTable(name: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `${name} has no live rows to compare with`, {
    why: 'It never ran: what the rebuild made is all there is.',
    next: `evstore swap ${name}`,
  });
}
