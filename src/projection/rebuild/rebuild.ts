/**
 * Rebuilds projections alongside their live tables: plan, fill in one pass over the log, then each alone catches up, makes
 * its indexes, is verified and swapped. Runners keep the live tables up to date until the swap. A kill at any point leaves
 * the live tables right, and the journal says where to resume.
 */
import { type EvstoreError, isEvstoreError } from '../../domain/errors.js';
import { checkpointsOf, furthestOf } from '../../lease/checkpoints.js';
import { findRecord } from '../../lease/registration.js';
import { assertSameHistory } from '../../lease/same-history.js';
import { isUnfinished } from '../../store/rebuild-state.js';
import type { Store } from '../../store/store.js';
import { isExternalProjection, type PreparedProjection } from '../define/prepare.js';
import { fillTogether } from './fill.js';
import { namesOfNext, planRebuild, type RebuildFacts, type RebuildMode, type RebuildPlanned } from './plan.js';
import { Rebuilding, type RebuildReport, type RebuildSettings } from './rebuilding.js';

/** The plan for a projection, or why there is none. */
export type PlannedRebuild = { readonly projection: PreparedProjection } & (
  | { readonly plan: RebuildPlanned; readonly facts: RebuildFacts; readonly error: null }
  | { readonly plan: null; readonly facts: null; readonly error: EvstoreError }
);

/** Limits of the rows kept in memory, for one rebuild and for all together, in bytes. */
const mostCacheBytes = 8 * 1024 * 1024;
const allCacheBytes = 12 * 1024 * 1024;

/** @throws E_DIVERGED when the live rows were built from a different history: no rebuild of this log can replace them */
export async function gatherFacts(store: Store, projection: PreparedProjection): Promise<RebuildFacts> {
  const { name, tables } = projection;
  const checkpoints = checkpointsOf(await store.projections.checkpoints(), name);
  for (const checkpoint of checkpoints) await assertSameHistory(store.log, checkpoint);
  const rebuilds = await store.projections.rebuilds();
  const lastRebuild = Math.max(0, ...rebuilds.map(({ id }) => id));
  const unfinished = rebuilds.find((rebuild) => rebuild.projection === name && isUnfinished(rebuild));
  const built = unfinished?.tables.map((table) => table.built) ?? [];
  return {
    projection,
    record: await findRecord(store, name),
    livePosition: furthestOf(checkpoints),
    ...(await store.log.head()),
    unfinished,
    lastRebuild,
    tables: await store.projections.inspectTables(tables),
    taken: await store.projections.findTaken(namesOfNext(projection, lastRebuild)),
    notOwned: await store.projections.findNotOwned([...tables, ...built]),
  };
}

/** Plans in the order given, and writes nothing. A projection that cannot be rebuilt does not stop the others. */
export async function planRebuilds(
  store: Store,
  projections: readonly PreparedProjection[],
  mode: RebuildMode,
): Promise<readonly PlannedRebuild[]> {
  const planned: PlannedRebuild[] = [];
  for (const projection of projections) {
    try {
      const facts = await gatherFacts(store, projection);
      planned.push({ projection, facts, plan: planRebuild(facts, mode), error: null });
    } catch (error) {
      if (!isEvstoreError(error)) throw error;
      planned.push({ projection, facts: null, plan: null, error });
    }
  }
  return planned;
}

/** Rebuilds in the order given. A failure of one projection is in its report, and is not thrown. */
export async function rebuildPlanned(
  settings: RebuildSettings,
  planned: readonly PlannedRebuild[],
): Promise<readonly RebuildReport[]> {
  const { store } = settings;
  await store.schema.assertGuards();
  const rebuildings = new Map<PreparedProjection, Rebuilding>();
  for (const { projection, facts, plan } of planned) {
    if (plan !== null) rebuildings.set(projection, new Rebuilding(settings, facts, plan, projection));
  }
  const all = [...rebuildings.values()];
  const inside = all.filter(({ projection }) => !isExternalProjection(projection));
  const outside = all.filter(({ projection }) => isExternalProjection(projection));
  const cacheBytes = Math.min(mostCacheBytes, allCacheBytes / all.length);
  try {
    // A target outside this database may be slow or never answer, so nothing else waits for it.
    const groups = [inside, ...outside.map((one) => [one])];
    await Promise.all(groups.map((group) => makeTogether(group, settings, cacheBytes)));
  } finally {
    for (const each of all) await each.release();
  }
  return planned.map((each) => rebuildings.get(each.projection)?.report() ?? reportUnplanned(each));
}

/** Rebuilds in one pass. @param cacheBytes what the rows of each may take in memory */
async function makeTogether(
  group: readonly Rebuilding[],
  settings: RebuildSettings,
  cacheBytes: number,
): Promise<void> {
  for (const each of group) await each.begin(cacheBytes);
  await fillTogether(group, settings);
  for (const each of group) await each.finish();
}

function reportUnplanned({ projection, error }: PlannedRebuild): RebuildReport {
  return {
    projection: projection.name,
    rebuild: null,
    outcome: 'failed',
    fromVersion: null,
    toVersion: projection.version,
    resumedFrom: null,
    position: 0,
    events: 0,
    aside: 0,
    rows: null,
    diff: null,
    keepOldUntil: null,
    oldPosition: null,
    steps: [],
    error,
    elapsedMs: 0,
  };
}
