/** Measures how far each subscription is behind the log. Reads a bounded part of the log for each, and never scans it. */
import type { AuditFilter } from '../../domain/audit.js';
import { mayWrite } from '../../domain/code-identity.js';
import type { Head, RecordedEvent } from '../../domain/event.js';
import { compareSubscriptionIds, partOf } from '../../domain/parts.js';
import type { ProjectionMode } from '../../domain/projection-mode.js';
import { selectByName } from '../../domain/similar.js';
import { idsNamed } from '../../domain/subscription-names.js';
import { checkpointsOf } from '../../lease/checkpoints.js';
import { isUnfinished } from '../../store/rebuild-state.js';
import type {
  Checkpoint,
  CodeVersion,
  Cursor,
  EventLog,
  ParkedCount,
  ProjectionRecord,
  Rebuild,
  SchemaStatus,
  Store,
} from '../../store/store.js';
import { countWaiting, measureWaiting, type Range, type Waiting } from './waiting.js';
import { measureAge, type WaitingAge } from './waiting-age.js';

/**
 * `foreign`: a subscription of another program. `detached`: the loaded code does not define it. `failed`: it has an error
 * and no owner. `stale`: the code that last asked to run it is newer than its rows. `idle`: it has no owner.
 */
type LagStatus = 'running' | 'detached' | 'failed' | 'idle' | 'stale' | 'rebuilding' | 'foreign';

export interface ProjectionLag {
  /** With its part, when the work is divided: `NAME#2/3`. */
  readonly name: string;
  /** Null for a foreign subscription. */
  readonly version: number | null;
  /**
   * Null for a foreign subscription. The rows of an inline projection are ahead of its checkpoint, which follows within a
   * second of the last append that wrote them.
   */
  readonly mode: ProjectionMode | null;
  readonly status: LagStatus;
  readonly position: number;
  /** Events that wait for it: those up to the safe head that it handles; 0 when caught up. */
  readonly lag: number;
  /** The lag is not counted: the range is long, or it is not known which events the subscription handles. */
  readonly estimated: boolean;
  /** Positions between the checkpoint and the safe head, with gaps and events that it does not handle. */
  readonly positions: number;
  /** Events that match its filter, if all were counted; null while its filter is unknown. */
  readonly waiting?: number | null;
  /** For how long the oldest waiting event has waited, in milliseconds; null when none waits. See waiting-age.ts. */
  readonly ageMs: number | null;
  /** That event was imported; its age counts from when the checkpoint last moved. */
  readonly imported: boolean;
  /** Events a second, as its runner last measured it; null without a runner. */
  readonly rate: number | null;
  /** Until it is caught up at that rate, in milliseconds; 0 when it is, null when unknown. */
  readonly etaMs: number | null;
  readonly owner: string | null;
  readonly error: string | null;
  /** Version of the code that last asked to run it; null when none did since the last swap. */
  readonly codeVersion: number | null;
  /** A rebuild is due: older code than that made the rows. */
  readonly stale: boolean;
  /** Parked events of its live tables, including those that wait behind another; of all its parts together. */
  readonly parked: number;
  /** Appends leave the rows of this inline projection to its runner, because the owner is swapping its tables. */
  readonly inlineRests: boolean;
  /** Of a saga: instances that need someone to look at them. Missing for others. */
  readonly overdue?: number;
}

/** Loaded code, compared with the rows instead of the code that last asked to run the projection. */
export interface NamedCode extends CodeVersion {
  readonly name: string;
}

export interface LagReport extends Head {
  readonly projections: readonly ProjectionLag[];
}

/** What is measured. */
export interface LagSource {
  readonly head: Head;
  readonly checkpoints: readonly Checkpoint[];
  /** The registered projections and sagas. */
  readonly records: readonly ProjectionRecord[];
  readonly cursors: readonly Cursor[];
  readonly rebuilds: readonly Rebuild[];
  readonly parked: readonly ParkedCount[];
  readonly schema: SchemaStatus;
}

export interface LagOptions {
  /** None for all. */
  readonly names: readonly string[];
  readonly now: Date;
  readonly code?: readonly NamedCode[] | undefined;
  /** Count all waiting events of each, however many positions that reads. */
  readonly exact?: boolean;
  /** Called before many positions are read for `exact`. */
  readonly startsLong?: (positions: number) => Promise<void>;
  /** @throws its reason when it aborts */
  readonly signal?: AbortSignal;
}

/** So many positions are counted in a fraction of a second. */
const fewPositions = 50_000;

/** How each of it is read. */
export const lagReaders: { readonly [Name in keyof LagSource]: (store: Store) => Promise<LagSource[Name]> } = {
  head: ({ log }) => log.head({ holder: true }),
  checkpoints: ({ projections }) => projections.checkpoints(),
  records: ({ projections }) => projections.list(),
  cursors: ({ projections }) => projections.cursors(),
  rebuilds: ({ projections }) => projections.rebuilds(),
  parked: ({ projections }) => projections.countParked(),
  schema: ({ schema }) => schema.status(),
};

async function readLagSource(store: Store): Promise<LagSource> {
  const reading = Object.entries(lagReaders).map(async ([name, read]) => [name, await read(store)] as const);
  return Object.fromEntries(await Promise.all(reading)) as unknown as LagSource;
}

/**
 * Measures each subscription, and each part of a divided one, sorted by name.
 * @param read what was read already
 * @throws E_NOT_FOUND for an unknown name
 */
