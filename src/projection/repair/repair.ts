/**
 * Recomputes single rows of a live table: replays their events in memory up to the live checkpoint, then merges the rows
 * in one transaction under the projection's lease. The checkpoint does not move; the runner waits for that moment.
 */
import { tallyIds } from '../../domain/audit.js';
import { compareCode, whyUnverified } from '../../domain/code-identity.js';
import { EvstoreError } from '../../domain/errors.js';
import { mayPass, repeat } from '../../lease/attempts.js';
import { checkpointsOf } from '../../lease/checkpoints.js';
import { findRecord } from '../../lease/registration.js';
import { assertSameHistory } from '../../lease/same-history.js';
import { takeOver } from '../../lease/with-lease.js';
import type { Checkpoint, Store } from '../../store/store.js';
import { waitUntilReadable } from '../catch-up/wait-until-readable.js';
import type { TableDiff } from '../compare/table-diff.js';
import { keyOf } from '../define/columns.js';
import {
  isExternalProjection,
  isKeyedByStream,
  isTableProjection,
  type PreparedProjection,
  type PreparedTableProjection,
} from '../define/prepare.js';
import { type Merge, planMerge } from './merge.js';
import { Replay } from './replay.js';
import { collectKeys, type Keys, type RepairScope } from './scope.js';

export interface RepairOptions {
  readonly store: Store;
  readonly projection: PreparedProjection;
  readonly scope: RepairScope;
  readonly owner: string;
  /** True writes nothing and takes no lease. */
  readonly dryRun: boolean;
  /** Differing rows kept of each kind. */
  readonly samples: number;
  /** How long attempts are repeated, in milliseconds. */
  readonly maxWaitMs: number;
  readonly signal: AbortSignal;
}

export interface RepairReport {
  readonly projection: string;
  readonly dryRun: boolean;
  /** Of the live table, which does not move. */
  readonly position: number;
  /** Rows that were looked at, whether or not they exist. */
  readonly keys: number;
  /** Events replayed. */
  readonly events: number;
  /** The rows as they were (`live`) and as they are replayed (`rebuilt`). */
  readonly rows: TableDiff;
  /** Events vanished from the log after the projection saw them, so what it saw can be counted from here on only. */
  readonly auditEnded: boolean;
}

/** With at most this many events to go, the rest is replayed while the runner waits. */
const fewEvents = 500;

/**
 * @throws E_USAGE for a projection whose rows cannot be told apart by key, and for too many rows
 * @throws E_STALE_PROJECTION when other code made the live rows
 * @throws E_NOT_FOUND when no event is about any row
 * @throws E_CHECK_FAILED when it would remove a row without replaying an event about it
 * @throws E_HANDLER, E_TIMEOUT: no row was written
 */
export async function repairRows(options: RepairOptions): Promise<RepairReport> {
  const { store, scope, signal, maxWaitMs } = options;
  const projection = asTable(options.projection);
  const { name } = projection;
  await store.schema.assertGuards();
  await assertRepairable(store, projection);
  const checkpoint = await findCheckpoint(store, name);
  await assertSameHistory(store.log, checkpoint);
  const keys = await collectKeys(store, projection, scope, checkpoint.position, signal);
  const repair = new Repair(options, projection, keys);
  return repeat({
    maxWaitMs,
    signal,
    pauseMs: [50, 1_000],
    attempt: (deadline) => repair.attempt(deadline),
    settle: async (error) => {
      if (!mayPass(error)) throw error;
      repair.forget();
      return undefined;
    },
    giveUp: (error) => error ?? tooBusy(name, maxWaitMs),
  });
}

class Repair {
  readonly #options: RepairOptions;
  readonly #projection: PreparedTableProjection;
  readonly #keys: Keys;
  #replay: Replay | undefined;
  /** Of a merge whose answer may have been lost. If it was made, the next attempt finds nothing to write. */
  #sent: RepairReport | undefined;

  constructor(options: RepairOptions, projection: PreparedTableProjection, keys: Keys) {
    this.#options = options;
    this.#projection = projection;
    this.#keys = keys;
  }

