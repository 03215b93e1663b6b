/**
 * Compares rebuilt rows with the live ones, key by key, at one position. The built tables are caught up to the live
 * checkpoint; its lease is held until a snapshot of both is open, then the runner continues.
 */

import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import { groupDigits } from '../../domain/numbers.js';
import { repeat } from '../../lease/attempts.js';
import { pause } from '../../lease/back-off.js';
import { checkpointsOf, furthestOf, leastOf } from '../../lease/checkpoints.js';
import { leaseTtlMs } from '../../lease/heartbeat.js';
import { findRecord } from '../../lease/registration.js';
import { takeOver } from '../../lease/with-lease.js';
import type { Checkpoint, Comparison, Store } from '../../store/store.js';
import type { PreparedProjection } from '../define/prepare.js';
import { reload } from '../journal/find.js';
import { type HeldTables, reach } from '../journal/tables.js';
import { addUp, type TableDiff } from './table-diff.js';

export interface CompareOptions {
  readonly store: Store;
  readonly projection: PreparedProjection;
  readonly owner: string;
  /** How long it may take until both are at one position, in milliseconds. */
  readonly maxWaitMs: number;
  /** Differing rows kept of each kind and table. */
  readonly samples: number;
  readonly signal: AbortSignal;
}

export interface Diff {
  /** Of both. */
  readonly position: number;
  readonly live: { readonly version: number; readonly rows: number };
  readonly rebuilt: { readonly version: number; readonly rows: number };
  readonly tables: readonly TableDiff[];
  /** Rows added, removed and changed, of all tables. */
  readonly differences: number;
  /** Columns that only the live or only the rebuilt table has, of all tables: their values are not compared. */
  readonly columnChanges: number;
}

/** A snapshot of both sides at one position. */
interface Snapshot {
  readonly position: number;
  readonly items: AsyncGenerator<Comparison>;
}

/** Stop waiting if no one holds the lease for this long. A runner that was asked to step back is away for less. */
const idleMs = 3_000;
const pollMs = 100;

/**
 * Returns null without a live table: one that never ran has nothing to compare with.
 * @throws E_TIMEOUT when the two did not reach one position in time
 * @throws E_CONFIG for a table that cannot be compared, E_SUPERSEDED when another process took the rebuild
 */
export async function compareRebuilt(options: CompareOptions, tables: HeldTables): Promise<Diff | null> {
  const { store, projection, samples, signal } = options;
  assertComparable(projection);
  const live = await findRecord(store, projection.name);
  const snapshot = live === undefined ? null : await openSnapshot(options, tables);
  if (live === undefined || snapshot === null) return null;
  const found = await addUp(snapshot.items, projection, samples, signal);
  const sum = (numberOf: (table: TableDiff) => number) => found.reduce((all, table) => all + numberOf(table), 0);
  return {
    position: snapshot.position,
    live: { version: live.version, rows: sum((table) => table.live) },
    rebuilt: { version: tables.rebuild.version, rows: sum((table) => table.rebuilt) },
    tables: found,
    differences: sum(({ added, removed, changed }) => added + removed + changed),
    columnChanges: sum(({ onlyLive, onlyRebuilt }) => onlyLive.length + onlyRebuilt.length),
  };
}

function openSnapshot(options: CompareOptions, tables: HeldTables): Promise<Snapshot | null> {
  const { rebuild, lease, catchUp } = tables;
  const { store } = options;
  return repeat<Snapshot | null>({
    ...options,
    // Long enough for a runner that was asked to step back to move its table forward.
    pauseMs: [100, 4_000],
    attempt: async (deadline) => {
      const live = await waitForLive(options, catchUp.position, deadline);
      if (live === 0) return null;
      await reach(store.log, catchUp, live, { ...options, deadline });
      return openAtLive(options, tables, deadline);
    },
    settle: async (error) => {
      // E_TIMEOUT is final here: it means that the two will not meet.
      if (!isEvstoreError(error) || error.code !== 'E_SUPERSEDED') throw error;
      if (!(await store.projections.renewLease(lease, leaseTtlMs))) throw error;
      const current = await reload(store, rebuild);
      if (current?.state !== rebuild.state) throw error;
      if (current.position !== catchUp.position) catchUp.moveTo(current.position);
      return undefined;
    },
    giveUp: (error) => error,
  });
}

/** Holds the live checkpoint in place while the snapshot is opened. */
function openAtLive(
  { store, owner, signal }: CompareOptions,
  { rebuild, catchUp }: HeldTables,
  deadline: number,
): Promise<Snapshot> {
  return takeOver(store.projections, rebuild.projection, { owner, signal }, async (live) => {
    await reach(store.log, catchUp, live.position, { deadline, signal });
    const items = store.projections.compareTables(rebuild)[Symbol.asyncIterator]();
    const first = await items.next();
    if (first.done || first.value.kind !== 'position') throw new EvstoreError('E_BUG', 'a comparison has no position');
    return { position: first.value.position, items: rest(items) };
  });
}

/** Yields what is left, and closes the iterator when the consumer stops early. */
async function* rest(items: AsyncIterator<Comparison>): AsyncGenerator<Comparison> {
  try {
    for (let next = await items.next(); !next.done; next = await items.next()) yield next.value;
  } finally {
    await items.return?.();
  }
}

/**
 * Waits until all parts of the live tables are at one position, not behind the built ones.
 * @returns that position; 0 when they never ran
 */
async function waitForLive(
  { store, projection, maxWaitMs, signal }: CompareOptions,
  position: number,
  deadline: number,
): Promise<number> {
  let idleSince = performance.now();
  for (;;) {
    const live = checkpointsOf(await store.projections.checkpoints(), projection.name);
    const [least = 0, furthest = 0] = [leastOf(live), furthestOf(live)];
    if (furthest === 0 || (least === furthest && least >= position)) return least;
    signal.throwIfAborted();
    const now = performance.now();
    if (live.some(({ owner }) => owner !== null)) idleSince = now;
    const isIdle = now - idleSince > idleMs;
    if (isIdle || now > deadline) throw apart(projection.name, live, position, isIdle ? undefined : maxWaitMs);
    await pause(pollMs, signal);
  }
}

/** @param waitedMs undefined when no runner moves the live table */
function apart(
  name: string,
  live: readonly Checkpoint[],
  position: number,
  waitedMs: number | undefined,
): EvstoreError {
  const positions = live.map((each) => each.position);
  const found = `The live table is at position ${positions.map(groupDigits).join(' and ')}, the rebuilt one at ${groupDigits(position)}.`;
  return new EvstoreError('E_TIMEOUT', `the live and the rebuilt table of ${name} are at different positions`, {
    why:
      waitedMs === undefined
        ? `${found} No runner of ${name} moves the live table; run the code that made its rows first.`
        : `${found} They did not reach the same position within ${waitedMs} ms.`,
    next: waitedMs === undefined ? `evstore run ${name} --once` : `evstore lag ${name}`,
    details: { live: positions, rebuilt: position },
  });
}

/** @throws E_USAGE for rows that are outside the store's database */
export function assertComparable({ name, model }: PreparedProjection): void {
  if (model.kind !== 'external') return;
  throw new EvstoreError('E_USAGE', `the rows of ${name} cannot be compared`, {
    why: 'They are outside the database of this store.',
    next: `evstore rebuild ${name} --verify count`,
  });
}
