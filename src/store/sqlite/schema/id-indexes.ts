/** Makes the indexes on ids. */
import type { IdKey } from '../../shared/filter.js';
import { idIndexNames, toIdIndexes } from '../../shared/id-indexes.js';
import { toText } from '../../shared/rows.js';
import type { IdIndex } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { indexedId } from '../connection/filter.js';

export function readIdIndexes(session: Session): readonly IdIndex[] {
  const rows = session.ask('id-indexes', [JSON.stringify(Object.values(idIndexNames))]);
  return toIdIndexes((name) => {
    const row = rows.find(([found]) => found === name);
    if (row === undefined) return undefined;
    return { state: toText(row[1]) === statementOf(keyOf(name)) ? 'ready' : 'broken', bytes: null };
  });
}

/** In one transaction: other writers wait for it. */
export async function createIdIndexes(database: Database): Promise<readonly string[]> {
  database.assertWritable();
  return database.transaction((session) => {
    const wanted = readIdIndexes(session).filter(({ state }) => state !== 'ready');
    for (const { name, key } of wanted) {
      session.execute(`drop index if exists ${name}`);
      session.execute(statementOf(key));
    }
    return wanted.map(({ name }) => name);
  });
}

function keyOf(name: string): IdKey {
  return name === idIndexNames.correlationId ? 'correlationId' : 'causationId';
}

/** As SQLite keeps it. Readers get the events by position. Events without the id take no room. */
function statementOf(key: IdKey): string {
  return `CREATE INDEX ${idIndexNames[key]} on events (${indexedId(key)}) where ${indexedId(key)} is not null`;
}