  /** Starts from the first event with the next attempt: a failed replay may have added some events already. */
  forget(): void {
    this.#replay = undefined;
  }

  /** Returns undefined when something moved meanwhile. */
  async attempt(deadline: number): Promise<RepairReport | undefined> {
    const { store, owner, signal, dryRun } = this.#options;
    const { name } = this.#projection;
    const replay = await this.#replayToLive(deadline);
    if (dryRun) return this.#preview(replay, deadline);
    return takeOver(store.projections, name, { owner, signal }, async (lease, held) => {
      // Under the lease no other process writes rows, parks events or swaps the tables.
      await assertRepairable(store, this.#projection);
      if (lease.position < replay.position || !(await this.#isCurrent(replay))) return undefined;
      await this.#advance(replay, lease.position, deadline);
      const merge = await this.#plan(replay);
      held.throwIfAborted();
      const report = await this.#report(replay, merge);
      const { upserts, deletes } = merge;
      if (upserts.length + deletes.length === 0) return this.#sent ?? report;
      const { spec } = this.#projection.shape;
      this.#sent = report;
      await store.projections.apply({
        lease,
        from: lease.position,
        to: lease.position,
        lastEventId: null,
        seen: { filter: this.#projection.filter, ...tallyIds([]) },
        endAudit: report.auditEnded,
        changes: { kind: 'rows', spec, table: spec.name, upserts, deletes },
      });
      return report;
    });
  }

  async #replayToLive(deadline: number): Promise<Replay> {
    const { store } = this.#options;
    const { name } = this.#projection;
    let live = await findCheckpoint(store, name);
    let replay = this.#replay;
    if (replay === undefined || live.position < replay.position || !(await this.#isCurrent(replay))) {
      replay = new Replay(store, this.#projection, this.#keys, await findParked(store, name));
    }
    this.#replay = replay;
    for (let behind = Number.POSITIVE_INFINITY; behind > fewEvents; live = await findCheckpoint(store, name)) {
      behind = live.position - replay.position;
      await this.#advance(replay, live.position, deadline);
    }
    return replay;
  }

  /** Without the lease, the rows are those of one position if the checkpoint stood still while they were read. */
  async #preview(replay: Replay, deadline: number): Promise<RepairReport | undefined> {
    const { store } = this.#options;
    const { name } = this.#projection;
    const before = await findCheckpoint(store, name);
    if (before.position < replay.position) return undefined;
    await this.#advance(replay, before.position, deadline);
    const merge = await this.#plan(replay);
    const after = await findCheckpoint(store, name);
    const stoodStill = after.position === before.position && after.generation === before.generation;
    return stoodStill ? await this.#report(replay, merge) : undefined;
  }

  async #isCurrent({ parked }: Replay): Promise<boolean> {
    const now = await findParked(this.#options.store, this.#projection.name);
    return now.size === parked.size && [...now].every((position) => parked.has(position));
  }

  async #advance(replay: Replay, position: number, deadline: number): Promise<void> {
    const { store, signal } = this.#options;
    if (position <= replay.position) return;
    await waitUntilReadable(store.log, position, { deadline, signal });
    await replay.advance(position, signal);
  }

  async #plan(replay: Replay): Promise<Merge> {
    const { store, samples } = this.#options;
    const merge = await planMerge(store, this.#projection.shape, replay, samples);
    await assertRemovable(store, this.#projection, replay, merge);
    return merge;
  }

  async #report({ position, events }: Replay, { rows, deletes }: Merge): Promise<RepairReport> {
    const { store, dryRun } = this.#options;
    const { name } = this.#projection;
    const auditEnded = deletes.length > 0 && (await hasLostEvents(store, name, position));
    return { projection: name, dryRun, position, keys: this.#keys.size, events, rows, auditEnded };
  }
}

function asTable(projection: PreparedProjection): PreparedTableProjection {
  if (isTableProjection(projection)) return projection;
  throw refusal(
    projection.name,
    isExternalProjection(projection)
      ? 'Its rows are not in the database of this store.'
      : 'Its SQL statements may change any row, so evstore cannot tell which rows an event is about.',
  );
}

/** @throws E_NOT_FOUND, E_STALE_PROJECTION, E_USAGE */
async function assertRepairable(store: Store, projection: PreparedTableProjection): Promise<void> {
  const { name, version, mode } = projection;
  if (mode === 'inline') {
    throw refusal(name, 'It is inline: appends write its rows too, and do not wait for the lease of a repair.');
  }
  const record = await findRecord(store, name);
  if (record === undefined) throw neverRan(name);
  const state = compareCode(record, projection);
  if (state !== 'current') {
    const isUnknown = state === 'unverified';
    const made = isUnknown
      ? `this code may not have made the live rows of ${name}`
      : `other code made the live rows of ${name}`;
    throw new EvstoreError('E_STALE_PROJECTION', made, {
      why: isUnknown
        ? `It has their version, but whether its functions changed is unknown: ${whyUnverified(record, projection)}. A repair could mix rows of both. A rebuild recomputes all rows.`
        : 'A repair would mix rows of both. A rebuild recomputes all rows.',
      next: `evstore rebuild ${name}`,
      details: { registered: record.version, code: version },
    });
  }
  if (record.parts > 1) throw refusal(name, `Its ${record.parts} parts may be at different positions.`);
}

async function findCheckpoint({ projections }: Store, name: string): Promise<Checkpoint> {
  const [checkpoint] = checkpointsOf(await projections.checkpoints(), name);
  if (checkpoint === undefined) throw neverRan(name);
  return checkpoint;
}

/**
 * Checks the rows that would be removed although no event about them was replayed. That is right only when the stream of
 * such a row has no events.
 * @throws E_CHECK_FAILED
 */
async function assertRemovable(
  { log }: Store,
  projection: PreparedTableProjection,
  replay: Replay,
  { deletes }: Merge,
): Promise<void> {
  for (const row of deletes) {
    const { text } = keyOf(projection.shape, row);
    if (replay.hasEventOf(text)) continue;
    let hasStream = !isKeyedByStream(projection);
    if (!hasStream) for await (const { events } of log.readStream(text, { limit: 1 })) hasStream = events.length > 0;
    if (!hasStream) continue;
    throw new EvstoreError('E_CHECK_FAILED', `the repair of ${projection.name} would remove a row that may be right`, {
      why: `No event was replayed for the row ${text}. No row was changed. A rebuild recomputes all rows.`,
      next: `evstore rebuild ${projection.name}`,
      details: { key: row },
    });
  }
}

/** Returns true when the log has fewer events up to there than the projection was given. */
async function hasLostEvents({ projections, log }: Store, name: string, to: number): Promise<boolean> {
  const cursor = (await projections.cursors()).find((each) => each.name === name && each.rebuild === null);
  if (cursor === undefined || cursor.audit === null) return false;
  const { after, events, filter } = cursor.audit;
  return after < to && (await log.tally({ after, to }, filter)).events < events;
}

/** Returns the positions of events that the live rows have to do without. */
export async function findParked({ projections }: Store, projection: string): Promise<ReadonlySet<number>> {
  const events = await projections.parked({ projection, rebuild: 0 });
  return new Set(events.map(({ globalPosition }) => globalPosition));
}

function refusal(name: string, why: string): EvstoreError {
  return new EvstoreError('E_USAGE', `single rows of ${name} cannot be repaired`, {
    why: `${why} A rebuild recomputes all rows.`,
    next: `evstore rebuild ${name}`,
  });
}

function neverRan(name: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `projection ${name} has no live rows`, {
    why: 'It never ran.',
    next: `evstore run ${name}`,
  });
}

function tooBusy(name: string, maxWaitMs: number): EvstoreError {
  return new EvstoreError('E_TIMEOUT', `the rows of ${name} were not merged within ${maxWaitMs} ms`, {
    why: 'Other processes kept changing its checkpoint or its parked events. No row was written.',
    next: 'evstore lag',
  });
}
