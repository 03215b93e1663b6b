/** `aggregateScenario` of `evstore/testing`. */
import { AssertionError } from 'node:assert';
import { expect, test } from 'vitest';
import { defineAggregate } from '../../src/aggregate/definition.js';
import { aggregateScenario, given } from '../../src/testing.js';
import { OrderRefused, order, place } from './orders.js';

const added = given('Order-7', 'LineAdded', { sku: 'a', price: 3 });
const shipped = given('Order-7', 'OrderShipped', {});

test('given, when, then: events, states and refusals', () => {
  const scenario = aggregateScenario(order);
  scenario.thenState({ status: 'new', total: 0, lines: [], seen: [] });
  const open = scenario.given(added);
  open.thenState({ status: 'open', total: 3, lines: [{ sku: 'a', price: 3 }], seen: [1] });
  open.when(place(4)).thenEvents([{ type: 'LineAdded', data: { sku: 'sku-4', price: 4, at: 1 } }]);
  open.when({ kind: 'ship' }).thenEvents([{ type: 'OrderShipped' }]);
  open.when({ kind: 'look' }).thenEvents([]);
  open.when({ kind: 'ship' }).thenState({ status: 'shipped', total: 3, lines: [{ sku: 'a', price: 3 }], seen: [1, 2] });
  const over = open.given(shipped).when(place(1));
  for (const expected of [undefined, OrderRefused, 'at version 2', /^shipped/]) over.thenThrows(expected);
});

test('a difference is an AssertionError', () => {
  const open = aggregateScenario(order).given(added);
  const wrong = [
    () => open.when(place(4)).thenEvents([]),
    () => open.when(place(4)).thenEvents([{ type: 'LineAdded', data: { sku: 'sku-4', price: 5, at: 1 } }]),
    () => open.when({ kind: 'look' }).thenEvents([{ type: 'OrderShipped' }]),
    () => open.when({ kind: 'look' }).thenThrows(),
    () => open.given(shipped).when(place(1)).thenThrows(/lost/),
    () => open.given(shipped).when(place(1)).thenThrows(TypeError),
    () => open.thenState({ status: 'open', total: 4, lines: [], seen: [] }),
  ];
  for (const assertion of wrong) expect(assertion).toThrow(AssertionError);
  expect(() => open.given(shipped).when(place(1)).thenEvents([])).toThrow(OrderRefused);
});

test('a state that cannot be a snapshot fails, and so do events of another stream', () => {
  const clock = defineAggregate({
    ...{ name: 'clock', category: 'Clock', version: 1, snapshot: { every: 10 } },
    initial: () => ({ at: new Date(0) }),
    evolve: { Ticked: (state) => state },
  });
  expect(() => aggregateScenario(clock).thenState({ at: new Date(0) })).toThrow('it has a Date at at');
  expect(() => aggregateScenario(order).given(given('Basket-1', 'LineAdded', {}))).toThrow(TypeError);
  expect(() => aggregateScenario(order).given(added, given('Order-8', 'LineAdded', {}))).toThrow(TypeError);
});
