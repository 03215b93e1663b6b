/** Scratch stores: schemas of their own in the database of the store. */
import { EvstoreError } from '../../domain/errors.js';
import { shellWord } from '../../domain/shell-word.js';
import { toInteger, toText } from '../shared/rows.js';
import { isScratchName, newScratchName, notScratch } from '../shared/scratch.js';
import type { ScratchStores, Store } from '../store.js';
import type { Database } from './connection/database.js';
import { quoteIdentifier, quoteLiteral } from './connection/literals.js';

/** By which the schemas are recognised, with their names. */
const mark = 'scratch store of evstore bench';

export interface ScratchOptions {
  /** Of the store. */
  readonly database: Database;
  /** Opens another for the same schema: the store's own gives up when the process is told to stop, and one is dropped then. */
  readonly connect: () => Database;
  /** Its connections have the name of the schema, which shows that it is in use. */
  readonly open: (schema: string) => Store;
}

export function openScratchStores({ database, connect, open }: ScratchOptions): ScratchStores {
  const remove = async (name: string) => {
    if (!isScratchName(name)) throw notScratch(name);
    database.assertWritable();
    const other = connect();
    await other.script(`drop schema if exists ${quoteIdentifier(name)} cascade`).finally(() => other.close());
  };
  return {
    place: () => `a schema of its own in ${database.location}`,

    async list() {
      const rows = await database.ask('scratch-schemas', [mark]);
      return rows.map((row) => ({ name: toText(row[0]), bytes: toInteger(row[1]), isInUse: row[2] === 't' }));
    },

    assertPossible: () => assertPossible(database),

    async make() {
      await assertPossible(database);
      const name = newScratchName();
      const schema = quoteIdentifier(name);
      await database.script(`create schema ${schema}; comment on schema ${schema} is ${quoteLiteral(mark)}`);
      try {
        const store = open(name);
        await store.schema.migrate().finally(() => store.close());
      } catch (error) {
        await remove(name);
        throw error;
      }
      return { name, open: async () => open(name) };
    },

    remove,
  };
}

async function assertPossible(database: Database): Promise<void> {
  database.assertWritable();
  const [row = []] = await database.ask('scratch-rights');
  if (row[2] === 't') return;
  const [name, account] = [toText(row[0]), toText(row[1])];
  const grant = `grant create on database ${quoteIdentifier(name)} to ${quoteIdentifier(account)}`;
  throw new EvstoreError('E_PERMISSION', `${account} may not create a schema in database ${name}`, {
    why: 'A scratch store is a schema of its own, which is dropped at the end. The owner of the database can grant that.',
    next: `psql -d ${shellWord(name)} -c ${shellWord(grant)}`,
  });
}
