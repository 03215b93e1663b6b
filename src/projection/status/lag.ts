/** Measures how far each subscription is behind the log. Reads positions and one event each, and never scans the log. */
import { mayWrite } from '../../domain/code-identity.js';
import type { Holder } from '../../domain/event.js';
import { compareSubscriptionIds, partOf } from '../../domain/parts.js';
import type { ProjectionMode } from '../../domain/projection-mode.js';
import { selectByName } from '../../domain/similar.js';
import { checkpointsOf } from '../../lease/checkpoints.js';
import { isUnfinished } from '../../store/rebuild-state.js';
import type { Checkpoint, CodeVersion, ParkedCount, ProjectionRecord, Rebuild, Store } from '../../store/store.js';

/**
 * `foreign`: a subscription of another program. `detached`: the loaded code does not define it. `failed`: it has an error and no owner. `stale`: the code that last asked
 * to run it is newer than its rows. `idle`: it has no owner.
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
  /** Positions between the checkpoint and the safe head, gaps counted; 0 when caught up. */
  readonly lag: number;
  /** Events that match its filter, if they were counted; null while its filter is unknown. */
  readonly waiting?: number | null;
  /** Age of the oldest waiting event in milliseconds; null when none waits. */
  readonly ageMs: number | null;
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
}

/** Loaded code, compared with the rows instead of the code that last asked to run the projection. */
export interface NamedCode extends CodeVersion {
  readonly name: string;
}

export interface LagReport {
  readonly head: number;
  readonly safeHead: number;
  readonly heldBackBy: Holder | null;
  readonly projections: readonly ProjectionLag[];
}

/**
 * Measures each subscription, and each part of a divided one, sorted by name.
 * @param names none for all
 * @throws E_NOT_FOUND for an unknown name
 */
export async function measureLag(
  store: Store,
  names: readonly string[],
  now: Date,
  code?: readonly NamedCode[],
): Promise<LagReport> {
  const { head, safeHead, heldBackBy } = await store.log.head({ holder: true });
  const [checkpoints, records, rebuilds, parked] = await Promise.all([
    store.projections.checkpoints(),
    store.projections.list(),
    store.projections.rebuilds(),
    store.projections.countParked(),
  ]);
  const wanted = selectCheckpoints(checkpoints, names);
  const projections = await Promise.all(
    wanted.map(async (checkpoint) => {
      const isBehind = checkpoint.position < safeHead;
      const waitingSince = isBehind ? await firstEventAfter(store, checkpoint.position) : undefined;
      return toLag(checkpoint, { records, rebuilds, parked, code, safeHead, waitingSince, now });
    }),
  );
  projections.sort((a, b) => compareSubscriptionIds(a.name, b.name));
  return { head, safeHead, heldBackBy, projections };
}

/**
 * Returns the checkpoints with these names, of a divided projection those of its parts; all when no name is given.
 * @throws E_NOT_FOUND with the nearest name there is
 */
export function selectCheckpoints(checkpoints: readonly Checkpoint[], names: readonly string[]): readonly Checkpoint[] {
  if (names.length === 0) return checkpoints;
  const found = names.flatMap((name) => {
    const own = checkpointsOf(checkpoints, name);
    return own.length > 0 ? own : selectByName(checkpoints, [name], (each) => partOf(each.subscriptionId).projection);
  });
  return [...new Set(found)];
}

interface LagFacts {
  readonly records: readonly ProjectionRecord[];
  readonly rebuilds: readonly Rebuild[];
  readonly parked: readonly ParkedCount[];
  readonly code: readonly NamedCode[] | undefined;
  readonly safeHead: number;
  /** RFC 3339; when the first event after the checkpoint was written. */
  readonly waitingSince: string | undefined;
  readonly now: Date;
}

/** Pure. */
function toLag(checkpoint: Checkpoint, facts: LagFacts): ProjectionLag {
  const { subscriptionId: name, position, owner, lastError } = checkpoint;
  const { safeHead, waitingSince, now } = facts;
  const lag = Math.max(0, safeHead - position);
  const rate = owner === null ? null : checkpoint.rate;
  const etaMs = rate === null || rate === 0 ? null : Math.round((lag / rate) * 1_000);
  const { projection } = partOf(name);
  const record = facts.records.find((each) => each.name === projection);
  const code =
    facts.code === undefined ? checkpoint.code : (facts.code.find((each) => each.name === projection) ?? null);
  const stale = record !== undefined && code !== null && isOutdated(record, code);
  return {
    name,
    version: record?.version ?? null,
    mode: record?.mode ?? null,
    status:
      record === undefined
        ? 'foreign'
        : owner === null && isDetached(record, facts)
          ? 'detached'
          : statusOf(checkpoint, projection, stale, facts),
    position,
    lag,
    ageMs: waitingSince === undefined ? null : Math.max(0, now.getTime() - Date.parse(waitingSince)),
    rate,
    etaMs: lag === 0 ? 0 : etaMs,
    owner,
    error: lastError,
    codeVersion: code?.version ?? null,
    stale,
    parked: facts.parked.find((each) => each.projection === projection)?.events ?? 0,
    inlineRests: record !== undefined && record.mode === 'inline' && record.inlineRests,
  };
}

/** Sagas have no tables, and their code is not loaded here. */
function isDetached({ name, tables, target }: ProjectionRecord, { code }: LagFacts): boolean {
  if (code === undefined || (tables.length === 0 && target === null)) return false;
  return !code.some((each) => each.name === name);
}

function statusOf(
  { owner, lastError }: Checkpoint,
  projection: string,
  stale: boolean,
  { rebuilds }: LagFacts,
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

async function firstEventAfter(store: Store, position: number): Promise<string | undefined> {
  for await (const { events } of store.log.readAll({ after: position, limit: 1, batchSize: 1 })) {
    return events[0]?.createdAt;
  }
  return undefined;
}
