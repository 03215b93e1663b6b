import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderSummary from './order-summary.js';

const first = given('Order-1', 'OrderPlaced', {
  customer: 'ada',
  total: 4200,
});

test('a row shows the data of the first event and the type of the last', async () => {
  const history = [
    first,
    given('Order-1', 'OrderPaid', { amount: 4200, paidAt: '2026-01-01T08:00:00.000Z' }),
    given('Order-1', 'OrderShipped', { parcel: 'P-1' }),
  ];
  await projectionScenario(orderSummary)
    .given(...history)
    .thenRows([
      {
        streamId: 'Order-1',
        status: history.at(-1)?.type,
        events: history.length,
        customer: 'ada',
        total: 4200,
      },
    ]);
});

test('each stream has a row of its own', async () => {
  await projectionScenario(orderSummary)
    .given(first, { ...first, streamId: 'Order-2' })
    .thenRows([
      { streamId: 'Order-1', events: 1 },
      { streamId: 'Order-2', events: 1 },
    ]);
});
