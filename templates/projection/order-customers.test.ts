import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderCustomers from './order-customers.js';

const placed = given('Order-1', 'OrderPlaced', { customerId: 'Customer-7' });

test('a row holds the customer of its order', async () => {
  await projectionScenario(orderCustomers)
    .given(placed)
    .thenRows([{ order_id: 'Order-1', customer_id: 'Customer-7', customer_name: null }]);
});

test('the name reaches orders placed before and after it', async () => {
  const names = [
    given('Customer-7', 'CustomerRegistered', { name: 'Ada' }),
    given('Customer-7', 'CustomerRenamed', { name: 'Ada' }),
  ];
  await projectionScenario(orderCustomers)
    .given(placed, ...names, given('Order-2', 'OrderPlaced', { customerId: 'Customer-7' }))
    .thenRows([
      { order_id: 'Order-1', customer_name: 'Ada' },
      { order_id: 'Order-2', customer_name: 'Ada' },
    ]);
});
