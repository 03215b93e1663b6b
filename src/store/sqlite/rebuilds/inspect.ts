/** Reads what hangs on the tables of a read model: what a swap carries over, and what prevents it. */
import { toText } from '../../shared/rows.js';
import { summariseFacts } from '../../shared/table-facts.js';
import type { NotOwned, TableFacts } from '../../store.js';
import type { Session } from '../connection/database.js';

export function inspectTables(session: Session, tables: readonly string[]): readonly TableFacts[] {
  return tables.map((table) => {
    const own = session.ask('table-facts', [table, namePattern(table)]);
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

/** SQLite has no owners: who may write the file may change everything in it. */
export function findNotOwned(_session: Session, _tables: readonly string[]): readonly NotOwned[] {
  return [];
}

/** Only triggers are compared: views and foreign keys find a table by its name, so they may come and go. */
export function summarise(facts: readonly TableFacts[]): string {
  return summariseFacts(facts, ({ kind }) => kind === 'trigger');
}

/**
 * Returns a hash by name of each table or view of these names. SQLite has no identity that survives VACUUM and a rename,
 * so the statement that made the table stands for it, without its name.
 */
export function findTables(session: Session, tables: readonly string[]): ReadonlyMap<string, string> {
  const rows = session.ask('table-ids', [JSON.stringify(tables)]);
  return new Map(rows.map((row) => [toText(row[0]), hashTable(toText(row[1]), toText(row[2]))]));
}

/** Returns those of these names that a new table could not have. */
export function findTaken(session: Session, names: readonly string[]): readonly string[] {
  return session.ask('taken-names', [JSON.stringify(names)]).map(([name]) => toText(name));
}

function hashTable(type: string, text: string): string {
  const body = text.slice(text.search(/\(|\bas\b/i));
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(`${type} ${body}`).digest('hex').slice(0, 16);
}

function namePattern(table: string): string {
  return `*[^a-z0-9_]${table.toLowerCase()}[^a-z0-9_]*`;
}
