/**
 * Makes some rows of a live table anew, in their place: they are replayed in memory up to the live checkpoint and merged
 * in one transaction under the projection's lease, which does not move. The runner steps back for that moment.
 */
import { tallyIds } from '../../domain/audit.js';
import { EvstoreError, isEvstoreError } from '../../domain/errors.js';
import type { StoredRow } from '../../domain/read-model.js';
import { BackOff, pause } from '../../lease/back-off.js';
import { checkpointsOf } from '../../lease/checkpoints.js';
import { Heartbeat, leaseTtlMs } from '../../lease/heartbeat.js';
import { compareCode, findRecord } from '../../lease/registration.js';
import { assertSameHistory } from '../../lease/same-history.js';
import type { ChangedRow, Checkpoint, Lease, Store } from '../../store/store.js';
import { type TableDiff, TableSum } from '../compare/differences.js';
import { keyOf } from '../define/columns.js';
import {
  isExternalProjection,
  isTableProjection,
  type PreparedProjection,
  type PreparedTableProjection,
} from '../define/prepare.js';
import { collectKeys, type Keys, type RepairScope } from './repair-keys.js';
import { Replay } from './replay.js';

export interface RepairOptions {
  readonly store: Store;
  readonly projection: PreparedProjection;
  readonly scope: RepairScope;
  readonly owner: string;
  /** True writes nothing, and takes nobody's lease. */
  readonly dryRun: boolean;
  /** Rows kept of each kind. */
  readonly samples: number;
  /** How long attempts are repeated, in milliseconds. */
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
}

export interface RepairReport {
  readonly projection: string;
  readonly dryRun: boolean;
  /** Of the live table, where it stays. */
  readonly position: number;
  /** Rows that were looked at, whether or not they exist. */
  readonly keys: number;
  /** Events replayed. */
  readonly events: number;
  /** The rows as they were (`live`) and as they are replayed (`rebuilt`). */
  readonly rows: TableDiff;
}

/** What the merge is to write. */
interface Merge {
  readonly rows: TableDiff;
  readonly upserts: readonly StoredRow[];
  readonly deletes: readonly StoredRow[];
}

/** With fewer events than this to go, the rest is replayed while the runner waits. */
const fewEvents = 500;
/** SQLite looks rows up in one go. */
const keysPerLook = 500;
const pollMs = 100;

/**
 * @throws E_USAGE for a projection whose rows cannot be told apart by key, and for too many rows
 * @throws E_STALE_PROJECTION when the live rows were made by other code than this
 * @throws E_NOT_FOUND when no event is about any row
 * @throws E_HANDLER, E_TIMEOUT: no row was written
 */
export async function repairRows(options: RepairOptions): Promise<RepairReport> {
  const { store, scope, signal, maxWaitMs } = options;
  const projection = asTable(options.projection);
  await store.schema.assertGuards();
  await assertRepairable(store, projection);
  const checkpoint = await findCheckpoint(store, projection.name);
  await assertSameHistory(store.log, checkpoint);
  const keys = await collectKeys(store, projection, scope, checkpoint.position, signal);
  const deadline = performance.now() + maxWaitMs;
  const backOff = new BackOff(50, 1_000);
  const sent: Sent = { report: undefined };
  for (;;) {
    signal.throwIfAborted();
    try {
      const done = await attempt(options, projection, keys, deadline, sent);
      if (done !== undefined) return done;
    } catch (error) {
      const isPassing =
        isEvstoreError(error) && ['E_SUPERSEDED', 'E_CONNECT', 'E_OUTCOME_UNKNOWN'].includes(error.code);
      if (!isPassing || signal.aborted || performance.now() > deadline) throw error;
    }
    if (performance.now() > deadline) throw tooBusy(projection.name, maxWaitMs);
    await backOff.wait(signal);
  }
}

/** A merge whose answer may have been lost: found done, or done again, because it is computed from the rows as they are. */
interface Sent {
  report: RepairReport | undefined;
}

