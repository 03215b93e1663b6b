/** What a measurement writes and folds: orders of a shop, of a usual size. */
import type { NewEvent } from '../domain/event.js';
import { newEventId } from '../domain/uuid.js';
import { defineProjection } from '../projection/define/definition.js';
import { type PreparedProjection, prepareAll } from '../projection/define/prepare.js';

/** A stream of an aggregate is short: this is its last version. */
export const streamLength = 100;

export function makeOrderEvent(number: number): NewEvent {
  const customer = `customer-${String(number % 10_000).padStart(5, '0')}`;
  const items = [{ sku: `sku-${String(number % 500).padStart(4, '0')}`, quantity: 1 + (number % 4), price: 12.5 }];
  return {
    id: newEventId(),
    type: number % 4 === 3 ? 'OrderShipped' : 'OrderPlaced',
    schemaVersion: 1,
    data: JSON.stringify({ customer, total: 12.5 * (1 + (number % 4)), currency: 'EUR', items }),
    metadata: JSON.stringify({ correlationId: newEventId() }),
  };
}

/** Of the data and metadata of one event. */
export function measureEvent(): number {
  const { data, metadata } = makeOrderEvent(0);
  return Buffer.byteLength(data) + Buffer.byteLength(metadata);
}

/** A row per stream. */
export function makeOrdersProjection(): readonly PreparedProjection[] {
  return prepareAll([
    defineProjection({
      name: 'bench_orders',
      version: 1,
      table: { columns: { streamId: 'text', events: 'integer', total: 'real', shipped: 'integer' }, key: 'streamId' },
      on: {
        OrderPlaced: (row, { data }) => ({
          events: (row?.events ?? 0) + 1,
          total: (row?.total ?? 0) + Number(data.total),
          shipped: row?.shipped ?? 0,
        }),
        OrderShipped: (row) => ({
          events: (row?.events ?? 0) + 1,
          total: row?.total ?? 0,
          shipped: (row?.shipped ?? 0) + 1,
        }),
      },
    }),
  ]);
}
