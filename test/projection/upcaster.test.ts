import { expect, test } from 'vitest';
import { defineProjection, defineSaga, defineUpcaster, openStore } from '../../src/index.js';
import { hashCode } from '../../src/projection/define/code-hash.js';
import { findShapeFaults } from '../../src/projection/define/shape.js';
import { findUpcasterFaults } from '../../src/projection/define/upcaster.js';
import { given, projectionScenario, sagaScenario } from '../../src/testing.js';

const upcasters = [
  defineUpcaster({
    type: 'OrderPlaced',
    from: 2,
    to: 4,
    up: ({ total, ...rest }) => ({ ...rest, cents: total * 100 }),
  }),
  defineUpcaster({ type: 'OrderPlaced', from: 1, to: 2, up: ({ amount }) => ({ total: amount, currency: 'EUR' }) }),
];

const projection = defineProjection({
  name: 'orders',
  version: 1,
  upcasters,
  table: { columns: { orderId: 'text', cents: 'integer', shape: 'integer' }, key: 'orderId' },
  on: { OrderPlaced: (_row, { data, schemaVersion }) => ({ cents: data.cents, shape: schemaVersion }) },
});

test('an event goes through every upcaster from its schema version on', async () => {
  await projectionScenario(projection)
    .given(
      given('Order-1', 'OrderPlaced', { amount: 3 }),
      given('Order-2', 'OrderPlaced', { total: 5 }, { schemaVersion: 2 }),
      given('Order-3', 'OrderPlaced', { cents: 7 }, { schemaVersion: 4 }),
    )
    .thenRows([
      { orderId: 'Order-1', cents: 300, shape: 4 },
      { orderId: 'Order-2', cents: 500, shape: 4 },
      { orderId: 'Order-3', cents: 7, shape: 4 },
    ]);
});

test('programs read upcast events on request, and the log stays unchanged', async () => {
  const store = await openStore('sqlite::memory:', { create: true, upcasters });
  try {
    await store.append('Order-1', { type: 'OrderPlaced', data: { amount: 3 } });
    for await (const { data } of store.readStream('Order-1')) expect(data).toEqual({ currency: 'EUR', cents: 300 });
  } finally {
    await store.close();
  }
});

test('a saga gets its trigger upcast', async () => {
  const seen: unknown[] = [];
  const saga = defineSaga({
    name: 'shipping',
    version: 1,
    startOn: 'OrderPlaced',
    upcasters,
    steps: [{ name: 'ship', action: ({ trigger }) => void seen.push(trigger.data) }],
  });
  await sagaScenario(saga)
    .given(given('Order-1', 'OrderPlaced', { amount: 3 }))
    .run();
  expect(seen).toEqual([{ currency: 'EUR', cents: 300 }]);
});

test('other upcasters change the code hash', () => {
  expect(hashCode(projection)).not.toBe(hashCode({ ...projection, upcasters: upcasters.slice(1) }));
  expect(hashCode({ ...projection, upcasters: [] })).toBe(hashCode({ ...projection, upcasters: undefined } as never));
});

test('an invalid upcaster is named with its fault', () => {
  const up = (data: unknown) => data;
  expect(findShapeFaults(projection)).toEqual([]);
  expect(findShapeFaults({ ...projection, upcasters: 'x' })).toEqual([expect.stringContaining('takes a list')]);
  expect(findUpcasterFaults([{ type: 'A', from: 1, to: 2 }])[0]).toContain('{ type, from, to, up }');
  expect(findUpcasterFaults([null])[0]).toContain('{ type, from, to, up }');
  expect(findUpcasterFaults([{ type: 'A', from: 2, to: 2, up }])[0]).toContain('from 2 to 2');
  expect(
    findUpcasterFaults([
      { type: 'A', from: 1, to: 2, up },
      { type: 'A', from: 1, to: 3, up },
    ])[0],
  ).toContain('twice');
});
