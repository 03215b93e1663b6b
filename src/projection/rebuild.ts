/**
 * Makes a projection's rows anew beside the live table: fill, catch up, index, verify, swap. The live table and its
 * runner go on until the swap; a kill at any point leaves them right, and the journal says where to go on.
 */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { Lease, Rebuild } from '../store/store.js';
import { CatchUp } from './catch-up.js';
import { checkpointsOf, furthestOf } from './checkpoints.js';
import { assertSameHistory } from './diverged.js';
import { Heartbeat, leaseTtlMs } from './heartbeat.js';
import { planRebuild, type RebuildFacts, type RebuildMode, type RebuildPlanned } from './plan-rebuild.js';
import type { PreparedProjection } from './prepare.js';
import { abortRebuild, findUnfinished, leaseRebuild, tableOf } from './rebuild-lease.js';
import { findRecord } from './registration.js';
import { type RebuildProgress, type SwapOptions, swapHeld } from './swap.js';
import { type Counts, countRows } from './verify.js';

export interface RebuildOptions extends SwapOptions {
  readonly projection: PreparedProjection;
  readonly mode: RebuildMode;
  /** False stops when the table is ready. */
  readonly swap: boolean;
  readonly verify: 'none' | 'count';
  /** The largest difference in rows that is still swapped. */
  readonly maxDiff?: number | undefined;
}

export interface RebuildReport {
  readonly projection: string;
  readonly rebuild: number;
  /** `interrupted`: told to stop; the journal says where to go on. */
  readonly outcome: 'swapped' | 'ready' | 'interrupted';
  readonly fromVersion: number | null;
  readonly toVersion: number;
  /** Everything up to here is in the new table. */
  readonly position: number;
  /** Events folded by this process. */
  readonly events: number;
  /** Null when they were not counted. */
  readonly rows: Counts | null;
  readonly keepOldUntil: string | null;
  readonly elapsedMs: number;
}

/** With fewer events than this to go, the rest is done while the live runner waits. */
const fewEvents = 1_000;

/** @throws E_DIVERGED when the live rows were made from another history: no rebuild of this log can take their place */
export async function gatherFacts({
  store,
  projection,
}: Pick<RebuildOptions, 'store' | 'projection'>): Promise<RebuildFacts> {
  const { name, tables } = projection;
  const checkpoints = checkpointsOf(await store.projections.checkpoints(), name);
  for (const checkpoint of checkpoints) await assertSameHistory(store.log, checkpoint);
  return {
    projection,
    record: await findRecord(store, name),
    livePosition: furthestOf(checkpoints),
    ...(await store.log.head()),
    unfinished: await findUnfinished(store, name),
    tables: await store.projections.inspectTables(tables),
  };
}

/**
 * @throws E_LOCK_HELD, E_NOT_FOUND, E_UNSAFE_STORE as `planRebuild`
 * @throws E_CHECK_FAILED when the number of rows differs by more than `maxDiff`: the new table stays, unswapped
 * @throws E_HANDLER, E_TIMEOUT, E_SUPERSEDED: the live table is untouched, the rebuild can be resumed
 */
export async function rebuildProjection(options: RebuildOptions): Promise<RebuildReport> {
  const { store, projection, owner } = options;
  await store.schema.assertGuards();
  const facts = await gatherFacts(options);
  const plan = planRebuild(facts, options.mode);
  if (plan.action === 'restart' && facts.unfinished !== undefined) await abortRebuild(store, facts.unfinished, owner);
  const { rebuild, lease } =
    plan.action === 'resume' && facts.unfinished !== undefined
      ? { rebuild: facts.unfinished, lease: await leaseRebuild(store, facts.unfinished, owner) }
      : await start(options);
  const heartbeat = new Heartbeat(store.projections, lease);
  try {
    const signal = AbortSignal.any([options.signal, heartbeat.lost]);
    return await carryOut({ ...options, signal }, plan, rebuild, lease);
  } finally {
    heartbeat.stop();
    await store.projections.releaseLease(lease).catch(() => {});
  }

  async function start({ store, owner }: RebuildOptions): Promise<{ rebuild: Rebuild; lease: Lease }> {
    const { name, version, codeHash, model, tables } = projection;
    await store.projections.register({ name, version, codeHash, model });
    return store.projections.startRebuild(
      { projection: name, version, codeHash, tables },
      { owner, ttlMs: leaseTtlMs },
    );
  }
}

async function carryOut(
  options: RebuildOptions,
  plan: RebuildPlanned,
  begun: Rebuild,
  lease: Lease,
): Promise<RebuildReport> {
  const { store, projection, signal, swap, progress } = options;
  const startedAt = performance.now();
  let rows: Counts | null = null;
  let rebuild = begun;
  if (rebuild.state === 'planned') {
    rebuild = await store.projections.createRebuildTables(rebuild, lease, projection.model);
  }
  const catchUp = new CatchUp(store, projection, {
    lease,
    side: 'built',
    physical: tableOf(rebuild, 'built'),
    position: lease.position,
    isEmpty: lease.position === 0,
    batchSize: options.batchSize,
    signal,
  });
  await fill('fill', plan.target);
  for (let behind = Number.POSITIVE_INFINITY; behind > fewEvents && !signal.aborted; ) {
    const { safeHead } = await store.log.head();
    const before = behind;
    behind = safeHead - catchUp.position;
    if (behind >= before) tell('outrun', safeHead);
    await fill('catch-up', safeHead);
  }
  if (signal.aborted) return interrupted();
  if (rebuild.state === 'filling') {
    tell('index', catchUp.position);
    rebuild = await store.projections.finishFill(rebuild, lease, projection.model);
  }
  if (options.verify === 'count') {
    rows = await countRows(store, rebuild);
    assertAlike(rebuild, rows, options.maxDiff);
  }
  if (signal.aborted) return interrupted();
  if (!swap) return report('ready');
  tell('swap', catchUp.position);
  try {
    rebuild = await swapHeld(options, rebuild, lease, catchUp);
  } catch (error) {
    if (signal.aborted) return interrupted();
    throw error;
  }
  return report('swapped');

  async function fill(phase: RebuildProgress['phase'], target: number): Promise<void> {
    for await (const _step of catchUp.steps(target)) tell(phase, target);
  }

  function tell(phase: RebuildProgress['phase'], target: number): void {
    progress({ phase, position: catchUp.position, target, events: catchUp.events });
  }

  function interrupted(): RebuildReport {
    if (isEvstoreError(signal.reason)) throw signal.reason;
    return report('interrupted');
  }

  function report(outcome: RebuildReport['outcome']): RebuildReport {
    return {
      projection: projection.name,
      rebuild: rebuild.id,
      outcome,
      fromVersion: plan.fromVersion,
      toVersion: plan.toVersion,
      position: catchUp.position,
      events: catchUp.events,
      rows,
      keepOldUntil: rebuild.keepOldUntil,
      elapsedMs: Math.round(performance.now() - startedAt),
    };
  }
}

function assertAlike({ projection }: Rebuild, { live, rebuilt }: Counts, maxDiff: number | undefined): void {
  if (maxDiff === undefined || live === null) return;
  const difference = Math.abs(rebuilt - live);
  if (difference <= maxDiff) return;
  throw new EvstoreError('E_CHECK_FAILED', `the rebuilt ${projection} has ${rebuilt} rows, the live one ${live}`, {
    why: `That is ${difference} apart, and at most ${maxDiff} was allowed. The new table is ready and was not swapped in.`,
    next: `evstore swap ${projection}`,
    details: { live, rebuilt, difference },
  });
}
