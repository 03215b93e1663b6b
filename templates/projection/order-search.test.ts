import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderSearch from './order-search.js';

test('each word has one row for each order', async () => {
  await projectionScenario(orderSearch)
    .given(
      given('Order-1', 'OrderPlaced', { customer: 'Ada', ship: { city: 'Zürich' } }),
      given('Order-2', 'OrderPlaced', { customer: 'ada' }),
    )
    .thenRows([
      { word: 'ada', stream_id: 'Order-1' },
      { word: 'ada', stream_id: 'Order-2' },
      { word: 'zürich', stream_id: 'Order-1' },
    ]);
});

test('later events add words', async () => {
  await projectionScenario(orderSearch)
    .given(
      given('Order-1', 'OrderPlaced', { note: 'a gift' }),
      given('Order-1', 'OrderNoteAdded', { note: 'Gift!' }),
      given('Order-1', 'OrderShipped', { note: 'gift' }),
    )
    .thenRows([
      { word: 'a', stream_id: 'Order-1' },
      { word: 'gift', stream_id: 'Order-1' },
    ]);
});
