import { given, sagaScenario } from 'evstore/testing';
import { expect, test } from 'vitest';
import orderSteps from './order-steps.js';

const steps = ['reserve-stock', 'book-shipment'];
const first = given('Order-1', 'OrderPlaced', {
  customer: 'ada',
  total: 4200,
});

test('the steps run one after another', async () => {
  const outcome = await sagaScenario(orderSteps).given(first).run();
  expect(outcome.phase).toBe('completed');
  expect(outcome.completed).toEqual(steps);
});

for (const step of steps) {
  test(`${step} fails, and may have taken effect: it and the steps before it are undone, last first`, async () => {
    const outcome = await sagaScenario(orderSteps).given(first).unknown(step).run();
    expect(outcome.phase).toBe('compensated');
    expect(outcome.compensated).toEqual(steps.slice(0, steps.indexOf(step) + 1).reverse());
  });
}
