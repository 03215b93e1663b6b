/** Tables of any shape, live and beside them those of a rebuild, to be filled by hand. */
import type { ReadModel, Statement } from '../../src/domain/read-model.js';
import { toTableIdentifiers } from '../../src/projection/define/sql-tag.js';
import type { Engine, Rebuild, Store } from '../../src/store/store.js';
import { request } from './read-models.js';

export type Create = (t: Readonly<Record<string, { readonly name: string }>>) => readonly Statement[];

/** The projection `made` of these tables, and a rebuild of it whose tables are made by `after`. Both stand at 0. */
export async function makeTables(
  store: Store,
  tables: readonly string[],
  before: Create,
  after: Create = before,
): Promise<{ readonly rebuild: Rebuild; readonly built: readonly string[] }> {
  const model = (create: Create): ReadModel => ({
    kind: 'sql',
    tables,
    create: (physical) => create(toTableIdentifiers(tables, physical)),
  });
  await store.projections.register({ name: 'made', version: 1, codeHash: 'a', model: model(before) });
  const plan = { projection: 'made', version: 2, codeHash: 'b', tables };
  const { rebuild, lease } = await store.projections.startRebuild(plan, request);
  const filling = await store.projections.createRebuildTables(rebuild, lease, model(after));
  return { rebuild: filling, built: filling.tables.map(({ built }) => built) };
}

/** The numbers `i` from 0, to be selected from. */
export function numbersBelow(engine: Engine, count: number): string {
  return engine === 'sqlite'
    ? `(with recursive s(i) as (select 0 union all select i + 1 from s where i < ${count - 1}) select i from s) as s`
    : `generate_series(0, ${count - 1}) as s(i)`;
}
