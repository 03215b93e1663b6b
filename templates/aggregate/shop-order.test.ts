import { aggregateScenario, given } from 'evstore/testing';
import { test } from 'vitest';
import shopOrder from './shop-order.js';

const first = given('Order-1', 'OrderPlaced', {
  customer: 'ada',
  total: 4200,
});

test('the state shows the last event and how many there are', () => {
  const history = [
    first,
    given('Order-1', 'OrderPaid', { amount: 4200, paidAt: '2026-01-01T08:00:00.000Z' }),
    given('Order-1', 'OrderShipped', { parcel: 'P-1' }),
  ];
  aggregateScenario(shopOrder)
    .given(...history)
    .thenState({ status: history.at(-1)?.type ?? null, events: history.length });
});

test('a command records its event', () => {
  aggregateScenario(shopOrder)
    .when({ record: 'OrderPlaced', data: { text: 'test' } })
    .thenEvents([{ type: 'OrderPlaced', data: { text: 'test' } }]);
});

test('it cannot begin twice', () => {
  aggregateScenario(shopOrder)
    .given(first)
    .when({ record: 'OrderPlaced', data: { text: 'test' } })
    .thenThrows('it exists already');
});
