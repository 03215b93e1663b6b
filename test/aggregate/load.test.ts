/** `store.load`: a state that begins at a snapshot is the state of all events, or the snapshot is not used. */
import { describe, expect, test } from 'vitest';
import { defineAggregate } from '../../src/aggregate/definition.js';
import { newEventId } from '../../src/domain/uuid.js';
import { type EventStore, openStore } from '../../src/library/event-store.js';
import { defineUpcaster } from '../../src/projection/define/upcaster.js';
import type { NewSnapshot, Snapshot } from '../../src/store/store.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { errorOf, failureOf } from '../support/events.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { tamper } from '../support/tamper.js';
import { type OrderState, order, place } from './orders.js';

/** How many events the aggregate folded. */
function counting(changes: Partial<typeof order> = {}): { aggregate: typeof order; read: () => number } {
  let events = 0;
  const evolve = Object.fromEntries(
    Object.entries({ ...order.evolve, ...changes.evolve }).map(([type, handle]) => [
      type,
      (state: OrderState, event: never) => {
        events += 1;
        return handle(state, event);
      },
    ]),
  ) as unknown as typeof order.evolve;
  const read = () => {
    const seen = events;
    events = 0;
    return seen;
  };
  return { aggregate: { ...order, ...changes, evolve }, read };
}

/** The same aggregate without snapshots: it folds all events. */
const { snapshot: _, ...unsnapped } = order;
const plain = defineAggregate(unsnapped);

