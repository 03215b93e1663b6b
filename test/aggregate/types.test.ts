/** What the compiler knows of an aggregate: `tsc` checks this file, and the marked lines must not compile. */
import { expectTypeOf, test } from 'vitest';
import { type Aggregate, defineAggregate } from '../../src/aggregate/definition.js';
import type { EventStore } from '../../src/library/event-store.js';
import { type OrderCommand, type OrderState, order } from './orders.js';

const base = { name: 'order', category: 'Order', version: 1 };
const { initial } = order;

test('state, command and types come from the definition', () => {
  expectTypeOf(order).toEqualTypeOf<Aggregate<OrderState, OrderCommand, 'LineAdded' | 'OrderShipped'>>();
  const counter = defineAggregate({ ...base, initial: () => ({ n: 0 }), evolve: { A: ({ n }) => ({ n: n + 1 }) } });
  expectTypeOf(counter).toEqualTypeOf<Aggregate<{ n: number }, never, 'A'>>();
  const any: readonly Aggregate[] = [order, counter];
  expectTypeOf(any).toEqualTypeOf<readonly Aggregate[]>();
});

test('a program gets the state of its aggregate, and handles its commands only', () => {
  const use = async (store: EventStore) => {
    expectTypeOf((await store.load(order, '1')).state).toEqualTypeOf<OrderState>();
    await store.handle(order, '1', { kind: 'ship' });
    // @ts-expect-error no such command
    await store.handle(order, '1', { kind: 'lose' });
    const counter = defineAggregate({ ...base, initial: () => ({ n: 0 }), evolve: { A: (state) => state } });
    expectTypeOf((await store.load(counter, '1')).state).toEqualTypeOf<{ n: number }>();
    // @ts-expect-error without a decide there are no commands
    await store.handle(counter, '1', {});
  };
  expectTypeOf(use).toBeFunction();
});

test('a wrong state, a missing member and an event that evolve does not know do not compile', () => {
  // @ts-expect-error no such status
  defineAggregate({ ...base, initial, evolve: { A: (state) => ({ ...state, status: 'lost' }) } });
  // @ts-expect-error members are missing
  defineAggregate({ ...base, initial, evolve: { A: () => ({ status: 'open' }) } });
  const evolve = { LineAdded: (state: OrderState) => state };
  // @ts-expect-error misspelt
  defineAggregate({ ...base, initial, evolve, decide: () => ({ type: 'LineAddedd', data: {} }) });
  // @ts-expect-error async
  defineAggregate({ ...base, initial, evolve, decide: async () => [] });
  defineAggregate({ ...base, initial, evolve: { '*': (state) => state }, decide: () => ({ type: 'Any', data: {} }) });
});
