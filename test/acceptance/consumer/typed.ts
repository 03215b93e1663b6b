/**
 * A program whose store has been looked at by `types generate`: it knows the data of each type without an import. Compiled
 * by `typed-events.long.test.ts`, next to the generated file. Each comment that expects an error is an error without one.
 */
import {
  defineAggregate,
  defineExternalProjection,
  defineProjection,
  defineSqlProjection,
  defineUpcaster,
  type Event,
  type EventStore,
  openStore,
  sql,
} from 'evstore';
import { given, projectionScenario } from 'evstore/testing';

export const orders = defineProjection({
  name: 'orders',
  version: 1,
  table: { columns: { orderId: 'text', total: 'real', status: 'text' }, key: 'orderId' },
  upcasters: [
    defineUpcaster({
      type: 'OrderPlaced',
      from: 1,
      to: 2,
      up: ({ id, price }) => ({ orderId: id, total: price, status: 'open' }),
    }),
    // @ts-expect-error: version 2 has more fields.
    defineUpcaster({ type: 'OrderPlaced', from: 1, to: 2, up: ({ id }) => ({ orderId: id }) }),
    // @ts-expect-error: version 1 has no field of this name.
    defineUpcaster({ type: 'OrderPlaced', from: 1, to: 3, up: ({ orderId }) => orderId }),
  ],
  on: {
    OrderPlaced: (_row, { data }) => ({ total: data.total, status: data.status }),
    OrderPaid: (row, event) => {
      const amount: number | bigint = event.data.amount;
      const before: number | null | undefined = row?.total;
      // @ts-expect-error: the type has no field of this name.
      return { total: Number(amount) + (before ?? 0), status: event.data.state };
    },
    // @ts-expect-error: a status is no number.
    'order.moved': (_row, { data }) => ({ total: data.status }),
    // A type that is not stored yet.
    OrderShipped: (_row, { data: { status } }) => ({ status }),
    '*': (row, event) => (event.type === 'OrderPlaced' ? { total: event.data.total } : row),
  },
});

export const counts = defineSqlProjection({
  name: 'counts',
  version: 1,
  tables: ['counts'],
  create: (t) => sql`create table ${t.counts} (total integer)`,
  on: { OrderPlaced: ({ data }, t) => sql`insert into ${t.counts} values (${data.total})` },
});

export const search = defineExternalProjection({
  name: 'search',
  version: 1,
  open: () => new Map<string, string>(),
  write: (found, { events }) => {
    for (const event of events) if (event.type === 'OrderPlaced') found.set(event.streamId, event.data.status);
  },
  promote: () => undefined,
  drop: () => undefined,
});

/** A handler may say more than the compiler knows of an undeclared type. */
export const annotated = defineProjection({
  ...{ name: 'annotated', version: 1, table: { columns: { id: 'text', n: 'integer' }, key: 'id' } },
  on: { OrderShipped: (_row, event: Event<'OrderShipped', { readonly n: number }>) => ({ n: event.data.n }) },
});

export const basket = defineAggregate({
  name: 'basket',
  category: 'Order',
  version: 1,
  initial: () => ({ total: 0 }),
  evolve: {
    OrderPlaced: (_state, { data }) => ({ total: data.total }),
    OrderPaid: ({ total }, { data }) => ({ total: total - Number(data.amount) }),
  },
});

export async function work(): Promise<EventStore> {
  const store = await openStore('sqlite::memory:', { create: true });
  await store.load(basket, '1');
  const placed = { orderId: 'a', total: 1, status: 'open' } as const;
  await store.append('Order-1', { type: 'OrderPlaced', data: placed, schemaVersion: 2 });
  await store.append('Order-1', [
    { type: 'OrderPlaced', data: { id: 'a', price: 1 } },
    { type: 'OrderPaid', data: { amount: 2n ** 60n } },
    { type: 'OrderShipped', data: [1], schemaVersion: 7 },
  ]);
  const paid = { type: 'OrderPaid', data: { amount: 'much' } } as const;
  // @ts-expect-error: this is the data of version 2.
  await store.append('Order-2', { type: 'OrderPlaced', data: placed });
  // @ts-expect-error: an amount is a number.
  await store.append('Order-2', [{ type: 'OrderShipped', data: 1 }, paid]);
  // @ts-expect-error: a status is one of few.
  await store.append('Order-2', { type: 'OrderPlaced', data: { ...placed, status: 'lost' }, schemaVersion: 2 });

  for await (const event of store.readStream('Order-1')) read(event);
  for await (const event of store.readAll({ types: ['OrderPaid'] })) read(event);
  for await (const event of store.subscribe({ signal: AbortSignal.abort() })) read(event);
  return store;

  function read(
    event: typeof store extends { readStream(id: string): AsyncIterable<infer Read> } ? Read : never,
  ): string {
    // @ts-expect-error: the type of the event is not known yet.
    void event.data.total;
    switch (event.type) {
      case 'OrderPlaced':
        return event.data.status;
      case 'OrderPaid':
        return String(event.data.amount);
      case 'order.moved':
        return event.data.status;
      default:
        return event.type satisfies string;
    }
  }
}

export const scenario = projectionScenario(orders).given(
  given('Order-1', 'OrderPlaced', { id: 'a', price: 1 }),
  given('Order-1', 'OrderPlaced', { orderId: 'a', total: 1, status: 'open' }, { schemaVersion: 2 }),
  given('Order-1', 'OrderShipped', 'anything'),
  // @ts-expect-error: the amount is missing.
  given('Order-1', 'OrderPaid', {}),
);
