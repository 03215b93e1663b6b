import { given, sagaScenario } from 'evstore/testing';
import { expect, test } from 'vitest';
import orderFulfilment from './order-fulfilment.js';

const first = given('Checkout-1', 'CheckoutStarted', { total: 4200 });

test('the steps run in order', async () => {
  const outcome = await sagaScenario(orderFulfilment).given(first).run();
  expect(outcome.phase).toBe('completed');
  expect(outcome.appended.map(({ type }) => type)).toEqual(['StockReserved', 'CustomerCharged', 'ShipmentBooked']);
});

test('if the shipment cannot be booked, the steps before it are undone, last first', async () => {
  const outcome = await sagaScenario(orderFulfilment).given(first).failing('book-shipment', 'no courier').run();
  expect(outcome.phase).toBe('compensated');
  expect(outcome.compensated).toEqual(['charge-customer', 'reserve-stock']);
  expect(outcome.appended.at(-2)?.type).toBe('CustomerRefunded');
  expect(outcome.appended.at(-2)?.data).toEqual({ amount: 4200 });
});

test('a charge whose answer is lost is refunded', async () => {
  const outcome = await sagaScenario(orderFulfilment).given(first).unknown('charge-customer').run();
  expect(outcome.compensated).toEqual(['charge-customer', 'reserve-stock']);
  expect(outcome.appended.at(-2)?.type).toBe('CustomerRefunded');
  expect(outcome.appended.at(-2)?.data).toEqual({ amount: 4200 });
});

test('a total over the credit limit is not charged', async () => {
  const outcome = await sagaScenario(orderFulfilment)
    .given(given('Checkout-1', 'CheckoutStarted', { total: 100_001 }))
    .run();
  expect(outcome.phase).toBe('compensated');
  expect(outcome.reason).toBe('charge-customer: over the credit limit');
  expect(outcome.appended.map(({ type }) => type)).toEqual(['StockReserved', 'StockReleased']);
});

test('if the reservation keeps failing, it is released: it may have taken effect', async () => {
  const outcome = await sagaScenario(orderFulfilment).given(first).failing('reserve-stock').run();
  expect(outcome.phase).toBe('compensated');
  expect(outcome.compensated).toEqual(['reserve-stock']);
});
