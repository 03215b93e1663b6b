import { given, reactionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderFollowUp from './order-follow-up.js';

const first = given('Order-1', 'OrderPlaced', {
  customer: 'ada',
  total: 4200,
});

test('an event leads to another', async () => {
  const { streamId } = first;
  await reactionScenario(orderFollowUp)
    .when(first)
    .thenAppends({ streamId: `FollowUp-${streamId}`, type: 'FollowUpRequested', data: { after: streamId } });
});

test('an event of another type leads to nothing', async () => {
  await reactionScenario(orderFollowUp)
    .when(given('Other-1', 'OfAnotherType', {}))
    .thenAppends();
});
