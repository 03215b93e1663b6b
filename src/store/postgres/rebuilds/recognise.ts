/**
 * Recognises the tables of a rebuild in a database that was restored from a dump. The journal knows tables by their oids,
 * and these are other ones there. A copy of a SQLite file has no such problem: its journal knows tables by their statements.
 */
import type { JournalTable } from '../../shared/journal.js';
import { toInteger, toText } from '../../shared/rows.js';
import type { RebuildState } from '../../store.js';
import type { Session } from '../connection/database.js';
import { findTables } from './inspect.js';

/** Tables are identified by their oids. */
export type Table = JournalTable<number> & { readonly origin?: Origin };

/** Where the oids are valid, and how to recognise the tables elsewhere. */
interface Origin {
  readonly database: string;
  /** The columns of the table that is live until the swap; null when there is none. */
  readonly live: string | null;
  /** The columns of the table that the rebuild fills; null before it is made. */
  readonly built: string | null;
}

interface Recorded {
  readonly state: RebuildState;
  readonly tables: readonly Table[];
}

/** Returns the text of the tables for the journal. */
export async function describeTables(session: Session, tables: readonly Table[]): Promise<string> {
  const database = await identifyDatabase(session);
  const columns = await listColumns(
    session,
    tables.flatMap(({ liveId, builtId }) => [liveId, builtId]),
  );
  const columnsOf = (id: number | null) => (id === null ? null : (columns.get(id) ?? null));
  return JSON.stringify(
    tables.map((table) => {
      const origin: Origin = { database, live: columnsOf(table.liveId), built: columnsOf(table.builtId) };
      return { ...table, origin };
    }),
  );
}

/**
 * Returns the tables with the oids they have in this database. One that was restored is recognised by its name and its
 * columns; a live table by its name alone, as by its runner. The id of a table that is not recognised is null.
 */
export async function recogniseTables(session: Session, { state, tables }: Recorded): Promise<readonly Table[]> {
  const here = await identifyDatabase(session);
  if (tables.every(({ origin }) => origin === undefined || origin.database === here)) return tables;
  const isSwapped = state === 'swapped';
  const found = await findTables(
    session,
    tables.flatMap(({ live, built, old }) => [live, isSwapped ? old : built]),
  );
  const columns = await listColumns(session, [...found.values()]);
  return tables.map((table) => {
    const { live, built, old, liveId, builtId, origin } = table;
    const beside = found.get(isSwapped ? old : built);
    const wanted = isSwapped ? origin?.live : origin?.built;
    const isOurs = beside !== undefined && wanted !== null && columns.get(beside) === wanted;
    const [current, other] = [found.get(live) ?? null, isOurs ? beside : null];
    return {
      ...table,
      liveId: liveId === null ? null : isSwapped ? other : current,
      builtId: builtId === null ? null : isSwapped ? current : other,
    };
  });
}

/** Returns true when a table was not recognised. */
export function hasStranger(before: readonly Table[], after: readonly Table[]): boolean {
  const count = (tables: readonly Table[]) =>
    tables.flatMap(({ liveId, builtId }) => [liveId, builtId].filter(Boolean));
  return count(after).length < count(before).length;
}

/**
 * Names this database so that a restored copy has another name, wherever it is: in another cluster, in another database of
 * this one, or in this database after the original was dropped.
 */
async function identifyDatabase(session: Session): Promise<string> {
  const [row] = await session.ask('database-id');
  const [cluster] = row?.[2] === 't' ? await session.ask('cluster-id') : [];
  return [cluster?.[0] ?? '', row?.[0], row?.[1]].join('/');
}

async function listColumns(session: Session, oids: readonly (number | null)[]): Promise<ReadonlyMap<number, string>> {
  const rows = await session.ask('column-lists', [oids.filter((oid) => oid !== null)]);
  return new Map(rows.map((row) => [toInteger(row[0]), toText(row[1])]));
}
