import { expect, test } from 'vitest';
import { defineProjection, defineSaga, defineUpcaster, openStore } from '../../src/index.js';
import { hashCode } from '../../src/projection/define/code-hash.js';
import { findShapeFaults } from '../../src/projection/define/shape.js';
import { findUpcasterFaults } from '../../src/projection/define/upcaster.js';
import { given, projectionScenario, sagaScenario } from '../../src/testing.js';
import { errorOf } from '../support/events.js';

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

test('an event of a version that no upcaster leads from stops the projection, and is named', async () => {
  const gap = [...upcasters, defineUpcaster({ type: 'OrderPlaced', from: 4, to: 5, up: (data) => data })];
  const cases = [
    { schemaVersion: 6, known: 'They read versions 1, 2, 4 and end at version 5.' },
    { schemaVersion: 3, known: 'They read versions 1, 2, 4 and end at version 5.' },
  ];
  for (const { schemaVersion, known } of cases) {
    const events = [given('Order-1', 'OrderPlaced', { cents: 7 }, { schemaVersion })];
    const silent = { ...projection, on: { OrderPlaced: () => ({ cents: 1 }) } };
    for (const each of [projection, silent]) {
      const error = await errorOf(
        'E_HANDLER',
        projectionScenario({ ...each, upcasters: gap })
          .given(...events)
          .rows(),
      );
      expect(error.why).toContain(`no upcaster leads from OrderPlaced of schema version ${schemaVersion}. ${known}`);
    }
    const other = given('Order-1', 'OrderSeen', {}, { schemaVersion });
    const all = { ...projection, upcasters: gap, on: { '*': () => ({ cents: 1 }) } };
    expect(await projectionScenario(all).given(other).rows()).toHaveLength(1);
    const saga = defineSaga({ name: 's', version: 1, startOn: 'OrderPlaced', upcasters: gap });
    const whole = saga.step('a', { action: () => 1 });
    await errorOf(
      'E_HANDLER',
      sagaScenario(whole)
        .given(...events)
        .run(),
    );
    const store = await openStore('sqlite::memory:', { create: true, upcasters: gap });
    await store.append('Order-1', { type: 'OrderPlaced', data: {}, schemaVersion });
    await errorOf('E_HANDLER', store.readAll()[Symbol.asyncIterator]().next());
    await store.close();
  }
});

test('a chain of upcasters that ends below the last version is refused when it is loaded', () => {
  const up = (data: unknown) => data;
  expect(
    findUpcasterFaults([
      { type: 'A', from: 1, to: 2, up },
      { type: 'A', from: 3, to: 4, up },
      { type: 'B', from: 1, to: 2, up },
    ]),
  ).toEqual(['upcasters of A have a gap: none reads version 2, and they end at version 4']);
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
  const saga = defineSaga({ name: 'shipping', version: 1, startOn: 'OrderPlaced', upcasters }).step('ship', {
    action: ({ trigger }) => void seen.push(trigger.data),
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