/** Undefined when something moved meanwhile, and it has to be done again. */
async function attempt(
  options: RepairOptions,
  projection: PreparedTableProjection,
  keys: Keys,
  deadline: number,
  sent: Sent,
): Promise<RepairReport | undefined> {
  const { store, signal, dryRun } = options;
  const aside = await readAside(store, projection.name);
  const replay = new Replay(store, projection, keys, aside);
  for (let behind = Number.POSITIVE_INFINITY; behind > fewEvents; ) {
    const { position } = await findCheckpoint(store, projection.name);
    behind = position - replay.position;
    await reach(store, replay, position, deadline, signal);
  }
  if (dryRun) return preview(options, projection, keys, replay, deadline);
  return withLease(options, projection.name, async (lease, held) => {
    // Under the lease nobody else writes rows, puts events aside or exchanges the tables.
    await assertRepairable(store, projection);
    const current = await readAside(store, projection.name);
    if (lease.position < replay.position || !isSameSet(current, aside)) return undefined;
    await reach(store, replay, lease.position, deadline, held);
    const merge = await compareRows(options, projection, keys, replay);
    held.throwIfAborted();
    const { upserts, deletes } = merge;
    const done = report(options, projection, keys, replay, merge);
    if (upserts.length + deletes.length === 0) return sent.report ?? done;
    const { spec } = projection.shape;
    sent.report = done;
    await store.projections.apply({
      lease,
      from: lease.position,
      to: lease.position,
      lastEventId: null,
      seen: { filter: projection.filter, ...tallyIds([]) },
      changes: { kind: 'rows', spec, table: spec.name, upserts, deletes },
    });
    return done;
  });
}

/** Without the lease the rows are those of one position when the checkpoint stood still while they were read. */
async function preview(
  options: RepairOptions,
  projection: PreparedTableProjection,
  keys: Keys,
  replay: Replay,
  deadline: number,
): Promise<RepairReport | undefined> {
  const { store, signal } = options;
  while (performance.now() < deadline) {
    const before = await findCheckpoint(store, projection.name);
    if (before.position < replay.position) return undefined;
    await reach(store, replay, before.position, deadline, signal);
    const merge = await compareRows(options, projection, keys, replay);
    const after = await findCheckpoint(store, projection.name);
    if (after.position === before.position && after.generation === before.generation) {
      return report(options, projection, keys, replay, merge);
    }
    await pause(pollMs, signal);
  }
  return undefined;
}

async function withLease<T>(
  { store, owner, signal }: RepairOptions,
  name: string,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const target = { kind: 'checkpoint', subscriptionId: name } as const;
  const answer = await store.projections.acquireLease(target, { owner, ttlMs: leaseTtlMs, steal: true });
  if (answer.held) throw new EvstoreError('E_BUG', `the lease of ${name} could not be taken over`);
  const { lease } = answer;
  const heartbeat = new Heartbeat(store.projections, lease);
  try {
    return await work(lease, AbortSignal.any([signal, heartbeat.lost]));
  } finally {
    heartbeat.stop();
    await store.projections.releaseLease(lease).catch(() => {});
  }
}

/** To a position that the live table has passed: below it the safe head may have fallen again. */
async function reach(
  { log }: Store,
  replay: Replay,
  position: number,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  while ((await log.head()).safeHead < position) {
    signal.throwIfAborted();
    if (performance.now() > deadline) {
      throw new EvstoreError('E_TIMEOUT', `events up to position ${position} could not be read in time`, {
        why: 'An open transaction holds the safe head below the live table.',
        next: 'evstore lag',
      });
    }
    await pause(pollMs, signal);
  }
  await replay.advance(position, signal);
}

