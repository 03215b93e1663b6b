import type { Rebuild, Store } from '../../store/store.js';
import type { ExternalTarget } from '../define/definition.js';
import { isExternalProjection, type PreparedExternalProjection, type PreparedProjection } from '../define/prepare.js';
import { countTarget } from '../external/external.js';
import { findLiveTarget } from '../journal/find.js';

/** Rows of all tables of a projection. */
export interface Counts {
  /** Null without a live table. */
  readonly live: number | null;
  readonly rebuilt: number;
}

/**
 * Counts the live rows and the rebuilt ones. Null when an external projection cannot count.
 * @throws E_HANDLER when its `count` fails
 */
export async function countRows(
  store: Store,
  rebuild: Rebuild,
  projection: PreparedProjection,
  signal: AbortSignal,
): Promise<Counts | null> {
  return isExternalProjection(projection)
    ? countTargets(store, rebuild, projection, signal)
    : countTables(store, rebuild);
}

async function countTargets(
  store: Store,
  { target, version }: Rebuild,
  projection: PreparedExternalProjection,
  signal: AbortSignal,
): Promise<Counts | null> {
  const count = (counted: ExternalTarget) => countTarget({ projection, target: counted, signal });
  const rebuilt = await count({ name: target ?? projection.name, version });
  const live = await findLiveTarget(store, projection.name);
  return rebuilt === null ? null : { rebuilt, live: live === null ? null : await count(live) };
}

async function countTables({ projections }: Store, { tables }: Rebuild): Promise<Counts> {
  const facts = await projections.inspectTables(tables.map(({ live }) => live));
  const isThere = (table: string) => facts.some((fact) => fact.table === table && fact.exists);
  let live: number | null = null;
  let rebuilt = 0;
  for (const table of tables) {
    rebuilt += await projections.countRows(table.built);
    if (isThere(table.live)) live = (live ?? 0) + (await projections.countRows(table.live));
  }
  return { live, rebuilt };
}
