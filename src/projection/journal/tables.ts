/** The tables of a rebuild: their lease, and what takes them forward along the log. */
import type { Patience } from '../../lease/acquire.js';
import { type HeldLease, withLease } from '../../lease/with-lease.js';
import type { EventLog, Lease, Rebuild, Store } from '../../store/store.js';
import { CatchUp, type CatchUpTarget } from '../catch-up/catch-up.js';
import { type ReadableOptions, waitUntilReadable } from '../catch-up/wait-until-readable.js';
import type { PreparedProjection } from '../define/prepare.js';
import type { ErrorHandling } from '../define/set-aside.js';

export interface TablesOptions extends ErrorHandling {
  readonly store: Store;
  readonly owner: string;
  /** Waits for the lease of a process that may have died. */
  readonly patience?: Patience | undefined;
  /** Events a batch; adaptive unless set. */
  readonly batchSize?: number | undefined;
  readonly signal: AbortSignal;
}

/** A rebuild while this process holds its lease. */
export interface HeldTables {
  readonly rebuild: Rebuild;
  readonly lease: Lease;
  readonly catchUp: CatchUp;
}

/** Maps a name readers use to a built or an old table, or to what stands for it outside the database. */
export function tableOf(rebuild: Rebuild, side: 'built' | 'old'): (name: string) => string {
  const target = side === 'built' ? rebuild.target : rebuild.oldTarget;
  if (target !== null) return () => target;
  return (name) => rebuild.tables.find(({ live }) => live === name)?.[side] ?? name;
}

/** Lists the built or the old tables, or what stands for them outside the database. */
export function tablesOf({ tables, target, oldTarget }: Rebuild, side: 'built' | 'old'): readonly string[] {
  const outside = side === 'built' ? target : oldTarget;
  return outside === null ? tables.map((table) => table[side]) : [outside];
}

/** @throws E_LOCK_HELD naming the process that is working on it; E_TIMEOUT as `acquireLease` */
export function withRebuildLease<T>(
  { store, owner, patience, signal }: Pick<TablesOptions, 'store' | 'owner' | 'patience' | 'signal'>,
  { id }: Rebuild,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withLease(store.projections, { kind: 'rebuild', id }, { owner, patience, signal }, work);
}

/** Returns what catches up the built tables, unless `more` names other ones. */
export function catchUpTables(
  { store, batchSize, policy, tellAside }: TablesOptions,
  projection: PreparedProjection,
  rebuild: Rebuild,
  { lease, signal }: Pick<HeldLease, 'lease' | 'signal'>,
  more: Partial<CatchUpTarget> = {},
): CatchUp {
  const side = more.side ?? 'built';
  const physical = tableOf(rebuild, side);
  const { position } = lease;
  return new CatchUp(store, projection, {
    side,
    physical,
    position,
    batchSize,
    policy,
    tellAside,
    ...more,
    lease,
    signal,
  });
}

/** Works on the tables of a rebuild that is ready, under its lease. */
export function withReadyTables<Options extends TablesOptions, T>(
  options: Options,
  projection: PreparedProjection,
  rebuild: Rebuild,
  work: (options: Options, held: HeldTables) => Promise<T>,
): Promise<T> {
  return withRebuildLease(options, rebuild, async (lease, signal) => {
    await options.store.schema.assertGuards();
    const catchUp = catchUpTables(options, projection, rebuild, { lease, signal });
    try {
      return await work({ ...options, signal }, { rebuild, lease, catchUp });
    } finally {
      await catchUp.close();
    }
  });
}

/** Catches up at least to `position`, waiting while an open transaction holds the safe head below it, and to `upTo`. */
export async function reach(
  log: EventLog,
  catchUp: CatchUp,
  position: number,
  { upTo = position, ...waiting }: ReadableOptions & { readonly upTo?: number },
): Promise<void> {
  do {
    await waitUntilReadable(log, position, waiting);
    for await (const _step of catchUp.steps(upTo));
    waiting.signal.throwIfAborted();
  } while (catchUp.position < position);
}
