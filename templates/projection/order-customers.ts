/**
 * Order customers: one row for each order, with the current name of its customer. Plain SQL that works on both engines.
 */
import { defineSqlProjection, type Event, type Statement, sql, type TableIdentifiers } from 'evstore';

type Tables = TableIdentifiers<'order_customers' | 'order_customers_names'>;

export default defineSqlProjection({
  name: 'order_customers',
  version: 1,
  tables: ['order_customers', 'order_customers_names'],
  create: (t) => [
    sql`create table ${t.order_customers} (order_id text primary key, customer_id text, customer_name text)`,
    sql`create index ${t.order_customers.index('customer_id')} on ${t.order_customers} (customer_id)`,
    sql`create table ${t.order_customers_names} (customer_id text primary key, name text)`,
  ],
  on: {
    OrderPlaced: (event, t) => sql`
      insert into ${t.order_customers} (order_id, customer_id, customer_name)
      values (${event.streamId}, ${event.data.customerId},
        (select name from ${t.order_customers_names} where customer_id = ${event.data.customerId}))
      on conflict (order_id) do update
        set customer_id = excluded.customer_id, customer_name = excluded.customer_name`,
    CustomerRegistered: (event, t) => nameCustomer(event, t),
    CustomerRenamed: (event, t) => nameCustomer(event, t),
  },
});

/** Stores the name for later orders, and updates the orders that exist. */
function nameCustomer({ streamId, data }: Event, t: Tables): Statement[] {
  return [
    sql`insert into ${t.order_customers_names} (customer_id, name) values (${streamId}, ${data.name})
      on conflict (customer_id) do update set name = excluded.name`,
    sql`update ${t.order_customers} set customer_name = ${data.name} where customer_id = ${streamId}`,
  ];
}
