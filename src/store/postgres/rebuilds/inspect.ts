/** Reads what hangs on the tables of a read model: what a swap carries over, and what prevents it. */
import { toInteger, toText } from '../../shared/rows.js';
import { summariseFacts } from '../../shared/table-facts.js';
import type { NotOwned, TableFacts } from '../../store.js';
import type { Session } from '../connection/database.js';

export async function inspectTables(session: Session, tables: readonly string[]): Promise<readonly TableFacts[]> {
  const rows = await session.ask('table-facts', [session.schema, tables]);
  return tables.map((table) => {
    const own = rows.filter(([name]) => name === table);
    const [self] = own.filter(([, what]) => what === 'self');
    const dependents = (wanted: string) =>
      own.filter(([, what]) => what === wanted).map((row) => ({ kind: toText(row[2]), name: toText(row[3]) }));
    const estimate = self === undefined ? -1 : toInteger(self[3]);
    return {
      table,
      exists: self !== undefined,
      estimatedRows: estimate < 0 ? null : estimate,
      indexes: dependents('index').map(({ name }) => name),
      carried: dependents('carried'),
      blocking: dependents('blocking'),
    };
  });
}

export async function findNotOwned(session: Session, tables: readonly string[]): Promise<readonly NotOwned[]> {
  const rows = await session.ask('not-owned', [session.schema, tables]);
  return rows.map((row) => {
    const [account = '', kind = '', name = '', owner = ''] = row.slice(0, 4).map(toText);
    return { account, kind, name, owner, change: row[4] ?? null, superuser: row[5] ?? null };
  });
}

/** Carried over as they are at the swap: they may change while a rebuild fills. */
const takenAsTheyAre = ['owner', 'grant', 'comment', 'storage option', 'statistics target', 'column option'];

export function summarise(facts: readonly TableFacts[]): string {
  return summariseFacts(facts, ({ kind }) => !takenAsTheyAre.includes(kind));
}

/** Returns the oid by name of any relation of these names. */
export async function findTables(
  session: Session,
  tables: readonly string[],
  schema = session.schema,
): Promise<ReadonlyMap<string, number>> {
  const rows = await session.ask('table-ids', [schema, tables]);
  return new Map(rows.map((row) => [toText(row[0]), toInteger(row[1])]));
}

/** Returns those of these names that a new table could not have. */
export async function findTaken(session: Session, names: readonly string[]): Promise<readonly string[]> {
  return (await session.ask('taken-names', [session.schema, names])).map(([name]) => toText(name));
}
