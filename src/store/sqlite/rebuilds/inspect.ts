/** What hangs on the tables of a read model: what a swap carries over, and what stands in its way. */
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { TableFacts } from '../../store.js';
import type { Session } from '../connection/database.js';
import { toText } from '../connection/rows.js';

export function inspectTables(session: Session, sql: SqlFolder, tables: readonly string[]): readonly TableFacts[] {
  return tables.map((table) => {
    const own = session.query(sql('table-facts'), [table, namePattern(table)]);
    const dependents = (wanted: string) =>
      own.filter(([what]) => what === wanted).map((row) => ({ kind: toText(row[1]), name: toText(row[2]) }));
    return {
      table,
      exists: dependents('self').length > 0,
      estimatedRows: null,
      indexes: dependents('index').map(({ name }) => name),
      carried: dependents('carried'),
      blocking: dependents('blocking'),
    };
  });
}

/** Indexes, triggers and what blocks as text, to be kept and compared; what finds a table by its name may come and go. */
export function summariseFacts(facts: readonly TableFacts[]): string {
  const names = facts.flatMap(({ table, indexes, carried, blocking }) => [
    ...indexes.map((name) => `index ${name} on ${table}`),
    ...[...carried.filter(({ kind }) => kind === 'trigger'), ...blocking].map(
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

/**
 * A mark by name of each table or view there is: SQLite has no identity that outlives VACUUM and a rename, so the text
 * that made the table stands for it, without its name.
 */
export function findMarks(session: Session, sql: SqlFolder, tables: readonly string[]): ReadonlyMap<string, string> {
  const rows = session.query(sql('table-sql'), [JSON.stringify(tables)]);
  return new Map(rows.map((row) => [toText(row[0]), markOf(toText(row[1]), toText(row[2]))]));
}

function markOf(type: string, text: string): string {
  const body = text.slice(text.search(/\(|\bas\b/i));
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(`${type} ${body}`).digest('hex').slice(0, 16);
}

function namePattern(table: string): string {
  return `*[^a-z0-9_]${table.toLowerCase()}[^a-z0-9_]*`;
}
