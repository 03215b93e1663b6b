/** `store.handle`: load → decide → append, and decide again when another writer was faster. */
import { expect, test, vi } from 'vitest';
import { defineAggregate } from '../../src/aggregate/definition.js';
import { handleCommand } from '../../src/aggregate/handle.js';
import { SnapshotKeeper } from '../../src/aggregate/keep-snapshot.js';
import { prepareAggregate } from '../../src/aggregate/prepare.js';
import { newEventId } from '../../src/domain/uuid.js';
import { openStore } from '../../src/library/event-store.js';
import { defineProjection } from '../../src/projection/define/definition.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, errorOf, failureOf, makeEvent, readStream } from '../support/events.js';
import { OrderRefused, order, place } from './orders.js';

type OpenStore = Awaited<ReturnType<typeof openStore>>;

async function withStore(test: TestStore, work: (store: OpenStore) => Promise<unknown>): Promise<void> {
  const store = await openStore(test.url);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

/** The warnings of evstore meanwhile. */
async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    await work();
    return emit.mock.calls.map(([warning]) => String(warning));
  } finally {
    emit.mockRestore();
  }
}

/** A counter whose state cannot be a snapshot. */
const clock = defineAggregate({
  ...{ name: 'clock', category: 'Clock', version: 1 },
  initial: () => ({ at: new Date(0) }),
  evolve: { Ticked: (_state, { createdAt }) => ({ at: new Date(createdAt) }) },
  decide: (_state, _command: 'tick') => ({ type: 'Ticked', data: {} }),
  snapshot: { every: 1 },
});

