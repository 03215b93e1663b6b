/** Whether the journal of rebuilds and the tables that are there fit together. */
import { isUnfinished } from '../../src/store/rebuild-state.js';
import type { Rebuild } from '../../src/store/store.js';
import { models } from './counts.js';
import type { TrialStore } from './trial.js';

export async function findUnfinished({ store }: TrialStore, projection: string): Promise<Rebuild | undefined> {
  return (await store.projections.rebuilds(projection)).find(isUnfinished);
}

/** Waits until nothing is under way in the journal: a killed process may have a COMMIT on its way. */
export async function settle({ engine, raw }: TrialStore): Promise<void> {
  if (engine === 'postgres') await raw.query('begin; lock table evstore_rebuilds in share mode; commit');
}

/** Every way in which it is not so: a table too many, one too few, two rebuilds of one projection. */
export async function checkJournal({ engine, store, raw }: TrialStore): Promise<string[]> {
  const findings: string[] = [];
  const listed =
    engine === 'postgres'
      ? `select tablename as name from pg_tables where tablename like 'counts%'`
      : `select name from sqlite_master where type = 'table' and name like 'counts%'`;
  const tables = new Set((await raw.query(listed)).map(({ name }) => String(name)));
  const expected = new Set<string>((await store.projections.list()).flatMap((record) => record.tables));
  const rebuilds = await store.projections.rebuilds();
  for (const { state, tables: named } of rebuilds) {
    for (const { built, old } of named) {
      if (state === 'filling' || state === 'ready') expected.add(built);
      if (state === 'swapped') expected.add(old);
    }
  }
  for (const table of tables) if (!expected.has(table)) findings.push(`table ${table} belongs to no rebuild`);
  for (const table of expected) if (!tables.has(table)) findings.push(`table ${table} is missing`);
  for (const model of models) {
    const open = rebuilds.filter((each) => each.projection === model && isUnfinished(each));
    if (open.length > 1) findings.push(`${model} has ${open.length} unfinished rebuilds`);
  }
  return findings;
}
