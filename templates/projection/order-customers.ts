/**
 * Order customers: one row for each stream, with the current name of the customer that its first event names by id. The
 * name comes from events of other streams. Plain SQL that works on both engines.
 */
import { defineSqlProjection, type Event, type Statement, sql, type TableIdentifiers } from 'evstore';

type Tables = TableIdentifiers<'order_customers' | 'order_customers_names'>;

export default defineSqlProjection({
  name: 'order_customers',
  version: 1,
  tables: ['order_customers', 'order_customers_names'],
  create: (t) => [
    sql`create table ${t.order_customers} (stream_id text primary key, customer_id text, customer_name text)`,
    sql`create index ${t.order_customers.index('customer_id')} on ${t.order_customers} (customer_id)`,
    sql`create table ${t.order_customers_names} (customer_id text primary key, name text)`,
  ],
  on: {
    OrderPlaced: (event, t) => addRow(event, t),
    CustomerRegistered: (event, t) => setName(event, t),
    CustomerRenamed: (event, t) => setName(event, t),
  },
});

function addRow({ streamId, data }: Event, t: Tables): Statement {
  return sql`
    insert into ${t.order_customers} (stream_id, customer_id, customer_name)
    values (${streamId}, ${data.customerId},
      (select name from ${t.order_customers_names} where customer_id = ${data.customerId}))
    on conflict (stream_id) do update
      set customer_id = excluded.customer_id, customer_name = excluded.customer_name`;
}

/** Stores the name for later rows, and updates the rows that exist. */
function setName({ streamId, data }: Event, t: Tables): Statement[] {
  return [
    sql`insert into ${t.order_customers_names} (customer_id, name) values (${streamId}, ${data.name})
      on conflict (customer_id) do update set name = excluded.name`,
    sql`update ${t.order_customers} set customer_name = ${data.name} where customer_id = ${streamId}`,
  ];
}
