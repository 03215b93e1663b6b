/** Does to a store what its guards forbid, and leaves the guards as they were: a superuser with a bad idea. */
import type { TestStore } from './engines.js';

export async function tamper({ engine, raw }: TestStore, ...statements: readonly string[]): Promise<void> {
  if (engine === 'postgres') {
    await raw.query('alter table events disable trigger user');
    for (const statement of statements) await raw.query(statement);
    await raw.query(
      `alter table events enable always trigger "00_evstore_floor"; alter table events enable always trigger evstore_immutable;
       alter table events enable always trigger evstore_versions`,
    );
    return;
  }
  const triggers = await raw.query(
    "select name, sql from sqlite_schema where type = 'trigger' and tbl_name = 'events'",
  );
  for (const { name } of triggers) await raw.query(`drop trigger ${name}`);
  for (const statement of statements) await raw.query(statement);
  for (const { sql } of triggers) await raw.query(String(sql));
}
