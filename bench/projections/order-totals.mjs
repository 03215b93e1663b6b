/** A row for each order: how many events, how many items, where it stands, and since when. */
import { defineProjection } from '../../dist/src/index.js';

function count(row, { type, data, createdAt }) {
  return {
    events: (row?.events ?? 0) + 1,
    items: (row?.items ?? 0) + (type === 'ItemAdded' ? data.quantity : 0),
    status: type,
    lastAt: createdAt,
  };
}

export default defineProjection({
  name: 'order_totals',
  version: 1,
  table: {
    columns: { orderId: 'text', events: 'integer', items: 'bigint', status: 'text', lastAt: 'timestamp' },
    key: 'orderId',
    indexes: ['status'],
  },
  on: { '*': count },
});
