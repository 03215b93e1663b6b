/**
 * Order text: full-text search over the events, outside the store, in the SQLite file that SEARCH_DB names (default:
 * search.db). The position of an event is the key of its entry, so an event that is written twice has one entry. To search:
 * select distinct stream_id from order_text where words match 'zür*'
 */
import Database from 'better-sqlite3';
import { defineExternalProjection, type Event, type ExternalProjection } from 'evstore';

/** Event type → the part of the event to search in. */
const searchable = new Map<string, (event: Event) => unknown>([
  ['OrderPlaced', ({ data }) => data],
  ['OrderNoteAdded', ({ data }) => data],
  ['OrderShipped', ({ data }) => data],
]);

const orderText: ExternalProjection<Database.Database> = defineExternalProjection({
  name: 'order_text',
  version: 1,
  types: [...searchable.keys()],
  open: ({ name, isNew }) => {
    const database = openFile();
    if (isNew) {
      database.exec(`drop table if exists ${name};
        create virtual table ${name} using fts5 (stream_id unindexed, words)`);
    }
    return database;
  },
  write: (database, { events }, { name }) => {
    const put = database.prepare(`insert or replace into ${name} (rowid, stream_id, words) values (?, ?, ?)`);
    const putAll = database.transaction(() => {
      for (const event of events) {
        put.run(event.globalPosition, event.streamId, listTexts(searchable.get(event.type)?.(event)).join('\n'));
      }
    });
    putAll.immediate();
  },
  promote: (database, { name }) => {
    const replaceView = database.transaction(() => {
      database.exec(`drop view if exists order_text;
        create view order_text as select stream_id, words, rank from ${name}`);
    });
    replaceView.immediate();
  },
  drop: ({ name }) => {
    const database = openFile();
    database.exec(`drop table if exists ${name}`);
    database.close();
  },
  count: (database, { name }) => Number(database.prepare(`select count(*) from ${name}`).pluck().get()),
});

export default orderText;

/** Opens the file in WAL mode, so that readers can continue while a batch is written. */
function openFile(): Database.Database {
  const database = new Database(process.env.SEARCH_DB ?? 'search.db');
  database.pragma('journal_mode = wal');
  return database;
}

/** Returns every text in a value. */
function listTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listTexts) : [];
}
