/** Makes the indexes on ids. */
import type { IdKey } from '../../shared/filter.js';
import { identityOf, idIndexNames, indexIsBeingMade, toIdIndexes } from '../../shared/id-indexes.js';
import { toInteger, toOptional, toText } from '../../shared/rows.js';
import type { IdIndex, IndexOptions } from '../../store.js';
import type { Database } from '../connection/database.js';
import { indexedId } from '../connection/filter.js';
import { quoteIdentifier, quoteLiteral } from '../connection/literals.js';
import { renderSchema } from './schema-name.js';

const progressEveryMs = 500;

export async function readIdIndexes(database: Database): Promise<readonly IdIndex[]> {
  const rows = await database.ask('id-indexes', [Object.values(idIndexNames)]);
  return toIdIndexes((name) => {
    const row = rows.find(([found]) => found === name);
    if (row === undefined) return undefined;
    const isSame = row[2] === identityOf(definitionOf(keyOf(name)));
    const state = row[4] === 't' ? 'building' : row[1] === 't' && isSame ? 'ready' : 'broken';
    return { state, bytes: toOptional(row[3], toInteger) };
  });
}

/**
 * Writers continue meanwhile. That cannot be part of a transaction, so an index that was interrupted is left behind, and
 * made again.
 */
export async function createIdIndexes(database: Database, options: IndexOptions): Promise<readonly string[]> {
  database.assertWritable();
  const made: string[] = [];
  for (const { name, key, state } of await readIdIndexes(database)) {
    if (state === 'ready') continue;
    if (state === 'building') throw indexIsBeingMade(name);
    const render = renderSchema(database.schema);
    const definition = definitionOf(key);
    const statements = [
      ...(state === 'broken' ? [render(`drop index concurrently if exists public.${name}`)] : []),
      render(`create index concurrently ${name} on public.events ${definition}`),
      render(`comment on index public.${name} is ${quoteLiteral(identityOf(definition))}`),
    ];
    await make(database, name, statements, options);
    made.push(name);
  }
  // Without it the server does not know how few events have the same id.
  if (made.length > 0) await database.query(`analyze ${quoteIdentifier(database.schema)}.events`);
  return made;
}

async function make(
  database: Database,
  name: string,
  statements: readonly string[],
  { progress, signal }: IndexOptions,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const started = (pid: number) => {
    timer = setInterval(() => void tell(pid).catch(() => undefined), progressEveryMs);
  };
  const tell = async (pid: number) => {
    const [row] = await database.ask('id-index-progress', [pid]);
    if (row !== undefined) progress(`${name}: ${toText(row[0])}`, toInteger(row[1]), toInteger(row[2]));
  };
  try {
    await database.runApart(statements, { started, signal });
  } finally {
    clearInterval(timer);
  }
}

function keyOf(name: string): IdKey {
  return name === idIndexNames.correlationId ? 'correlationId' : 'causationId';
}

/** Sorted by position, too, as readers want them. Events without the id take no room. */
function definitionOf(key: IdKey): string {
  return `(${indexedId(key)}, global_position) where ${indexedId(key)} is not null`;
}
