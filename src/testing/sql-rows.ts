/** Returns the rows of an SQL projection's table after some events, from a SQLite database in memory. */
import type { RecordedEvent } from '../domain/event.js';
import type { Statement } from '../domain/read-model.js';
import type { PreparedSqlProjection } from '../projection/define/prepare.js';
import { statementsOf } from '../projection/fold/row-fold.js';
import { Database } from '../store/sqlite/connection/database.js';
import { quoteIdentifier } from '../store/sqlite/connection/literals.js';
import type { RawValue } from '../store/sqlite/connection/values.js';
import { runStatement } from '../store/sqlite/read-models/read-model.js';

const inMemory = { path: ':memory:', isMemory: true, location: 'sqlite::memory:' };

/** Orders rows by all columns. */
export function querySqlProjection(
  projection: PreparedSqlProjection,
  events: readonly RecordedEvent[],
  table: string,
): readonly Readonly<Record<string, RawValue>>[] {
  const database = new Database(inMemory, false, true);
  try {
    if (projection.model.kind === 'sql') runAll(database, projection.model.create(toItself));
    for (const event of events) runAll(database, statementsOf(projection, event, toItself));
    const columns = database.query('select name from pragma_table_info(?)', [table]).map(([name]) => String(name));
    const places = columns.map((_, index) => index + 1).join(', ');
    return database
      .query(`select * from ${quoteIdentifier(table)} order by ${places}`)
      .map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])));
  } finally {
    database.close();
  }
}

function runAll(database: Database, statements: readonly Statement[]): void {
  for (const statement of statements) runStatement(database, statement);
}

function toItself(name: string): string {
  return name;
}
