/** A row for each order: how many events, how many items, where it stands, and since when. */
import { defineProjection } from '../../dist/src/index.js';

const count = (row, event, items) => ({
  events: (row?.events ?? 0) + 1,
  items: (row?.items ?? 0) + items,
  status: event.type,
  lastAt: event.createdAt,
});

export default defineProjection({
  name: 'order_totals',
  version: 1,
  table: {
    columns: { orderId: 'text', events: 'integer', items: 'bigint', status: 'text', lastAt: 'timestamp' },
    key: 'orderId',
    indexes: ['status'],
  },
  // As the SQL beside it, this asks for the payload of half of the events.
  on: {
    ItemAdded: (row, event) => count(row, event, event.data.quantity),
    '*': (row, event) => count(row, event, 0),
  },
});
