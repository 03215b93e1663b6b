/** A row for each order. */
import { defineProjection } from '../../../dist/src/index.js';

export default defineProjection({
  name: 'order_summary',
  version: 1,
  category: 'Order',
  table: { columns: { orderId: 'text', events: 'integer', status: 'text', total: 'integer' }, key: 'orderId' },
  on: {
    OrderSubmitted: (row, { type, data }) => ({ events: row.events + 1, status: type, total: data.total }),
    '*': (row, { type }) => ({ events: (row?.events ?? 0) + 1, status: type, total: row?.total ?? 0 }),
  },
});