async function withStore(test: TestStore, work: (store: EventStore) => Promise<void>): Promise<void> {
  const store = await openStore(test.url);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

async function placeMany(store: EventStore, id: string, events: number): Promise<void> {
  for (let price = 1; price <= events; price += 1) await store.handle(order, id, place(price));
}

function toNew({ origin, ...snapshot }: Snapshot): NewSnapshot {
  if (origin === null) throw new Error('a snapshot of another program');
  return { ...snapshot, ...origin };
}

async function snapshotOf({ store }: TestStore, streamId: string): Promise<NewSnapshot> {
  const found = await store.snapshots.find(streamId);
  if (found === undefined) throw new Error(`${streamId} has no snapshot`);
  return toNew(found);
}

forEachEngine((engine) => {
  test('a stream without events has the initial state, a new one each time', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        const first = await store.load(order, '1');
        expect(first).toEqual({ streamId: 'Order-1', state: order.initial(), version: 0 });
        expect((await store.load(order, '1')).state).not.toBe(first.state);
      }),
    ));

  test('a load begins at the snapshot, reads the events since, and writes nothing', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        await placeMany(store, '1', 13);
        const kept = await snapshotOf(test, 'Order-1');
        expect(kept).toMatchObject({ version: 10, aggregate: 'order', stateVersion: 1, streamType: 'Order' });
        const { aggregate, read } = counting();
        const loaded = await store.load(aggregate, '1');
        expect(read()).toBe(3);
        expect(loaded).toEqual(await store.load(plain, '1'));
        expect(loaded.version).toBe(13);
        for (let turn = 0; turn < 3; turn += 1) await store.load(order, '1');
        expect(await snapshotOf(test, 'Order-1')).toEqual(kept);
      }),
    ));

  test('whatever happens to a snapshot, a load is the fold of all events', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        const seed = freshSeed();
        const { next, below } = makeRandom(seed);
        let made = 0;
        for (let turn = 0; turn < 60; turn += 1) {
          const id = String(below(4));
          const streamId = `Order-${id}`;
          const every = 1 + below(6);
          const aggregate = defineAggregate({ ...order, version: 1 + below(2), snapshot: { every } });
          for (let events = below(8); events > 0; events -= 1) await store.handle(aggregate, id, place(below(100)));
          const found = await test.store.snapshots.find(streamId);
          if (found !== undefined && next() < 0.5) {
            made += 1;
            const other: Partial<NewSnapshot>[] = [
              { data: '{"status":"shipped","total":-1,"lines":[],"seen":[]}', eventId: newEventId() },
              { data: '{}', version: found.version + 1 + below(50) },
              { data: '{}', codeHash: 'other' },
              { data: '{}', aggregate: 'basket' },
              { data: '{}', stateVersion: 3 },
            ];
            const changed = { ...toNew({ ...found, origin: found.origin }), ...other[below(other.length)] };
            await test.store.snapshots.delete([found]);
            await test.store.snapshots.save(changed);
          }
          const loaded = await store.load(aggregate, id);
          expect(loaded, `seed ${seed}, turn ${turn}`).toStrictEqual(await store.load(plain, id));
        }
        expect(made, `seed ${seed}`).toBeGreaterThan(5);
      }),
    ));

  describe('a snapshot is not used', () => {
    const wrong: Record<string, (test: TestStore, kept: NewSnapshot) => Promise<unknown>> = {
      'when its event is not that of the stream': async ({ store }, kept) => {
        await store.snapshots.delete([kept]);
        await store.snapshots.save({ ...kept, data: '{}', eventId: newEventId() });
      },
      'when the event of the stream was changed by force': (test, kept) =>
        tamper(
          test,
          `update events set id = '${newEventId()}' where stream_id = 'Order-1' and version = ${kept.version}`,
        ),
      'when the stream is shorter, as after a restore': (test) =>
        tamper(test, "delete from events where stream_id = 'Order-1' and version > 7"),
      'of another aggregate': ({ raw }) => raw.query("update snapshots set aggregate = 'basket', snapshot_data = '{}'"),
      'of another version of the state': ({ raw }) =>
        raw.query("update snapshots set state_version = 2, snapshot_data = '{}'"),
      'of another definition': ({ raw }) => raw.query("update snapshots set code_hash = 'x', snapshot_data = '{}'"),
      'of another program': ({ raw }) =>
        raw.query(
          "update snapshots set aggregate = null, state_version = null, code_hash = null, event_id = null, snapshot_data = '{}'",
        ),
    };

    test.each(Object.keys(wrong))('%s', (what) =>
      withTestStore(engine, (test) =>
        withStore(test, async (store) => {
          await placeMany(store, '1', 12);
          await wrong[what]?.(test, await snapshotOf(test, 'Order-1'));
          const loaded = await store.load(order, '1');
          expect(loaded).toStrictEqual(await store.load(plain, '1'));
          expect(loaded.state.seen).toEqual(Array.from({ length: loaded.version }, (_, index) => index + 1));
        }),
      ),
    );
  });

  test('code that changed its version, types, category, upcasters, initial state or codeHash folds all events', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        await placeMany(store, '1', 11);
        const add = defineUpcaster({ type: 'OrderShipped', from: 1, to: 2, up: (data) => data });
        const changes: Partial<typeof order>[] = [
          { version: 2 },
          { upcasters: [add] },
          { roundNumbers: true },
          { initial: () => ({ ...order.initial(), total: 100 }) },
          { evolve: { ...order.evolve, OrderLost: (state: OrderState) => state } as typeof order.evolve },
        ];
        for (const change of changes) {
          const { aggregate, read } = counting(change);
          await store.load(aggregate, '1');
          expect(read(), JSON.stringify(change)).toBe(11);
        }
        const [one, same, other] = ['a', 'a', 'b'].map((codeHash) => counting({ codeHash }));
        await store.handle(one?.aggregate as typeof order, '1', place(1));
        for (let turn = 0; turn < 5; turn += 1) await store.handle(one?.aggregate as typeof order, '1', place(1));
        await store.load(same?.aggregate as typeof order, '1');
        expect(same?.read()).toBeLessThan(11);
        await store.load(other?.aggregate as typeof order, '1');
        expect(other?.read()).toBe(17);
        const unchanged = counting();
        await store.load(unchanged.aggregate, '1');
        expect(unchanged.read(), 'a codeHash says nothing where one side has none').toBeLessThan(17);
      }),
    ));

  test('events go through the upcasters of the aggregate, and of the store for other types', () =>
    withTestStore(engine, async (test) => {
      const inCents = defineUpcaster({ type: 'Paid', from: 1, to: 2, up: ({ euros }) => ({ cents: euros * 100 }) });
      const wrong = defineUpcaster({ type: 'Paid', from: 1, to: 3, up: () => ({ cents: -1 }) });
      const named = defineUpcaster({ type: 'Named', from: 1, to: 2, up: ({ name }) => ({ title: name }) });
      const account = defineAggregate({
        ...{ name: 'account', category: 'Account', version: 1, upcasters: [inCents] },
        initial: () => ({ cents: 0, title: '' }),
        evolve: {
          Paid: (state, { data, schemaVersion }) => ({
            ...state,
            cents: state.cents + data.cents * (schemaVersion - 1),
          }),
          Named: (state, { data }) => ({ ...state, title: data.title }),
        },
      });
      const store = await openStore(test.url, { upcasters: [wrong, named] });
      await store.append('Account-1', [
        { type: 'Paid', data: { euros: 3 } },
        { type: 'Paid', data: { cents: 5 }, schemaVersion: 2 },
        { type: 'Named', data: { name: 'Zażółć' } },
      ]);
      expect((await store.load(account, '1')).state).toEqual({ cents: 305, title: 'Zażółć' });
      await store.append('Account-1', { type: 'Paid', data: {}, schemaVersion: 9 });
      await errorOf('E_HANDLER', store.load(account, '1'));
      await store.close();
    }));

  test('a type that evolve does not name leaves the state, and counts as a version; `*` takes it', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        await store.append('Order-1', [
          { type: 'LineAdded', data: { sku: 'a', price: 1 } },
          { type: 'Unknown', data: {} },
          { type: 'constructor', data: {} },
        ]);
        expect(await store.load(order, '1')).toMatchObject({ version: 3, state: { total: 1, seen: [1] } });
        const all = defineAggregate({
          ...{ name: 'all', category: 'Order', version: 1 },
          initial: (): string[] => [],
          evolve: { LineAdded: (state) => [...state, 'line'], '*': (state, { type }) => [...state, type] },
        });
        expect((await store.load(all, '1')).state).toEqual(['line', 'Unknown', 'constructor']);
      }),
    ));

  test('an error names the event that evolve failed on, and what it is to return', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        await store.append('Order-1', [
          { type: 'LineAdded', data: { sku: 'a', price: 1 } },
          { type: 'LineAdded', data: null },
        ]);
        const thrown = await errorOf('E_HANDLER', store.load(order, '1'));
        expect(thrown.message).toBe('aggregate order failed on LineAdded at position 2');
        expect(thrown.why).toMatch(/^evolve\.LineAdded .*TypeError: .* The event is version 2 of Order-1\.$/);
        expect(thrown.details).toMatchObject({ aggregate: 'order', version: 2, streamId: 'Order-1' });
        const makers = {
          'evolve.LineAdded returns the state, not undefined.': () => undefined,
          'evolve.LineAdded returns the state, not a promise: it cannot be async.': async () => ({}),
        };
        for (const [why, LineAdded] of Object.entries(makers)) {
          const broken = { ...order, evolve: { ...order.evolve, LineAdded } } as unknown as typeof order;
          expect((await errorOf('E_HANDLER', store.load(broken, '1'))).why).toContain(why);
        }
      }),
    ));

  test('an id is what follows the category, and what a stream can be named', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        await placeMany(store, 'a-b', 1);
        expect((await store.load(order, 'a-b')).streamId).toBe('Order-a-b');
        for (const id of ['', 'Order-1', 'x'.repeat(300), '\ud800', 7 as unknown as string]) {
          await errorOf('E_INVALID_INPUT', store.load(order, id));
          await errorOf('E_INVALID_INPUT', store.handle(order, id, place(1)));
        }
      }),
    ));
});

