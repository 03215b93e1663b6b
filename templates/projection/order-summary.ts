/**
 * Order summary: one row for each stream, with the data of its first event and its current status.
 */
import { defineProjection, type Event } from 'evstore';

export default defineProjection({
  name: 'order_summary',
  version: 1,
  table: {
    columns: {
      streamId: 'text',
      status: 'text',
      events: 'integer',
      changedAt: 'timestamp',
      customer: 'text',
      total: 'bigint',
    },
    key: 'streamId',
    indexes: ['status'],
  },
  on: {
    OrderPlaced: (row, event) => ({
      ...lastSeen(row, event),
      customer: event.data.customer,
      total: event.data.total,
    }),
    OrderPaid: (row, event) => ({ ...row, ...lastSeen(row, event) }),
    OrderShipped: (row, event) => ({ ...row, ...lastSeen(row, event) }),
  },
});

/** Returns the columns that every event changes. */
function lastSeen(row: { readonly events: number | null } | null, event: Event) {
  return { status: event.type, events: (row?.events ?? 0) + 1, changedAt: event.createdAt };
}
