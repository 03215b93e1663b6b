/** What a rebuilt read model looks like beside the live one. */
import type { Rebuild, Store } from '../store/store.js';

/** Rows of all tables of a projection. */
export interface Counts {
  /** Null without a live table. */
  readonly live: number | null;
  readonly rebuilt: number;
}

export async function countRows({ projections }: Store, { tables }: Rebuild): Promise<Counts> {
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
