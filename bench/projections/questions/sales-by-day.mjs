/** A row for each day, of events of any order. */
import { defineProjection } from '../../../dist/src/index.js';

export default defineProjection({
  name: 'sales_by_day',
  version: 1,
  category: 'Order',
  table: { columns: { day: 'text', orders: 'integer', total: 'bigint' }, key: 'day' },
  key: ({ createdAt }) => createdAt.slice(0, 10),
  on: {
    OrderPlaced: (row) => ({ orders: (row?.orders ?? 0) + 1, total: row?.total ?? 0 }),
    OrderSubmitted: (row, { data }) => ({ orders: row?.orders ?? 0, total: (row?.total ?? 0) + data.total }),
  },
});
