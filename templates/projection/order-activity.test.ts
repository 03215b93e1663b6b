import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderActivity from './order-activity.js';

const first = given('Order-1', 'OrderPlaced', {
  customer: 'ada',
  total: 4200,
});

test('each event of a stream is counted', async () => {
  const history = [
    first,
    given('Order-1', 'OrderPaid', { amount: 4200, paidAt: '2026-01-01T08:00:00.000Z' }),
    given('Order-1', 'OrderShipped', { parcel: 'P-1' }),
  ];
  await projectionScenario(orderActivity)
    .given(...history)
    .thenRows([{ stream_id: 'Order-1', events: history.length, last_type: history.at(-1)?.type }]);
});

test('each stream has a row of its own', async () => {
  await projectionScenario(orderActivity)
    .given(first, { ...first, streamId: 'Order-2' })
    .thenRows([
      { stream_id: 'Order-1', events: 1 },
      { stream_id: 'Order-2', events: 1 },
    ]);
});