forEachEngine((engine) => {
  test('what was decided is appended at the version that was loaded, with correlation and causation', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        const causationId = newEventId();
        const first = await store.handle(order, '1', place(3), { correlationId: 'c-1', causationId, streamType: 'O' });
        expect(first).toEqual({
          streamId: 'Order-1',
          version: 1,
          globalPosition: 1,
          events: [{ id: expect.any(String), version: 1, globalPosition: 1 }],
          deduplicated: false,
          decisions: 1,
        });
        await store.handle(order, '1', { kind: 'ship' });
        const [placed, shipped] = await readStream(test.store, 'Order-1');
        expect(placed).toMatchObject({ type: 'LineAdded', streamType: 'O', data: '{"sku":"sku-3","price":3,"at":0}' });
        expect(JSON.parse(placed?.metadata ?? '')).toEqual({ correlationId: 'c-1', causationId });
        expect(shipped).toMatchObject({ type: 'OrderShipped', version: 2, streamType: 'Order' });
      }),
    ));

  test('an empty decision appends nothing, and what decide throws is thrown as it is', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        const nothing = { streamId: 'Order-1', version: 0, globalPosition: null, events: [], deduplicated: false };
        expect(await store.handle(order, '1', { kind: 'look' })).toEqual({ ...nothing, decisions: 1 });
        await store.handle(order, '1', { kind: 'ship' });
        const refused = await failureOf(store.handle(order, '1', place(1)));
        expect(refused).toBeInstanceOf(OrderRefused);
        expect(refused?.message).toBe('shipped at version 1');
        for (const none of [null, undefined]) {
          const lazy = { ...order, decide: () => none };
          expect(await store.handle(lazy, '1', { kind: 'look' })).toMatchObject({ version: 1, events: [] });
        }
        expect(await readStream(test.store, 'Order-1')).toHaveLength(1);
      }),
    ));

  test('eight writers on one stream: each decision is taken exactly once, on the state that it saw', () =>
    withTestStore(engine, async (test) => {
      const [writers, each] = [8, 12];
      let decisions = 0;
      const work = async (writer: number) => {
        const store = await openStore(test.url);
        for (let turn = 0; turn < each; turn += 1) {
          const result = await store.handle(order, '1', place(writer * 1000 + turn), { attempts: 1000 });
          decisions += result.decisions;
        }
        await store.close();
      };
      await Promise.all(Array.from({ length: writers }, (_, writer) => work(writer)));
      const events = await readStream(test.store, 'Order-1');
      const told = events.map(({ data }) => JSON.parse(data) as { price: number; at: number });
      // The version that the decision saw is that of the event before it.
      expect(told.map(({ at }) => at)).toEqual(events.map(({ version }) => version - 1));
      expect(new Set(told.map(({ price }) => price)).size).toBe(writers * each);
      expect(events).toHaveLength(writers * each);
      for (let writer = 0; writer < writers; writer += 1) {
        const own = told.map(({ price }) => price).filter((price) => Math.floor(price / 1000) === writer);
        expect(own).toEqual(own.toSorted((a, b) => a - b));
      }
      expect(decisions).toBeGreaterThan(writers * each);
      await withStore(test, async (store) => {
        const { snapshot: _, ...plain } = order;
        expect(await store.load(order, '1')).toStrictEqual(await store.load(plain, '1'));
      });
    }));

  test('a rival that is faster each time: decided again with new ids, and in the end the conflict', () =>
    withTestStore(engine, async (test) => {
      const { store } = test;
      const ids: string[] = [];
      const rivals = async (streamId: string, _events: readonly unknown[], version: number) => {
        await append(store, streamId, [makeEvent({ type: 'LineAdded', data: '{"sku":"r","price":1}' })]);
        ids.push(newEventId());
        return store.log.append(streamId, [makeEvent({ id: ids.at(-1) as string, type: 'OrderShipped' })], version);
      };
      const keeper = new SnapshotKeeper(store, () => {});
      const request = { store, aggregate: prepareAggregate(order), id: '1', command: { kind: 'ship' }, keeper };
      const late = await errorOf('E_VERSION_CONFLICT', handleCommand({ ...request, attempts: 3, append: rivals }));
      expect(late.details).toMatchObject({ decisions: 3, expected: 2, actual: 3 });
      expect(late.why).toContain('decided 3 times');
      expect(ids).toHaveLength(3);
      expect((await readStream(store, 'Order-1')).map(({ type }) => type)).toEqual(Array(3).fill('LineAdded'));
    }));

  test('inline rows are written with the events', () =>
    withTestStore(engine, async (test) => {
      const totals = defineProjection({
        ...{ name: 'totals', version: 1, mode: 'inline' },
        table: { columns: { orderId: 'text', total: 'integer' }, key: 'orderId' },
        on: { LineAdded: (row, { data }) => ({ total: (row?.total ?? 0) + data.price }) },
      });
      const store = await openStore(test.url, { projections: [totals] });
      await store.handle(order, '1', place(3));
      await store.handle(order, '1', place(4));
      expect(await test.raw.query('select order_id, total from totals')).toEqual([{ order_id: 'Order-1', total: 7 }]);
      await store.close();
    }));

  test('a state that JSON would change is not stored, and that is said once', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        const warnings = await warningsOf(async () => {
          for (let turn = 0; turn < 3; turn += 1) await store.handle(clock, '1', 'tick');
        });
        expect(warnings).toEqual([
          'the state of clock cannot be a snapshot: it has a Date at at, which JSON does not keep as it is; its events are read instead',
        ]);
        expect(await test.store.snapshots.list()).toEqual([]);
        expect((await store.load(clock, '1')).state.at).toBeInstanceOf(Date);
      }),
    ));

  test('a snapshot that cannot be written does not fail the command, and that is said once', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        await test.raw.query('alter table snapshots rename column code_hash to gone');
        const kept = defineAggregate({ ...order, snapshot: { every: 1 } });
        const failed = await failureOf(store.handle(kept, '1', place(1)));
        expect(failed, 'a load that cannot look for a snapshot fails').toBeDefined();
        await test.raw.query('alter table snapshots rename column gone to code_hash');
        const refuse =
          engine === 'postgres'
            ? "alter table snapshots add constraint never check (aggregate <> 'order')"
            : "create trigger never before insert on snapshots begin select raise(abort, 'never'); end";
        await test.raw.query(refuse);
        const warnings = await warningsOf(async () => {
          for (let turn = 0; turn < 4; turn += 1) await store.handle(kept, '1', place(turn));
        });
        expect(warnings).toEqual([expect.stringContaining('the snapshot of Order-1 was not stored')]);
        expect((await store.load(kept, '1')).version).toBe(4);
      }),
    ));

  test('the snapshot of another program stays, and that is said once', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        await test.raw.query("insert into snapshots (stream_id, snapshot_data, version) values ('Order-1', '{}', 1)");
        const kept = defineAggregate({ ...order, snapshot: { every: 1 } });
        const warnings = await warningsOf(async () => {
          for (let turn = 0; turn < 4; turn += 1) await store.handle(kept, '1', place(turn));
        });
        expect(warnings).toEqual([expect.stringContaining('another program keeps the snapshot of Order-1')]);
        expect(await test.store.snapshots.find('Order-1')).toMatchObject({ version: 1, origin: null, data: '{}' });
      }),
    ));

  test('a decision that is no events, or comes from no decide, is refused before anything is written', () =>
    withTestStore(engine, (test) =>
      withStore(test, async (store) => {
        const deciding = (decide: unknown) => store.handle({ ...order, decide } as typeof order, '1', place(1));
        await errorOf(
          'E_HANDLER',
          deciding(async () => []),
        );
        await errorOf(
          'E_HANDLER',
          deciding(() => 'LineAdded'),
        );
        await errorOf('E_CONFIG', deciding(undefined));
        expect(
          (
            await errorOf(
              'E_INVALID_INPUT',
              deciding(() => [{ data: {} }]),
            )
          ).message,
        ).toBe('decision[0].type is missing');
        await errorOf(
          'E_INVALID_INPUT',
          deciding(() => ({ type: 'LineAdded', data: { at: Number.NaN } })),
        );
        await errorOf('E_INVALID_INPUT', store.handle(order, '1', place(1), { attempts: 0 }));
        expect(await readStream(test.store, 'Order-1')).toEqual([]);
      }),
    ));
});
