import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderSummary from './order-summary.js';

const details = {
  customer: 'ada',
  total: 4200,
};

test('a row shows the data of the first event and the type of the last', async () => {
  const history = [
    given('Order-1', 'OrderPlaced', details),
    given('Order-1', 'OrderPaid', {}),
    given('Order-1', 'OrderShipped', {}),
  ];
  await projectionScenario(orderSummary)
    .given(...history)
    .thenRows([{ streamId: 'Order-1', status: history.at(-1)?.type, events: history.length, ...details }]);
});

test('each stream has a row of its own', async () => {
  await projectionScenario(orderSummary)
    .given(given('Order-1', 'OrderPlaced', details), given('Order-2', 'OrderPlaced', details))
    .thenRows([
      { streamId: 'Order-1', events: 1 },
      { streamId: 'Order-2', events: 1 },
    ]);
});
