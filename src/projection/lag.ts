/** How far each subscription is behind the log, without reading the log: positions, one event each, no scan. */
import { EvstoreError } from '../domain/errors.js';
import type { Holder } from '../domain/event.js';
import { findSimilar } from '../domain/similar.js';
import type { Checkpoint, ProjectionRecord, Rebuild, Store } from '../store/store.js';

/** `foreign`: a subscription of another program. `failed` has an error and no owner; `idle` has neither. */
type LagStatus = 'running' | 'failed' | 'idle' | 'rebuilding' | 'foreign';

export interface ProjectionLag {
  readonly name: string;
  /** Null for a foreign subscription. */
  readonly version: number | null;
  readonly status: LagStatus;
  readonly position: number;
  /** Positions between the checkpoint and the safe head, gaps counted; 0 when caught up. */
  readonly lag: number;
  /** Age of the oldest waiting event in milliseconds; null when none waits. */
  readonly ageMs: number | null;
  /** Events a second, as its runner last measured it; null when nobody runs it. */
  readonly rate: number | null;
  /** Until it is caught up at that rate, in milliseconds; 0 when it is, null when unknown. */
  readonly etaMs: number | null;
  readonly owner: string | null;
  readonly error: string | null;
}

export interface LagReport {
  readonly head: number;
  readonly safeHead: number;
  readonly heldBackBy: Holder | null;
  readonly projections: readonly ProjectionLag[];
}

/**
 * By name.
 * @param names those wanted; none for all
 * @throws E_NOT_FOUND for a name nobody has
 */
export async function measureLag(store: Store, names: readonly string[], now: Date): Promise<LagReport> {
  const { head, safeHead, heldBackBy } = await store.log.head({ holder: true });
  const [checkpoints, records, rebuilds] = await Promise.all([
    store.projections.checkpoints(),
    store.projections.list(),
    store.projections.rebuilds(),
  ]);
  const wanted = selectByName(checkpoints, names, ({ subscriptionId }) => subscriptionId);
  const projections = await Promise.all(
    wanted.map(async (checkpoint) => {
      const isBehind = checkpoint.position < safeHead;
      const waitingSince = isBehind ? await firstEventAfter(store, checkpoint.position) : undefined;
      return toLag(checkpoint, { records, rebuilds, safeHead, waitingSince, now });
    }),
  );
  projections.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { head, safeHead, heldBackBy, projections };
}

/**
 * The items of these names, all without names.
 * @throws E_NOT_FOUND with the nearest name there is
 */
export function selectByName<Item>(
  items: readonly Item[],
  names: readonly string[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  if (names.length === 0) return items;
  const known = items.map(nameOf);
  return [...new Set(names)].map((name) => {
    const found = items.find((item) => nameOf(item) === name);
    if (found === undefined) throw unknownProjection(name, known);
    return found;
  });
}

function unknownProjection(name: string, known: readonly string[]): EvstoreError {
  const nearest = findSimilar(name, known);
  return new EvstoreError('E_NOT_FOUND', `no projection is called '${name}'`, {
    why: nearest === undefined ? listKnown(known) : `Did you mean ${nearest}?`,
    next: 'evstore projections',
    details: { name, known },
  });
}

interface LagFacts {
  readonly records: readonly ProjectionRecord[];
  readonly rebuilds: readonly Rebuild[];
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
  return {
    name,
    version: facts.records.find((record) => record.name === name)?.version ?? null,
    status: statusOf(checkpoint, facts),
    position,
    lag,
    ageMs: waitingSince === undefined ? null : Math.max(0, now.getTime() - Date.parse(waitingSince)),
    rate,
    etaMs: lag === 0 ? 0 : etaMs,
    owner,
    error: lastError,
  };
}

function statusOf({ subscriptionId, owner, lastError }: Checkpoint, { records, rebuilds }: LagFacts): LagStatus {
  if (!records.some(({ name }) => name === subscriptionId)) return 'foreign';
  const isRebuilding = rebuilds.some(
    (rebuild) => rebuild.projection === subscriptionId && rebuild.owner !== null && isUnfinished(rebuild),
  );
  if (isRebuilding) return 'rebuilding';
  if (owner !== null) return 'running';
  return lastError === null ? 'idle' : 'failed';
}

function isUnfinished({ state }: Rebuild): boolean {
  return state === 'planned' || state === 'filling' || state === 'ready';
}

async function firstEventAfter(store: Store, position: number): Promise<string | undefined> {
  for await (const { events } of store.log.readAll({ after: position, limit: 1, batchSize: 1 })) {
    return events[0]?.createdAt;
  }
  return undefined;
}

function listKnown(known: readonly string[]): string {
  return known.length === 0 ? 'There is none in this store.' : `There are: ${known.join(', ')}.`;
}
