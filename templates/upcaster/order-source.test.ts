import { defineProjection } from 'evstore';
import { given, projectionScenario } from 'evstore/testing';
import { test } from 'vitest';
import orderSource from './order-source.js';

/** Keeps the data that a handler reads. */
const reader = defineProjection({
  name: 'reader',
  version: 1,
  table: { columns: { streamId: 'text', data: 'json' }, key: 'streamId' },
  upcasters: [orderSource],
  on: { OrderPlaced: (_row, { data }) => ({ data }) },
});

test('an event of version 1 gets what version 1 did not say', async () => {
  await projectionScenario(reader)
    .given(say('Order-1', 'OrderPlaced', { text: 'test' }, { schemaVersion: 1 }))
    .thenRows([{ streamId: 'Order-1', data: { text: 'test', source: 'unknown' } }]);
});

test('an event of version 2 stays as it is', async () => {
  await projectionScenario(reader)
    .given(say('Order-1', 'OrderPlaced', { source: 'import' }, { schemaVersion: 2 }))
    .thenRows([{ streamId: 'Order-1', data: { source: 'import' } }]);
});

/** Makes an event with the data that the upcaster reads; stored events may have more. */
function say(streamId: string, type: string, data: unknown, details: { readonly schemaVersion: number }) {
  return given(streamId, type, data, details);
}
