/**
 * The moment tables change names, in a swap and in a rollback: catch up beside the live runner, take its lease, drain
 * what came in meanwhile, change, give the lease back. Whatever fails leaves the live table as it is.
 */
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import { BackOff } from '../../lease/back-off.js';
import { Heartbeat, leaseTtlMs } from '../../lease/heartbeat.js';
import type { Lease, Rebuild, RebuildState, Store } from '../../store/store.js';
import type { CatchUp } from '../catch-up/catch-up.js';
import type { ErrorHandling } from '../catch-up/error-policy.js';

export interface SwitchOptions extends ErrorHandling {
  readonly store: Store;
  readonly owner: string;
  /** How long one attempt waits for the locks of the tables, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** How long attempts are repeated, in milliseconds. */
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
}

export interface TableSwitch {
  readonly rebuild: Rebuild;
  readonly lease: Lease;
  /** Fills the table that is to become live; undefined when it changes places as it is. */
  readonly catchUp: CatchUp | undefined;
  /** The state the journal is in when it is done. */
  readonly done: RebuildState;
  readonly act: (live: Lease) => Promise<Rebuild>;
  /** The command to go on with after a time-out. */
  readonly next: string;
}

/** @throws E_TIMEOUT when the tables stayed locked by others until `maxWaitMs`, and nothing has changed */
export async function switchTables(options: SwitchOptions, change: TableSwitch): Promise<Rebuild> {
  const { signal, maxWaitMs } = options;
  const deadline = performance.now() + maxWaitMs;
  const backOff = new BackOff(50, 2_000);
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt(options, change, deadline);
    } catch (error) {
      const done = await settle(options, change, error);
      if (done !== undefined) return done;
      if (performance.now() > deadline) throw gaveUp(options, change, error);
    }
    await backOff.wait(signal);
  }
}

async function attempt(
  options: SwitchOptions,
  { rebuild, catchUp, act }: TableSwitch,
  deadline: number,
): Promise<Rebuild> {
  const { store, owner, lockTimeoutMs } = options;
  if (catchUp !== undefined) await drain(options, catchUp, 0, deadline);
  const target = { kind: 'checkpoint', subscriptionId: rebuild.projection } as const;
  const answer = await store.projections.acquireLease(target, { owner, ttlMs: leaseTtlMs, steal: true });
  if (answer.held) throw new EvstoreError('E_BUG', `the lease of ${rebuild.projection} could not be taken over`);
  const live = answer.lease;
  const heartbeat = new Heartbeat(store.projections, live);
  try {
    if (catchUp !== undefined) {
      // Readers would see less than before if an append wrote rows now that the other tables do not get: as long as this
      // may still be tried, because an open transaction can hold the drain up.
      const restMs = Math.max(leaseTtlMs, Math.ceil(deadline - performance.now()) + lockTimeoutMs);
      const last = await store.projections.restInline(rebuild.projection, restMs);
      await drain(options, catchUp, Math.max(live.position, last), deadline);
    }
    return await act(live);
  } finally {
    heartbeat.stop();
    if (catchUp !== undefined) await store.projections.restInline(rebuild.projection, 0).catch(() => {});
    await store.projections.releaseLease(live).catch(() => {});
  }
}

/**
 * To the safe head, and at least to `least`: below it the safe head may have fallen again since, while an older
 * transaction is open.
 */
async function drain(
  { store, signal }: SwitchOptions,
  catchUp: CatchUp,
  least: number,
  deadline: number,
): Promise<void> {
  const { head, safeHead } = await store.log.head();
  if (least > head) {
    throw new EvstoreError('E_DIVERGED', `the live table is at position ${least}, but the log ends at ${head}`, {
      why: 'It was built from another history than this log.',
    });
  }
  for (;;) {
    for await (const _step of catchUp.steps(Math.max(safeHead, least)));
    signal.throwIfAborted();
    if (catchUp.position >= least) return;
    if (performance.now() > deadline) {
      throw new EvstoreError('E_TIMEOUT', `events up to position ${least} could not be read in time`, {
        why: 'An open transaction holds the safe head below the live table.',
        next: 'evstore lag',
      });
    }
    await store.log.waitForAppend(catchUp.position, { timeoutMs: 500, signal });
  }
}

/** The rebuild as it is when the change was made after all; undefined when trying again makes sense. Otherwise throws. */
async function settle(
  { store, signal }: SwitchOptions,
  change: TableSwitch,
  error: unknown,
): Promise<Rebuild | undefined> {
  if (signal.aborted || !isEvstoreError(error)) throw error;
  if (error.code === 'E_TIMEOUT') return undefined;
  if (!['E_CONNECT', 'E_OUTCOME_UNKNOWN', 'E_SUPERSEDED'].includes(error.code)) throw error;
  const { rebuild, lease, done } = change;
  const rebuilds = await store.projections.rebuilds(rebuild.projection).catch(() => undefined);
  const current = rebuilds?.find(({ id }) => id === rebuild.id);
  if (current?.state === done) return current;
  if (current !== undefined && current.state !== rebuild.state) throw error;
  // The answer that was lost may have been to a batch: the journal knows how far the table is.
  const reached = done === 'swapped' ? current?.position : current?.old?.position;
  if (typeof reached === 'number') change.catchUp?.moveTo(reached);
  if (error.code === 'E_SUPERSEDED' && !(await store.projections.renewLease(lease, leaseTtlMs))) throw error;
  return undefined;
}

function gaveUp({ maxWaitMs }: SwitchOptions, { rebuild, next }: TableSwitch, error: unknown): EvstoreError {
  const why = isEvstoreError(error) ? (error.why ?? error.message) : String(error);
  return new EvstoreError(
    'E_TIMEOUT',
    `the tables of ${rebuild.projection} could not be exchanged in ${maxWaitMs} ms`,
    {
      why: `The live table is untouched. The last attempt: ${why}`,
      next,
      details: { rebuild: rebuild.id, state: rebuild.state },
      cause: error,
    },
  );
}
