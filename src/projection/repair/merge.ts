/** Compares replayed rows with the live ones, and decides which rows to write. */
import type { StoredRow } from '../../domain/read-model.js';
import type { ChangedRow, Store } from '../../store/store.js';
import { type TableDiff, TableSum } from '../compare/table-diff.js';
import { keyOf, type TableShape } from '../define/columns.js';
import type { Replay } from './replay.js';

export interface Merge {
  readonly rows: TableDiff;
  readonly upserts: readonly StoredRow[];
  readonly deletes: readonly StoredRow[];
}

/** Rows looked up in one statement. */
const keysPerLook = 500;

/** @param samples differing rows kept of each kind */
export async function planMerge(
  { projections }: Store,
  shape: TableShape,
  replay: Replay,
  samples: number,
): Promise<Merge> {
  const { spec } = shape;
  const columns = spec.columns.filter(({ name }) => !spec.key.includes(name));
  const key = spec.columns.filter(({ name }) => spec.key.includes(name));
  const compared = { kind: 'table', table: spec.name, key, columns, onlyLive: [], onlyRebuilt: [] } as const;
  const sum = new TableSum(compared, new Map(), samples);
  const upserts: StoredRow[] = [];
  const deletes: StoredRow[] = [];
  const replayed = replay.rows();
  const keys = [...replay.keys];
  let live = 0;
  for (let start = 0; start < keys.length; start += keysPerLook) {
    const slice = keys.slice(start, start + keysPerLook);
    const found = await projections.readRows(
      spec.name,
      spec,
      slice.map(([, each]) => each),
    );
    const current = new Map(found.map((row) => [keyOf(shape, row).text, row]));
    live += found.length;
    const [added, removed, changed]: [StoredRow[], StoredRow[], ChangedRow[]] = [[], [], []];
    for (const [text, each] of slice) {
      const [before, after] = [current.get(text), replayed.get(text) ?? undefined];
      if (after === undefined) {
        if (before !== undefined) removed.push(each);
        continue;
      }
      if (before === undefined) added.push(each);
      else {
        const differing = columns
          .filter(({ name }) => before[name] !== after[name])
          .map(({ name }) => [name, { live: before[name] ?? null, rebuilt: after[name] ?? null }]);
        if (differing.length === 0) continue;
        changed.push({ key: each, columns: Object.fromEntries(differing) });
      }
      upserts.push(after);
    }
    deletes.push(...removed);
    await sum.add({ kind: 'differences', table: spec.name, added, removed, changed });
  }
  sum.count(live, live + sum.result.added - sum.result.removed);
  return { rows: sum.result, upserts, deletes };
}
