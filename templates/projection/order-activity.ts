/**
 * Order activity: one row for each stream, with how many events it has and what its last one was. Plain SQL that works on
 * both engines.
 */
import { defineSqlProjection, type Event, type Statement, sql, type TableIdentifiers } from 'evstore';

export default defineSqlProjection({
  name: 'order_activity',
  version: 1,
  tables: ['order_activity'],
  create: (t) => [
    sql`create table ${t.order_activity} (stream_id text primary key, events integer not null, last_type text not null)`,
    sql`create index ${t.order_activity.index('last_type')} on ${t.order_activity} (last_type)`,
  ],
  on: {
    OrderPlaced: (event, t) => touch(event, t),
    OrderPaid: (event, t) => touch(event, t),
    OrderShipped: (event, t) => touch(event, t),
  },
});

function touch({ streamId, type }: Event, t: TableIdentifiers<'order_activity'>): Statement {
  return sql`
    insert into ${t.order_activity} (stream_id, events, last_type) values (${streamId}, 1, ${type})
    on conflict (stream_id) do update set events = ${t.order_activity}.events + 1, last_type = excluded.last_type`;
}