export async function measureLag(store: Store, options: LagOptions, read?: LagSource): Promise<LagReport> {
  const source = read ?? (await readLagSource(store));
  const wanted = selectCheckpoints(source.checkpoints, options.names);
  const behind = wanted.reduce((sum, { position }) => sum + Math.max(0, source.head.safeHead - position), 0);
  if (options.exact === true && behind > fewPositions) await options.startsLong?.(behind);
  const projections = await Promise.all(wanted.map((checkpoint) => measureOne(store, checkpoint, source, options)));
  projections.sort((a, b) => compareSubscriptionIds(a.name, b.name));
  return { ...source.head, projections };
}

async function measureOne(
  { log }: Store,
  checkpoint: Checkpoint,
  source: LagSource,
  { now, code, exact = false, signal }: LagOptions,
): Promise<ProjectionLag> {
  const { subscriptionId, position, updatedAt } = checkpoint;
  const record = source.records.find(({ name }) => name === partOf(subscriptionId).projection);
  const { safeHead } = source.head;
  const filter = filterOf(subscriptionId, record, source.cursors);
  const range: Range = { after: position, to: safeHead, filter };
  const waiting = await measureWaiting(log, range);
  const counted = exact ? { waiting: filter === undefined ? null : await countWaiting(log, range, signal) } : {};
  const { first } = waiting;
  const age =
    first &&
    measureAge({
      first,
      before: await lastEventUpTo(log, position),
      storeMadeAt: source.schema.migrations[0]?.appliedAt ?? undefined,
      registeredAt: record?.registeredAt,
      movedAt: updatedAt,
      now,
    });
  return {
    ...toLag(checkpoint, record, { source, code, waiting, age, counted: counted.waiting ?? undefined }),
    ...counted,
  };
}

/** For a subscription of another program every event waits. Undefined for a projection that has not run yet. */
export function filterOf(
  name: string,
  record: ProjectionRecord | undefined,
  cursors: readonly Cursor[],
): AuditFilter | undefined {
  if (record === undefined) return {};
  return cursors.find((cursor) => cursor.name === name && cursor.rebuild === null)?.audit?.filter;
}

/**
 * Returns the checkpoints with these names, of a divided projection those of its parts; all when no name is given. A saga, a
 * reaction or a subscription is found by its own name, too, if no projection has that name.
 * @throws E_NOT_FOUND with the nearest name there is
 */
export function selectCheckpoints(checkpoints: readonly Checkpoint[], names: readonly string[]): readonly Checkpoint[] {
  if (names.length === 0) return checkpoints;
  const found = names.flatMap((name) => {
    const own = idsNamed(name)
      .map((id) => checkpointsOf(checkpoints, id))
      .find((found) => found.length > 0);
    return own !== undefined
      ? own
      : selectByName(checkpoints, [name], (each) => partOf(each.subscriptionId).projection);
  });
  return [...new Set(found)];
}

interface Measured {
  readonly source: LagSource;
  readonly code: readonly NamedCode[] | undefined;
  readonly waiting: Waiting;
  readonly age: WaitingAge | undefined;
  /** All that wait, counted. */
  readonly counted: number | undefined;
}

/** Pure. */
function toLag(checkpoint: Checkpoint, record: ProjectionRecord | undefined, measured: Measured): ProjectionLag {
  const { subscriptionId: name, position, owner, lastError } = checkpoint;
  const { source, waiting, age, counted } = measured;
  const lag = counted ?? waiting.events;
  const estimated = counted === undefined && waiting.isEstimated;
  const isCaughtUp = lag === 0 && !estimated;
  const rate = owner === null ? null : checkpoint.rate;
  const etaMs = rate === null || rate === 0 || (lag === 0 && estimated) ? null : Math.round((lag / rate) * 1_000);
  const { projection } = partOf(name);
  const code =
    measured.code === undefined ? checkpoint.code : (measured.code.find((each) => each.name === projection) ?? null);
  const stale = record !== undefined && code !== null && isOutdated(record, code);
  return {
    name,
    version: record?.version ?? null,
    mode: record?.mode ?? null,
    status:
      record === undefined
        ? 'foreign'
        : owner === null && isDetached(record, measured.code)
          ? 'detached'
          : statusOf(checkpoint, projection, stale, source),
    position,
    lag,
    estimated,
    positions: Math.max(0, source.head.safeHead - position),
    ageMs: isCaughtUp ? null : (age?.ageMs ?? null),
    imported: !isCaughtUp && age?.isImported === true,
    rate,
    etaMs: isCaughtUp ? 0 : etaMs,
    owner,
    error: lastError,
    codeVersion: code?.version ?? null,
    stale,
    parked: source.parked.find((each) => each.projection === projection)?.events ?? 0,
    inlineRests: record !== undefined && record.mode === 'inline' && record.inlineRests,
  };
}

/** Sagas have no tables, and their code is not loaded here. */
function isDetached({ name, tables, target }: ProjectionRecord, code: Measured['code']): boolean {
  if (code === undefined || (tables.length === 0 && target === null)) return false;
  return !code.some((each) => each.name === name);
}

function statusOf(
  { owner, lastError }: Checkpoint,
  projection: string,
  stale: boolean,
  { rebuilds }: LagSource,
): LagStatus {
  const isRebuilding = rebuilds.some(
    (rebuild) => rebuild.projection === projection && rebuild.owner !== null && isUnfinished(rebuild),
  );
  if (isRebuilding) return 'rebuilding';
  if (owner === null && lastError !== null) return 'failed';
  if (stale) return 'stale';
  return owner === null ? 'idle' : 'running';
}

/** Code older than the rows belongs to an old deployment: no rebuild is due for it. */
function isOutdated(record: ProjectionRecord, code: CodeVersion): boolean {
  return code.version >= record.version && !mayWrite(record, code);
}

async function lastEventUpTo(log: EventLog, position: number): Promise<RecordedEvent | undefined> {
  if (position === 0) return undefined;
  for await (const { events } of log.readAll({ to: position, backwards: true, limit: 1 })) return events[0];
  return undefined;
}
