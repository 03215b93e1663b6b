import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderSearch from './order-search.js';

test('each word has one row for each stream', async () => {
  await projectionScenario(orderSearch)
    .given(
      say('Order-1', 'OrderPlaced', { title: 'Hello', place: { name: 'Zürich' } }),
      say('Order-2', 'OrderPlaced', { title: 'hello' }),
    )
    .thenRows([
      { word: 'hello', stream_id: 'Order-1' },
      { word: 'hello', stream_id: 'Order-2' },
      { word: 'zürich', stream_id: 'Order-1' },
    ]);
});

test('later events add words', async () => {
  await projectionScenario(orderSearch)
    .given(
      say('Order-1', 'OrderPlaced', { text: 'a test' }),
      say('Order-1', 'OrderNoteAdded', { text: 'Test!' }),
      say('Order-1', 'OrderShipped', { text: 'test' }),
    )
    .thenRows([
      { word: 'a', stream_id: 'Order-1' },
      { word: 'test', stream_id: 'Order-1' },
    ]);
});

/** Makes an event with any data: its words are found wherever they are. */
function say(streamId: string, type: string, data: unknown) {
  return given(streamId, type, data);
}