async function compareRows(
  { store, samples }: RepairOptions,
  { shape }: PreparedTableProjection,
  keys: Keys,
  replay: Replay,
): Promise<Merge> {
  const { spec } = shape;
  const replayed = replay.rows();
  const columns = spec.columns.filter(({ name }) => !spec.key.includes(name));
  const key = spec.columns.filter(({ name }) => spec.key.includes(name));
  const sum = new TableSum(
    { kind: 'table', table: spec.name, key, columns, onlyLive: [], onlyRebuilt: [] },
    new Set(),
    samples,
  );
  const upserts: StoredRow[] = [];
  const deletes: StoredRow[] = [];
  let live = 0;
  for (const part of chunks([...keys], keysPerLook)) {
    const found = await store.projections.readRows(
      spec.name,
      spec,
      part.map(([, each]) => each),
    );
    const current = new Map(found.map((row) => [keyOf(shape, row).text, row]));
    live += found.length;
    const [added, removed, changed]: [StoredRow[], StoredRow[], ChangedRow[]] = [[], [], []];
    for (const [text, each] of part) {
      const [before, after] = [current.get(text) ?? null, replayed.get(text) ?? null];
      const differing =
        before === null || after === null ? [] : columns.filter(({ name }) => before[name] !== after[name]);
      if (after === null && before !== null) removed.push(each);
      if (after !== null && before === null) added.push(each);
      if (differing.length > 0) {
        const values = differing.map(({ name }) => [
          name,
          { live: before?.[name] ?? null, rebuilt: after?.[name] ?? null },
        ]);
        changed.push({ key: each, columns: Object.fromEntries(values) });
      }
      if (after !== null && (before === null || differing.length > 0)) upserts.push(after);
    }
    deletes.push(...removed);
    await sum.add({ kind: 'differences', table: spec.name, added, removed, changed });
  }
  sum.count(live, live + sum.result.added - sum.result.removed);
  return { rows: sum.result, upserts, deletes };
}

function report(
  { dryRun }: RepairOptions,
  { name }: PreparedTableProjection,
  keys: Keys,
  replay: Replay,
  { rows }: Merge,
): RepairReport {
  return { projection: name, dryRun, position: replay.position, keys: keys.size, events: replay.events, rows };
}

function asTable(projection: PreparedProjection): PreparedTableProjection {
  if (isTableProjection(projection)) return projection;
  throw new EvstoreError('E_USAGE', `single rows of ${projection.name} cannot be recomputed`, {
    why: isExternalProjection(projection)
      ? 'Its rows are not in this database.'
      : 'Its statements may touch any row: which ones an event concerns is not known.',
    next: `evstore rebuild ${projection.name}`,
  });
}

/** @throws E_NOT_FOUND, E_STALE_PROJECTION, E_USAGE */
async function assertRepairable(store: Store, projection: PreparedTableProjection): Promise<void> {
  const { name } = projection;
  if (projection.mode === 'inline') {
    throw new EvstoreError('E_USAGE', `appends write the rows of ${name} too`, {
      why: 'Appends do not wait for the lease under which rows are merged. Rebuild all rows instead.',
      next: `evstore rebuild ${name}`,
    });
  }
  const record = await findRecord(store, name);
  if (record === undefined) {
    throw new EvstoreError('E_NOT_FOUND', `projection ${name} has no live rows`, {
      why: 'It never ran.',
      next: `evstore run ${name}`,
    });
  }
  if (compareCode(record, projection) !== 'current') {
    throw new EvstoreError('E_STALE_PROJECTION', `the live rows of ${name} were made by other code`, {
      why: 'The table would hold rows of two versions of the code. Rebuild all rows instead.',
      next: `evstore rebuild ${name}`,
      details: { registered: record.version, code: projection.version },
    });
  }
  if (record.parts > 1) {
    throw new EvstoreError('E_USAGE', `the work of ${name} is divided into ${record.parts} parts`, {
      why: 'Its rows are not those of one position.',
      next: `evstore rebuild ${name}`,
    });
  }
}

async function findCheckpoint({ projections }: Store, name: string): Promise<Checkpoint> {
  const [checkpoint] = checkpointsOf(await projections.checkpoints(), name);
  if (checkpoint !== undefined) return checkpoint;
  throw new EvstoreError('E_NOT_FOUND', `projection ${name} has no checkpoint`, { next: `evstore run ${name}` });
}

async function readAside({ projections }: Store, projection: string): Promise<ReadonlySet<number>> {
  const events = await projections.parked({ projection, rebuild: 0 });
  return new Set(events.map(({ globalPosition }) => globalPosition));
}

function isSameSet(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size === b.size && [...a].every((each) => b.has(each));
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

function tooBusy(name: string, maxWaitMs: number): EvstoreError {
  return new EvstoreError('E_TIMEOUT', `the rows of ${name} could not be merged in ${maxWaitMs} ms`, {
    why: 'Other processes kept moving its checkpoint or its parked events. No row was written.',
    next: 'evstore lag',
  });
}