test('a wrong definition is refused by name before anything is read', async () => {
  const store = await openStore('sqlite::memory:', { create: true });
  const faults: Record<string, object> = {
    'Its name is': { name: 'Order' },
    'Its category is': { category: 'Order-1' },
    'Its version is': { version: 0 },
    'Its codeHash is': { codeHash: '' },
    'Its upcasters is': { upcasters: {} },
    'Its roundNumbers is': { roundNumbers: 1 },
    'Its initial is': { initial: {} },
    'Its evolve is': { evolve: { LineAdded: 1 } },
    'Its decide is': { decide: 1 },
    'Its snapshot is': { snapshot: { every: 0 } },
    'property snapshots is unknown, and snapshot was probably meant': { snapshot: undefined, snapshots: { every: 1 } },
  };
  for (const [why, change] of Object.entries(faults)) {
    const { snapshot, ...rest } = order;
    const wrong = { ...rest, ...('snapshots' in change ? {} : { snapshot }), ...change };
    if ('snapshots' in change) delete (wrong as { snapshot?: unknown }).snapshot;
    expect((await errorOf('E_CONFIG', store.load(wrong as never, '1'))).why).toContain(why);
  }
  for (const none of [{}, null, 'order', { ...order, kind: 'saga' }]) {
    expect((await failureOf(store.load(none as never, '1')))?.message).toContain('is not an aggregate');
  }
  for (const initial of [
    () => undefined,
    async () => ({}),
    () => {
      throw new Error('not now');
    },
  ]) {
    // biome-ignore format: one line
    await errorOf('E_HANDLER', store.load({ ...order, initial } as never, '1'));
  }
  await store.close();
});
