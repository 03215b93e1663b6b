/** Compares the projections in code with those in the database. */
import type { Loaded } from '../../config/load-files.js';
import { type CodeState, compareCode, whyUnverified } from '../../domain/code-identity.js';
import type { ProjectionMode } from '../../domain/projection-mode.js';
import { checkpointsOf, leastOf } from '../../lease/checkpoints.js';
import { isUnfinished } from '../../store/rebuild-state.js';
import type { ProjectionRecord, Store } from '../../store/store.js';
import type { LoadedProjection } from '../define/load.js';

/**
 * `new`: not in the database yet. `detached`: in the database, no code. `unknown`: in the database, and its code may be in a
 * file that cannot be loaded. `not loaded`: such a file. `failed`: it stopped at an event, and its code may write its rows. The
 * others compare the code with the code that made the rows.
 */
type InventoryState = CodeState | 'failed' | 'new' | 'detached' | 'unknown' | 'not loaded';

export interface InventoryItem {
  /** Null for a file that cannot be loaded. */
  readonly name: string | null;
  readonly state: InventoryState;
  /** Why it is unknown whether the functions changed; null unless the state is `unverified`. */
  readonly unverified: string | null;
  /** In the database; null for a new one. */
  readonly version: number | null;
  /** Of the code; null for a detached one. */
  readonly codeVersion: number | null;
  /** Of the live tables; of the code for a new one. */
  readonly mode: ProjectionMode;
  readonly tables: readonly string[];
  /** The live target outside the store's database; null for tables. */
  readonly target: string | null;
  /** Null when it never ran; the lowest of all its parts. */
  readonly position: number | null;
  /** Into how many parts its work is divided; 1 unless it is divided. */
  readonly parts: number;
  /** From the engine's statistics; null when it has none. */
  readonly estimatedRows: number | null;
  /** Parked events of the live tables, including those that wait behind another. */
  readonly parked: number;
  /** Versions whose tables are kept for a rollback, newest first. */
  readonly kept: readonly number[];
  /** The rebuild that is unfinished. */
  readonly rebuild: {
    readonly id: number;
    readonly state: string;
    readonly version: number;
    readonly position: number;
  } | null;
  /** Null for a detached one. */
  readonly file: string | null;
  /** Why the file cannot be loaded, or why the projection stopped. */
  readonly error: string | null;
}

const unloaded = {
  name: null,
  state: 'not loaded',
  unverified: null,
  version: null,
  codeVersion: null,
  mode: 'async',
  tables: [],
  target: null,
  position: null,
  parts: 1,
  estimatedRows: null,
  parked: 0,
  kept: [],
  rebuild: null,
} as const;

/**
 * Lists them by name, then the files that cannot be loaded. Sagas are left out: they have a checkpoint, but no tables.
 */
export async function takeInventory(
  store: Store,
  { found: code, failures }: Loaded<LoadedProjection>,
): Promise<readonly InventoryItem[]> {
  const { projections } = store;
  const [all, checkpoints, rebuilds, parked] = await Promise.all([
    projections.list(),
    projections.checkpoints(),
    projections.rebuilds(),
    projections.countParked(),
  ]);
  const records = all.filter(({ tables, target }) => tables.length > 0 || target !== null);
  const facts = await projections.inspectTables(records.flatMap(({ tables }) => tables));
  const rows = new Map(facts.map(({ table, estimatedRows }) => [table, estimatedRows]));
  const names = [...new Set([...code, ...records].map(({ name }) => name))].sort();
  const items = names.map((name): InventoryItem => {
    const found = code.find((each) => each.name === name);
    const record = records.find((each) => each.name === name);
    const own = rebuilds.filter(({ projection }) => projection === name);
    const unfinished = own.find(isUnfinished);
    const estimates = (record?.tables ?? []).map((table) => rows.get(table) ?? null);
    const state = stateOf(found, record, failures.length > 0);
    const cursors = checkpointsOf(checkpoints, name);
    const failed = cursors.find(({ owner, lastError }) => owner === null && lastError !== null);
    const mayRun = state === 'current' || state === 'unverified';
    return {
      name,
      state: failed !== undefined && mayRun ? 'failed' : state,
      unverified: state === 'unverified' && found && record ? whyUnverified(record, found) : null,
      version: record?.version ?? null,
      codeVersion: found?.version ?? null,
      mode: record?.mode ?? found?.mode ?? 'async',
      tables: record?.tables ?? found?.tables ?? [],
      target: record?.target ?? null,
      position: leastOf(cursors) ?? null,
      parts: record?.parts ?? 1,
      estimatedRows: estimates.length === 0 ? null : sum(estimates),
      parked: parked.find(({ projection }) => projection === name)?.events ?? 0,
      kept: own.flatMap(({ state, old }) =>
        state === 'swapped' && old !== null && old.position !== null ? [old.version] : [],
      ),
      rebuild:
        unfinished === undefined
          ? null
          : { id: unfinished.id, state: unfinished.state, version: unfinished.version, position: unfinished.position },
      file: found?.file ?? null,
      error: (failed ?? cursors.find(({ lastError }) => lastError !== null))?.lastError ?? null,
    };
  });
  return [
    ...items,
    ...failures.map(({ file, error: { message, why } }): InventoryItem => {
      return { ...unloaded, file, error: why === undefined ? message : `${message}: ${why}` };
    }),
  ];
}

function stateOf(
  code: LoadedProjection | undefined,
  record: ProjectionRecord | undefined,
  mayBeElsewhere: boolean,
): InventoryState {
  if (record === undefined) return 'new';
  if (code === undefined) return mayBeElsewhere ? 'unknown' : 'detached';
  return compareCode(record, code);
}

function sum(estimates: readonly (number | null)[]): number | null {
  return estimates.reduce<number | null>((total, each) => (total === null || each === null ? null : total + each), 0);
}
