/** Several rebuilds in one pass over the log. */
import { describe, expect, it } from 'vitest';
import type { EventBatch } from '../../src/domain/event.js';
import { defineProjection } from '../../src/projection/define/definition.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import { findUnfinished } from '../../src/projection/journal/find.js';
import { planRebuilds, rebuildPlanned } from '../../src/projection/rebuild/rebuild.js';
import type { RebuildReport, RebuildSettings } from '../../src/projection/rebuild/rebuilding.js';
import type { AppliedBatch, ReadAllOptions, Store } from '../../src/store/store.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { actualRows, expectedRows, orderSql, orderSummary, placeOrders, prepare, runOnce } from './orders.js';

allowMoreTime('one case reads the log once for each of several paces');

const summary = prepare(orderSummary);
const statements = prepare(orderSql);
const removed = prepare(
  defineProjection({
    name: 'removed',
    version: 1,
    table: { columns: { orderId: 'text', times: 'integer' }, key: 'orderId' },
    on: { OrderRemoved: (row) => ({ times: (row?.times ?? 0) + 1 }) },
  }),
);

const lost = prepare(
  defineProjection({
    name: 'lost',
    version: 1,
    table: { columns: { orderId: 'text' }, key: 'orderId' },
    on: { OrderLost: () => ({}) },
  }),
);

/** Fails on the order of that total. */
function failingAt(total: number, name = 'failing'): PreparedProjection {
  return prepare(
    defineProjection({
      ...orderSummary,
      name,
      table: { ...orderSummary.table, name },
      on: {
        OrderPlaced: (_row, { data }) => {
          if (data.total === total) throw new Error(`no ${total}`);
          return {};
        },
      },
    }),
  );
}

async function rebuildAll(
  store: Store,
  projections: readonly PreparedProjection[],
  changes: Partial<RebuildSettings> = {},
): Promise<readonly RebuildReport[]> {
  return rebuildPlanned(
    {
      store,
      owner: 'host:9',
      swap: true,
      verify: 'count',
      lockTimeoutMs: 500,
      maxWaitMs: 10_000,
      keepOldMs: 3_600_000,
      signal: new AbortController().signal,
      progress: () => {},
      ...changes,
    },
    await planRebuilds(store, projections, 'auto'),
  );
}

interface Asked {
  readonly store: Store;
  /** Position → how often the store gave the event. */
  readonly given: Map<number, number>;
  readonly asked: ReadAllOptions[];
}

