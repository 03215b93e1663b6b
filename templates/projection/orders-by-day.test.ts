import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import ordersByDay from './orders-by-day.js';

test('each event is counted', async () => {
  const history = [
    given('Order-1', 'OrderPlaced', {}),
    given('Order-1', 'OrderPaid', {}),
    given('Order-1', 'OrderShipped', {}),
  ];
  await projectionScenario(ordersByDay)
    .given(...history)
    .thenRows([
      {
        day: '2026-01-01',
        events: history.length,
        orderPlaced: 1,
        orderPaid: 1,
        orderShipped: 1,
      },
    ]);
});

test('a day begins at midnight UTC', async () => {
  await projectionScenario(ordersByDay)
    .given(
      given('Order-1', 'OrderPlaced', {}, { createdAt: '2026-01-31T23:59:59.999Z' }),
      given('Order-2', 'OrderPlaced', {}, { createdAt: '2026-02-01T00:00:00Z' }),
      given('Order-3', 'OrderPlaced', {}, { createdAt: '2026-02-01T01:00:00+02:00' }),
    )
    .thenRows([
      { day: '2026-01-31', orderPlaced: 2 },
      { day: '2026-02-01', orderPlaced: 1 },
    ]);
});
