import { AssertionError } from 'node:assert';
import { expect, test } from 'vitest';
import { defineReaction } from '../../src/reaction/definition.js';
import { given } from '../../src/testing/given.js';
import { reactionScenario } from '../../src/testing/reaction-scenario.js';

const billing = defineReaction({
  name: 'billing',
  on: ['OrderPlaced', 'OrderExtended'],
  category: 'Order',
  react: async (event, { readStream }) => {
    let total = 0;
    for await (const each of readStream(event.streamId)) total += each.data.total;
    if (event.type === 'OrderExtended' && total > 100) return undefined;
    return { streamId: `Invoice-${event.streamId}`, type: 'InvoiceRequested', data: { total }, expectedVersion: 'any' };
  },
});

test('what a reaction appends is compared, with the members that are named', async () => {
  const scenario = reactionScenario(billing)
    .given(given('Order-1', 'OrderPlaced', { total: 10 }))
    .when(given('Order-1', 'OrderExtended', { total: 5 }, { metadata: { correlationId: 'c1' } }));
  await scenario.thenAppends({ streamId: 'Invoice-Order-1', type: 'InvoiceRequested', data: { total: 15 } });
  const [appended] = await scenario.appended();
  expect(appended?.metadata).toMatchObject({ correlationId: 'c1', reaction: 'billing', reactionHops: 1 });
});

test('events of other types and categories append nothing', async () => {
  await reactionScenario(billing)
    .when(given('Order-1', 'OrderPaid', {}), given('Basket-1', 'OrderPlaced', { total: 1 }))
    .thenAppends();
});

test('a difference is an AssertionError', async () => {
  const scenario = reactionScenario(billing).when(given('Order-1', 'OrderPlaced', { total: 1 }));
  await expect(scenario.thenAppends()).rejects.toThrow(AssertionError);
  await expect(scenario.thenAppends({ type: 'InvoiceSent' })).rejects.toThrow(AssertionError);
});

test('what the reaction throws names the event', async () => {
  const broken = defineReaction({
    name: 'broken',
    on: 'OrderPlaced',
    react: () => {
      throw new Error('no price list');
    },
  });
  const scenario = reactionScenario(broken).when(given('Order-1', 'OrderPlaced', {}));
  await expect(scenario.appended()).rejects.toThrow('reaction broken failed on OrderPlaced at position 1');
});
