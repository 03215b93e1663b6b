/**
 * The moment at which live and rebuilt tables can be compared: both at one position. The rebuilt ones are caught up to
 * the live checkpoint, which is held for as long as it takes to open a snapshot; then the runner goes on.
 */
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import { BackOff, pause } from '../../lease/back-off.js';
import { checkpointsOf, furthestOf, leastOf } from '../../lease/checkpoints.js';
import { Heartbeat, leaseTtlMs } from '../../lease/heartbeat.js';
import { findRecord } from '../../lease/registration.js';
import type { Checkpoint, Comparison, Lease, Rebuild, Store } from '../../store/store.js';
import type { PreparedProjection } from '../define/prepare.js';
import { addUpDifferences, type TableDiff } from './differences.js';

export interface CompareOptions {
  readonly store: Store;
  readonly projection: PreparedProjection;
  readonly owner: string;
  /** How long it may take until both stand at one position, in milliseconds. */
  readonly maxWaitMs: number;
  /** Differing rows kept of each kind and table. */
  readonly samples: number;
  readonly signal: AbortSignal;
}

/** What takes the rebuilt tables forward. */
interface Advancing {
  readonly position: number;
  moveTo(position: number): void;
  steps(to: number): AsyncIterable<unknown>;
}

export interface Differences {
  /** Of both. */
  readonly position: number;
  readonly live: { readonly version: number; readonly rows: number };
  readonly rebuilt: { readonly version: number; readonly rows: number };
  readonly tables: readonly TableDiff[];
  /** Rows added, removed and changed, of all tables. */
  readonly differences: number;
}

interface OpenComparison {
  readonly position: number;
  readonly items: AsyncGenerator<Comparison>;
}

/** How long nobody may have the lease before nobody is waited for: longer than a runner that was asked to step back does. */
const idleMs = 3_000;
const pollMs = 100;

/**
 * Null without a live table: one that never ran has nothing to compare with.
 * @param lease on the rebuild, kept alive by the caller
 * @throws E_TIMEOUT when they could not be brought to one position in time
 * @throws E_CONFIG for a table that cannot be compared, E_SUPERSEDED when the rebuild is somebody else's now
 */
export async function compareRebuilt(
  options: CompareOptions,
  rebuild: Rebuild,
  lease: Lease,
  catchUp: Advancing,
): Promise<Differences | null> {
  const { store, projection, samples, signal } = options;
  assertComparable(projection);
  const live = await findRecord(store, projection.name);
  const opened = live === undefined ? null : await openComparison(options, rebuild, lease, catchUp);
  if (live === undefined || opened === null) return null;
  const tables = await addUpDifferences(opened.items, projection, samples, signal);
  const sum = (count: (table: TableDiff) => number) => tables.reduce((all, table) => all + count(table), 0);
  return {
    position: opened.position,
    live: { version: live.version, rows: sum((table) => table.live) },
    rebuilt: { version: rebuild.version, rows: sum((table) => table.rebuilt) },
    tables,
    differences: sum(({ added, removed, changed }) => added + removed + changed),
  };
}

async function openComparison(
  options: CompareOptions,
  rebuild: Rebuild,
  lease: Lease,
  catchUp: Advancing,
): Promise<OpenComparison | null> {
  const { store, signal, maxWaitMs } = options;
  const deadline = performance.now() + maxWaitMs;
  // Long enough for a runner that was asked to step back to take its table a step further.
  const backOff = new BackOff(100, 4_000);
  for (;;) {
    signal.throwIfAborted();
    try {
      const live = await waitForLive(options, catchUp.position, deadline);
      if (live === 0) return null;
      await reach(options, catchUp, live, deadline);
      return await openHeld(options, rebuild, catchUp, deadline);
    } catch (error) {
      if (signal.aborted || !isEvstoreError(error)) throw error;
      if (error.code !== 'E_SUPERSEDED' || performance.now() > deadline) throw error;
      if (!(await store.projections.renewLease(lease, leaseTtlMs))) throw error;
      const current = (await store.projections.rebuilds(rebuild.projection)).find(({ id }) => id === rebuild.id);
      if (current === undefined || current.state !== rebuild.state) throw error;
      if (current.position !== catchUp.position) catchUp.moveTo(current.position);
    }
    await backOff.wait(signal);
  }
}

/** With the live checkpoint held where it is. */
async function openHeld(
  options: CompareOptions,
  rebuild: Rebuild,
  catchUp: Advancing,
  deadline: number,
): Promise<OpenComparison> {
  const { store, owner } = options;
  const target = { kind: 'checkpoint', subscriptionId: rebuild.projection } as const;
  const answer = await store.projections.acquireLease(target, { owner, ttlMs: leaseTtlMs, steal: true });
  if (answer.held) throw new EvstoreError('E_BUG', `the lease of ${rebuild.projection} could not be taken over`);
  const live = answer.lease;
  const heartbeat = new Heartbeat(store.projections, live);
  try {
    await reach(options, catchUp, live.position, deadline);
    const items = store.projections.compareTables(rebuild)[Symbol.asyncIterator]();
    const first = await items.next();
    if (first.done || first.value.kind !== 'position') throw new EvstoreError('E_BUG', 'a comparison has no position');
    return { position: first.value.position, items: goOn(items) };
  } finally {
    heartbeat.stop();
    await store.projections.releaseLease(live).catch(() => {});
  }
}

/** The rest of an iteration; given up, it is ended. */
async function* goOn(items: AsyncIterator<Comparison>): AsyncGenerator<Comparison> {
  try {
    for (let next = await items.next(); !next.done; next = await items.next()) yield next.value;
  } finally {
    await items.return?.();
  }
}

/** Where the live tables stand, all parts of them, as soon as the rebuilt ones are not ahead; 0 without any that ran. */
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

async function reach(
  { store, projection, signal }: CompareOptions,
  catchUp: Advancing,
  position: number,
  deadline: number,
): Promise<void> {
  for (;;) {
    for await (const _step of catchUp.steps(position));
    signal.throwIfAborted();
    if (catchUp.position >= position) return;
    if (performance.now() > deadline) {
      throw new EvstoreError('E_TIMEOUT', `events up to position ${position} could not be read in time`, {
        why: `An open transaction holds the safe head below the live table of ${projection.name}.`,
        next: 'evstore lag',
      });
    }
    await store.log.waitForAppend(catchUp.position, { timeoutMs: 500, signal });
  }
}

/** @param waitedMs undefined: nobody moves the live table */
function apart(
  name: string,
  live: readonly Checkpoint[],
  position: number,
  waitedMs: number | undefined,
): EvstoreError {
  const positions = live.map((each) => each.position).join(', ');
  const where = `The live table is at ${positions}, the built table at ${position}`;
  return new EvstoreError('E_TIMEOUT', `the live table of ${name} is not where the rebuilt one is`, {
    why:
      waitedMs === undefined
        ? `${where}, and no process runs ${name}. First run the code that made the live rows.`
        : `${where}, and they were not at one position within ${waitedMs} ms.`,
    next: waitedMs === undefined ? `evstore run ${name} --once` : `evstore lag ${name}`,
    details: { live: live.map((each) => each.position), rebuilt: position },
  });
}

/** @throws E_USAGE for rows that are outside the store's database */
export function assertComparable({ name, model }: PreparedProjection): void {
  if (model.kind !== 'external') return;
  throw new EvstoreError('E_USAGE', `the rows of ${name} cannot be compared`, {
    why: 'They are not in this database.',
    next: `evstore rebuild ${name} --verify count`,
  });
}
