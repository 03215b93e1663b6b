import { given, sagaScenario } from 'evstore/testing';
import { expect, test } from 'vitest';
import orderFulfilment from './order-fulfilment.js';

test('the steps run in order', async () => {
  const outcome = await sagaScenario(orderFulfilment)
    .given(given('Order-1', 'OrderPlaced', { total: 4200 }))
    .run();
  expect(outcome.phase).toBe('completed');
  expect(outcome.appended.map(({ type }) => type)).toEqual(['StockReserved', 'CustomerCharged', 'ShipmentBooked']);
});

test('if the shipment cannot be booked, the steps before it are undone, last first', async () => {
  const outcome = await sagaScenario(orderFulfilment)
    .given(given('Order-1', 'OrderPlaced', { total: 4200 }))
    .failing('book-shipment', 'no courier')
    .run();
  expect(outcome.phase).toBe('compensated');
  expect(outcome.compensated).toEqual(['charge-customer', 'reserve-stock']);
  expect(outcome.appended.at(-2)).toMatchObject({ type: 'CustomerRefunded', data: { amount: 4200 } });
});

test('a charge whose answer is lost is refunded', async () => {
  const outcome = await sagaScenario(orderFulfilment)
    .given(given('Order-1', 'OrderPlaced', { total: 4200 }))
    .unknown('charge-customer')
    .run();
  expect(outcome.compensated).toEqual(['charge-customer', 'reserve-stock']);
  expect(outcome.appended.at(-2)).toMatchObject({ type: 'CustomerRefunded', data: { amount: 4200 } });
});

test('a total over the credit limit is not charged', async () => {
  const outcome = await sagaScenario(orderFulfilment)
    .given(given('Order-1', 'OrderPlaced', { total: 100_001 }))
    .run();
  expect(outcome).toMatchObject({ phase: 'compensated', reason: 'charge-customer: over the credit limit' });
  expect(outcome.appended.map(({ type }) => type)).toEqual(['StockReserved', 'StockReleased']);
});

test('if the reservation keeps failing, it is released: it may have taken effect', async () => {
  const outcome = await sagaScenario(orderFulfilment)
    .given(given('Order-1', 'OrderPlaced', { total: 4200 }))
    .failing('reserve-stock')
    .run();
  expect(outcome).toMatchObject({ phase: 'compensated', compensated: ['reserve-stock'] });
});
