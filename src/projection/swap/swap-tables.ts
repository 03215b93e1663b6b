/**
 * The moment tables change names, in a swap and in a rollback: catch up alongside the live runner, take its lease, apply
 * the events since, rename, release the lease. Any failure leaves the live table as it is.
 */

import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import { groupDigits } from '../../domain/numbers.js';
import { mayPass, repeat } from '../../lease/attempts.js';
import { leaseTtlMs } from '../../lease/heartbeat.js';
import { takeOver } from '../../lease/with-lease.js';
import type { Lease, Rebuild, RebuildState } from '../../store/store.js';
import type { CatchUp } from '../catch-up/catch-up.js';
import { reload } from '../journal/find.js';
import { type HeldTables, reach, type TablesOptions } from '../journal/tables.js';

export interface TableSwapOptions extends TablesOptions {
  /** How long one attempt waits for the table locks, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** How long attempts are repeated, in milliseconds. */
  readonly maxWaitMs: number;
}

export interface TableSwap extends Omit<HeldTables, 'catchUp'> {
  /** Fills the tables that become live; undefined when they stay at their position. */
  readonly catchUp: CatchUp | undefined;
  /** The state of the rebuild afterwards. */
  readonly done: RebuildState;
  readonly rename: (live: Lease) => Promise<Rebuild>;
  /** The command that tries again after a timeout. */
  readonly next: string;
}

/** @throws E_TIMEOUT when others kept the tables locked until `maxWaitMs`, and nothing has changed */
export function swapTables(options: TableSwapOptions, swap: TableSwap): Promise<Rebuild> {
  return repeat({
    ...options,
    pauseMs: [50, 2_000],
    attempt: (deadline) => attempt(options, swap, deadline),
    settle: (error) => settle(options, swap, addNext(error, swap.next)),
    giveUp: (error) => timedOut(options, swap, error),
  });
}

async function attempt(
  options: TableSwapOptions,
  { rebuild, catchUp, rename }: TableSwap,
  deadline: number,
): Promise<Rebuild> {
  const { projections } = options.store;
  if (catchUp !== undefined) await drain(options, catchUp, 0, deadline);
  return takeOver(projections, rebuild.projection, options, async (live) => {
    if (catchUp === undefined) return rename(live);
    // While this lease is held, appends must leave rows of inline projections to the runner: rows they write to the live
    // table now would be missing in the other one.
    const last = await projections.restInline(rebuild.projection, live);
    await drain(options, catchUp, Math.max(live.position, last), deadline);
    return rename(live);
  });
}

/** The store names what is in the way of new names, and this command knows how to try again. */
function addNext(error: unknown, next: string): unknown {
  if (!isEvstoreError(error) || error.next !== undefined) return error;
  if (error.code !== 'E_UNSAFE_STORE' && error.code !== 'E_FOREIGN_TABLE') return error;
  const { code, message, why, details, cause } = error;
  return new EvstoreError(code, message, { why, details, cause, next });
}

/** Catches up to the safe head, and at least to `least`: an older open transaction may have lowered the safe head since. */
async function drain(
  { store: { log }, signal }: TableSwapOptions,
  catchUp: CatchUp,
  least: number,
  deadline: number,
): Promise<void> {
  const { head, safeHead } = await log.head();
  if (least > head) {
    throw new EvstoreError(
      'E_DIVERGED',
      `the live table is at position ${groupDigits(least)}, but the log ends at ${groupDigits(head)}`,
      {
        why: 'The table was built from a different history than this log.',
        next: 'evstore verify',
      },
    );
  }
  await reach(log, catchUp, least, { deadline, signal, upTo: Math.max(safeHead, least) });
}

/** Returns the rebuild when the tables were renamed after all, and undefined when another attempt makes sense. */
async function settle({ store }: TableSwapOptions, swap: TableSwap, error: unknown): Promise<Rebuild | undefined> {
  if (!mayPass(error)) throw error;
  const { rebuild, lease, done, catchUp } = swap;
  const current = await reload(store, rebuild).catch(() => undefined);
  if (current?.state === done) return current;
  if (current !== undefined && current.state !== rebuild.state) throw error;
  // Where the lost answer was to a batch, only the journal knows the position of the table.
  const reached = done === 'swapped' ? current?.position : current?.old?.position;
  if (typeof reached === 'number') catchUp?.moveTo(reached);
  const isSuperseded = isEvstoreError(error) && error.code === 'E_SUPERSEDED';
  if (isSuperseded && !(await store.projections.renewLease(lease, leaseTtlMs))) throw error;
  return undefined;
}

function timedOut({ maxWaitMs }: TableSwapOptions, { rebuild, next }: TableSwap, cause: unknown): EvstoreError {
  const last = isEvstoreError(cause) ? (cause.why ?? cause.message) : String(cause);
  return new EvstoreError('E_TIMEOUT', `the tables of ${rebuild.projection} were not swapped within ${maxWaitMs} ms`, {
    why: `The live table is unchanged. The last attempt failed: ${last}`,
    next,
    details: { rebuild: rebuild.id, state: rebuild.state },
    cause,
  });
}
