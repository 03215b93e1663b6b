/**
 * Orders by day: the number of events of each type on each day, in UTC.
 */
import { defineProjection } from 'evstore';

export default defineProjection({
  name: 'orders_by_day',
  version: 1,
  table: {
    columns: {
      day: 'text',
      events: 'bigint',
      orderPlaced: 'bigint',
      orderPaid: 'bigint',
      orderShipped: 'bigint',
    },
    key: 'day',
  },
  key: (event) => event.createdAt.slice(0, 10),
  on: {
    OrderPlaced: (row) => ({ ...row, events: addOne(row?.events), orderPlaced: addOne(row?.orderPlaced) }),
    OrderPaid: (row) => ({ ...row, events: addOne(row?.events), orderPaid: addOne(row?.orderPaid) }),
    OrderShipped: (row) => ({ ...row, events: addOne(row?.events), orderShipped: addOne(row?.orderShipped) }),
  },
});

function addOne(count: number | null | undefined): number {
  return (count ?? 0) + 1;
}
