/** What a rebuilt read model looks like beside the live one, and whether that may be swapped in. */
import { EvstoreError } from '../../domain/errors.js';
import type { Rebuild, Store } from '../../store/store.js';
import type { ExternalTarget } from '../define/definition.js';
import { isExternalProjection, type PreparedExternalProjection, type PreparedProjection } from '../define/prepare.js';
import { countTarget } from '../external/external.js';
import { findLiveTarget } from '../journal/rebuild-lease.js';

export interface VerifyOptions {
  /** `count`: the numbers of rows. `full`: every row, key by key, at one position. */
  readonly verify: 'none' | 'count' | 'full';
  /** The largest difference in rows that is still swapped. Default with `full`: 0. */
  readonly maxDiff?: number | undefined;
}

/** Rows of all tables of a projection. */
export interface Counts {
  /** Null without a live table. */
  readonly live: number | null;
  readonly rebuilt: number;
}

/**
 * Null when nothing was to be counted.
 * @throws E_CHECK_FAILED when the number of rows differs by more than `maxDiff`
 */
export async function verifyRebuild(
  store: Store,
  rebuild: Rebuild,
  { verify, maxDiff, signal }: VerifyOptions & { readonly signal: AbortSignal },
  projection: PreparedProjection,
): Promise<Counts | null> {
  if (verify === 'none') return null;
  const rows = isExternalProjection(projection)
    ? await countTargets(store, rebuild, projection, signal)
    : await countRows(store, rebuild);
  if (rows !== null) assertAlike(rebuild, rows, maxDiff);
  return rows;
}

/**
 * Null when the projection cannot count.
 * @throws E_HANDLER
 */
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

async function countRows({ projections }: Store, { tables }: Rebuild): Promise<Counts> {
  const facts = await projections.inspectTables(tables.map(({ live }) => live));
  let live: number | null = null;
  let rebuilt = 0;
  for (const table of tables) {
    rebuilt += await projections.countRows(table.built);
    if (facts.some((fact) => fact.table === table.live && fact.exists)) {
      live = (live ?? 0) + (await projections.countRows(table.live));
    }
  }
  return { live, rebuilt };
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
