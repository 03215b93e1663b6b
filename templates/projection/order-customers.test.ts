import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderCustomers from './order-customers.js';

const first = say('Order-1', 'OrderPlaced', { customerId: 'Customer-7' });

test('a row has the id that its first event names', async () => {
  await projectionScenario(orderCustomers)
    .given(first)
    .thenRows([{ stream_id: 'Order-1', customer_id: 'Customer-7', customer_name: null }]);
});

test('the name reaches rows made before and after it', async () => {
  const names = [
    say('Customer-7', 'CustomerRegistered', { name: 'seven' }),
    say('Customer-7', 'CustomerRenamed', { name: 'seven' }),
  ];
  await projectionScenario(orderCustomers)
    .given(first, ...names, { ...first, streamId: 'Order-2' })
    .thenRows([
      { stream_id: 'Order-1', customer_name: 'seven' },
      { stream_id: 'Order-2', customer_name: 'seven' },
    ]);
});

/** Makes an event with the data that the projection reads; stored events may have more. */
function say(streamId: string, type: string, data: unknown) {
  return given(streamId, type, data);
}
