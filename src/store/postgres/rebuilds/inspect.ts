/** What hangs on the tables of a read model: what a swap carries over, and what stands in its way. */
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { TableFacts } from '../../store.js';
import type { Session } from '../connection/database.js';
import { toInteger, toText } from '../connection/rows.js';

export async function inspectTables(
  session: Session,
  sql: SqlFolder,
  schema: string,
  tables: readonly string[],
): Promise<readonly TableFacts[]> {
  const rows = await session.query(sql('table-facts'), [schema, tables]);
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

/** Carried as they are at the swap: they may change while a rebuild fills. */
const takenAsTheyAre = ['owner', 'grant', 'comment', 'storage option', 'statistics target', 'column option'];

/** Indexes and dependents as text, to be kept and compared. */
export function summariseFacts(facts: readonly TableFacts[]): string {
  const names = facts.flatMap(({ table, indexes, carried, blocking }) => [
    ...indexes.map((name) => `index ${name} on ${table}`),
    ...[...carried.filter(({ kind }) => !takenAsTheyAre.includes(kind)), ...blocking].map(
      ({ kind, name }) => `${kind} ${name} on ${table}`,
    ),
  ]);
  return JSON.stringify(names.sort());
}

/** What came or went between two summaries: `+ index a on b`, `- view c on b`. */
export function compareFacts(before: string, after: string): readonly string[] {
  const [old, current]: readonly string[][] = [JSON.parse(before), JSON.parse(after)];
  return [
    ...(current ?? []).filter((name) => !old?.includes(name)).map((name) => `+ ${name}`),
    ...(old ?? []).filter((name) => !current?.includes(name)).map((name) => `- ${name}`),
  ];
}

/** @throws E_UNSAFE_STORE naming what a swap cannot carry over */
export function refuseBlocking(facts: readonly TableFacts[]): void {
  const blocking = facts.flatMap(({ table, blocking }) =>
    blocking.map(({ kind, name }) => `${kind} ${name} on ${table}`),
  );
  if (blocking.length === 0) return;
  throw new EvstoreError('E_UNSAFE_STORE', `a swap would lose ${blocking.join(', ')}`, {
    why: 'It cannot be carried over to another table. Drop it, swap, and make it again.',
    details: { blocking },
  });
}

/** Oid by name, of any relation of these names. */
export async function findOids(
  session: Session,
  sql: SqlFolder,
  schema: string,
  tables: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await session.query(sql('table-ids'), [schema, tables]);
  return new Map(rows.map((row) => [toText(row[0]), toInteger(row[1])]));
}