/** A store that counts what it is asked for. */
function counting(store: Store): Asked {
  const given = new Map<number, number>();
  const asked: ReadAllOptions[] = [];
  async function* count(batches: AsyncIterable<EventBatch>): AsyncGenerator<EventBatch> {
    for await (const batch of batches) {
      for (const { globalPosition } of batch.events) given.set(globalPosition, (given.get(globalPosition) ?? 0) + 1);
      yield batch;
    }
  }
  const log = new Proxy(store.log, {
    get: (target, name) => {
      if (name === 'readAll') {
        return (options: ReadAllOptions) => {
          asked.push(options);
          return count(target.readAll(options));
        };
      }
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { store: Object.create(store, { log: { value: log } }) as Store, given, asked };
}

async function timesRemoved({ raw }: TestStore): Promise<number> {
  const [row] = await raw.query('select coalesce(sum(times), 0) as times from removed');
  return Number(row?.times);
}

forEachEngine((engine) => {
  describe('a shared pass', () => {
    it('reads each event once for all rebuilds, at any batch size', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 400);
        for (const batchSize of [undefined, 7]) {
          const { store, given, asked } = counting(test.store);
          const reports = await rebuildAll(store, [summary, statements, removed], { batchSize });
          expect(reports.map(({ outcome, position }) => ({ outcome, position }))).toEqual(
            Array(3).fill({ outcome: 'swapped', position: 400 }),
          );
          expect([...given]).toEqual(Array.from({ length: 400 }, (_, index) => [index + 1, 1]));
          expect(asked[0]).toMatchObject({ after: 0, types: ['OrderPlaced', 'OrderRemoved'] });
          expect(await actualRows(test)).toEqual(await expectedRows(test.store));
          expect(await actualRows(test, 'order_sql')).toEqual(await expectedRows(test.store));
          expect(await timesRemoved(test)).toBe(36);
          expect(reports.map(({ events }) => events)).toEqual([400, 400, 36]);
        }
      });
    });

    it('writes nothing for batches without an event of a rebuild, but all end at the same position', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 9);
        await append(test.store, 'Order-1', [makeEvent({ type: 'OrderRemoved' })]);
        await placeOrders(test.store, 100, 10, 22);
        const moves = new Map<string, number[]>();
        const projections = new Proxy(test.store.projections, {
          get: (target, name) => {
            const member = Reflect.get(target, name);
            if (typeof member !== 'function') return member;
            if (name !== 'apply') return member.bind(target);
            return (batch: AppliedBatch) => {
              const { changes } = batch;
              const table = changes.kind === 'rows' ? changes.table.replace(/__.*/, '') : '';
              moves.set(table, [...(moves.get(table) ?? []), batch.to]);
              return target.apply(batch);
            };
          },
        });
        const store = Object.create(test.store, { projections: { value: projections } }) as Store;
        expect(await rebuildAll(store, [summary, removed, lost], { batchSize: 1 })).toMatchObject([
          { outcome: 'swapped', position: 110 },
          { outcome: 'swapped', position: 110 },
          { outcome: 'swapped', position: 110 },
        ]);
        expect(moves.get('order_summary')).toHaveLength(110);
        // Where something is for it, after twenty without, and at the end.
        expect(moves.get('removed')).toEqual([10, 21, 32, 43, 54, 65, 76, 87, 98, 109, 110]);
        expect(moves.get('lost')).toEqual([20, 40, 60, 80, 100, 110]);
        expect(await timesRemoved(test)).toBe(10);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('drops a rebuild that fails, with its error, and continues with the others', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 120);
        const early = failingAt(25, 'early');
        const late = failingAt(90, 'late');
        const [first, second, third, fourth] = await rebuildAll(test.store, [early, summary, late, removed], {
          batchSize: 10,
        });
        expect(first).toMatchObject({ outcome: 'failed', position: 25, error: { code: 'E_HANDLER' } });
        expect(first?.steps.map(({ step }) => step)).toEqual(['create', 'fill']);
        expect(third).toMatchObject({ outcome: 'failed', position: 90, error: { code: 'E_HANDLER' } });
        expect([second, fourth]).toMatchObject([{ outcome: 'swapped' }, { outcome: 'swapped' }]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect(await timesRemoved(test)).toBe(10);
        // What failed is not held: it can be gone on with at once.
        expect(await findUnfinished(test.store, 'early')).toMatchObject({
          state: 'filling',
          position: 25,
          owner: null,
        });
      });
    });

    it('continues with the others when another process takes over one', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 100);
        let taken: Promise<unknown> | undefined;
        const take = async () => {
          const unfinished = await findUnfinished(test.store, 'removed');
          const target = { kind: 'rebuild', id: unfinished?.id ?? 0 } as const;
          await test.store.projections.acquireLease(target, { owner: 'host:8', ttlMs: 60_000, steal: true });
        };
        const projections = new Proxy(test.store.projections, {
          get: (target, name) => {
            const member = Reflect.get(target, name);
            if (typeof member !== 'function') return member;
            if (name !== 'apply') return member.bind(target);
            return async (...args: unknown[]) => {
              taken ??= take();
              await taken;
              return member.apply(target, args);
            };
          },
        });
        const store = Object.create(test.store, { projections: { value: projections } }) as Store;
        const reports = await rebuildAll(store, [removed, summary], { batchSize: 10 });
        expect(reports).toMatchObject([
          { outcome: 'failed', error: { code: 'E_SUPERSEDED' } },
          { outcome: 'swapped', error: null },
        ]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect(await findUnfinished(test.store, 'removed')).toMatchObject({ owner: 'host:8', position: 0 });
      });
    });

    it('begins at the lowest position, and the others join when it reaches theirs', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 100);
        const stopAt = (events: number) => {
          const stopping = new AbortController();
          const progress: RebuildSettings['progress'] = (each) => each.events >= events && stopping.abort();
          return { signal: stopping.signal, progress, batchSize: 10 };
        };
        expect(await rebuildAll(test.store, [summary], stopAt(70))).toMatchObject([
          { outcome: 'interrupted', position: 70, resumedFrom: null },
        ]);
        expect(await rebuildAll(test.store, [statements], stopAt(30))).toMatchObject([
          { outcome: 'interrupted', position: 30 },
        ]);
        const { store, given, asked } = counting(test.store);
        const reports = await rebuildAll(store, [summary, removed, statements], { batchSize: 10 });
        expect(reports).toMatchObject([
          { outcome: 'swapped', resumedFrom: 70, events: 30 },
          { outcome: 'swapped', resumedFrom: null, events: 9 },
          { outcome: 'swapped', resumedFrom: 30, events: 70 },
        ]);
        // Up to 30 there is only one to read for, and it wants the removed ones.
        expect(asked[0]).toMatchObject({ after: 0, to: 30, types: ['OrderRemoved'] });
        expect(asked[1]).toMatchObject({ after: 30, to: 70 });
        expect([...given.keys()]).toEqual([11, 22, ...Array.from({ length: 70 }, (_, index) => 31 + index)]);
        expect(new Set(given.values())).toEqual(new Set([1]));
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect(await actualRows(test, 'order_sql')).toEqual(await expectedRows(test.store));
        expect(await timesRemoved(test)).toBe(9);
      });
    });

    it('fails all rebuilds when the log cannot be read, and keeps what is filled', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        const log = new Proxy(test.store.log, {
          get: (target, name) => {
            if (name === 'readAll') {
              return async function* (options: ReadAllOptions) {
                for await (const batch of target.readAll(options)) {
                  if (batch.upTo > 30) throw new Error('gone');
                  yield batch;
                }
              };
            }
            const member = Reflect.get(target, name);
            return typeof member === 'function' ? member.bind(target) : member;
          },
        });
        const store = Object.create(test.store, { log: { value: log } }) as Store;
        const reports = await rebuildAll(store, [summary, removed], { batchSize: 10 });
        expect(reports).toMatchObject(Array(2).fill({ outcome: 'failed', position: 30, error: { code: 'E_BUG' } }));
        expect(await rebuildAll(test.store, [summary, removed])).toMatchObject([
          { outcome: 'swapped', resumedFrom: 30 },
          { outcome: 'swapped', resumedFrom: 30 },
        ]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('passes a live table that lags, and swaps no table before it has caught up', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30);
        await runOnce(test.store, [summary]);
        await placeOrders(test.store, 50, 10, 30);
        await runOnce(test.store, [removed]);
        await append(test.store, 'Order-1', [makeEvent({ type: 'OrderPlaced', data: '{"total":1}' })]);
        const { store, given } = counting(test.store);
        expect(await rebuildAll(store, [summary, removed])).toMatchObject([
          { outcome: 'swapped', position: 81 },
          { outcome: 'swapped', position: 81 },
        ]);
        expect(Math.max(...[...given].filter(([position]) => position <= 80).map(([, times]) => times))).toBe(1);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('an empty store and no projection are fast successes', async () => {
      await withTestStore(engine, async (test) => {
        expect(await rebuildAll(test.store, [summary, removed])).toMatchObject([
          { outcome: 'swapped', position: 0, events: 0 },
          { outcome: 'swapped', position: 0, events: 0 },
        ]);
        expect(await rebuildAll(test.store, [])).toEqual([]);
      });
    });
  });
});
