/**
 * Order search: every word of the events, and the streams it appears in. Plain SQL that works on both engines.
 * To find words that begin with `zür`: select stream_id from order_search where word >= 'zür' and word < 'züs'.
 */
import { defineSqlProjection, type Event, type Statement, sql, type TableIdentifiers } from 'evstore';

export default defineSqlProjection({
  name: 'order_search',
  version: 1,
  tables: ['order_search'],
  create: (t) => [
    sql`create table ${t.order_search} (word text not null, stream_id text not null, primary key (word, stream_id))`,
    sql`create index ${t.order_search.index('stream_id')} on ${t.order_search} (stream_id)`,
  ],
  on: {
    OrderPlaced: (event, t) => addWords(event, t),
    OrderNoteAdded: (event, t) => addWords(event, t),
    OrderShipped: (event, t) => addWords(event, t),
  },
});

function addWords({ streamId, data }: Event, t: TableIdentifiers<'order_search'>): Statement[] {
  return [...new Set(listWords(data))].map(
    (word) => sql`insert into ${t.order_search} (word, stream_id) values (${word}, ${streamId}) on conflict do nothing`,
  );
}

/** Returns the words of every text in the data, in lower case. */
function listWords(value: unknown): string[] {
  if (typeof value === 'string') return value.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listWords) : [];
}
