/** Events that wait to be written with those after them: the rows are written once, and faults are dealt with as ever. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineProjection } from '../../src/projection/define/definition.js';
import { loadFile } from '../../src/projection/define/load.js';
import type { AppliedBatch, ReadAllOptions, Store } from '../../src/store/store.js';
import { verifyStore } from '../../src/verify/verify.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { makeEvent } from '../support/events.js';
import { rebuildProjection } from '../support/rebuild.js';
import { actualRows, expectedRows, orderSummary, placeOrders, prepare, runOnce } from './orders.js';

const summary = prepare(orderSummary);
const park = { policy: { onError: 'park', retries: 0 } } as const;

/** What is written of rows, a batch each. */
function watchRows(store: Store) {
  const written: { readonly inserts: number; readonly upserts: number; readonly deletes: number }[] = [];
  const projections = new Proxy(store.projections, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'apply') return typeof value === 'function' ? value.bind(target) : value;
      return async (batch: AppliedBatch) => {
        await target.apply(batch);
        if (batch.changes.kind !== 'rows') return;
        const { inserts = [], upserts, deletes } = batch.changes;
        written.push({ inserts: inserts.length, upserts: upserts.length, deletes: deletes.length });
      };
    },
  });
  return { store: { ...store, projections } as Store, written };
}

/** More than one batch of them. */
async function importOrders(store: Store, count: number, streams: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    ...makeEvent({ type: 'OrderPlaced', data: `{"total":${index}}` }),
    streamId: `Order-${index % streams}`,
  }));
  await store.log.importEvents(events, { conflict: 'fail' });
}

/** A projection whose rows the database does not take together: one order has the total of another. */
function refusing(order: number, meanwhile = () => {}) {
  return prepare(
    defineProjection({
      ...orderSummary,
      table: { ...orderSummary.table, indexes: [{ columns: ['total'], unique: true }] },
      on: {
        OrderPlaced: (_row, { data }) => {
          meanwhile();
          return { events: 1, total: data.total === order ? 42 : data.total };
        },
      },
    }),
  );
}

/** A safe head that is back at a position when what has been read is first asked for again. */
function goBack(store: Store, position: number) {
  const again: ReadAllOptions[] = [];
  let reached = 0;
  async function* readAll(options: ReadAllOptions) {
    const isAgain = (options.after ?? 0) < reached;
    if (isAgain) again.push(options);
    const asked = isAgain && again.length === 1 ? { ...options, to: position } : options;
    for await (const batch of store.log.readAll(asked)) {
      reached = Math.max(reached, batch.upTo);
      yield batch;
    }
  }
  const log = new Proxy(store.log, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name === 'readAll') return readAll;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { store: { ...store, log } as Store, again };
}

async function expectVerified({ store }: TestStore): Promise<void> {
  const { findings } = await verifyStore(store, { progress: () => {}, signal: new AbortController().signal });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
}

function rebuild(store: Store, projection = summary, parallel = 1) {
  return rebuildProjection({
    ...{ store, projection, owner: 'rebuild:1', mode: 'auto', swap: true, verify: 'count' },
    ...{ lockTimeoutMs: 1_000, maxWaitMs: 20_000, keepOldMs: 60_000, parallel, ...park },
    signal: new AbortController().signal,
    progress: () => {},
  });
}

// Nothing is to be written because a machine was slow.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

forEachEngine((engine) => {
  describe('rows that wait to be written', () => {
    it('are written once for each key, however many events and batches changed them', async () => {
      await withTestStore(engine, async (test) => {
        await importOrders(test.store, 3_500, 20);
        const { store, written } = watchRows(test.store);
        await rebuild(store);
        expect(written.filter(({ inserts }) => inserts > 0)).toEqual([{ inserts: 20, upserts: 0, deletes: 0 }]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await expectVerified(test);
      });
    });

    it('are written once by a runner that is far behind, and never inserted where a row may exist', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30, 10);
        await runOnce(test.store, [summary]);
        await importOrders(test.store, 2_500, 12);
        const { store, written } = watchRows(test.store);
        await runOnce(store, [summary]);
        expect(written).toEqual([{ inserts: 0, upserts: 12, deletes: 0 }]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await expectVerified(test);
      });
    });

    it('do not wait when a batch size is set', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 25, 5);
        const { store, written } = watchRows(test.store);
        await runOnce(store, [summary], { batchSize: 10 });
        expect(written.length).toBe(3);
      });
    });

    it('are folded again when the database refuses one of them, even if the safe head is lower by then', async () => {
      await withTestStore(engine, async (test) => {
        await importOrders(test.store, 2_400, 2_400);
        const { store, again } = goBack(test.store, 1_500);
        const { results } = await runOnce(store, [refusing(1_777)], park);
        expect(again.length).toBeGreaterThan(1);
        expect(results).toMatchObject([{ position: 2_400, events: 2_399, aside: 1, error: null }]);
        expect(await test.store.projections.parked()).toMatchObject([{ globalPosition: 1_778, state: 'parked' }]);
        expect((await actualRows(test)).length).toBe(2_399);
        await expectVerified(test);
      });
    });

    it('are folded again completely before later events are folded', async () => {
      await withTestStore(engine, async (test) => {
        await importOrders(test.store, 5_000, 5_000);
        const { store, again } = goBack(test.store, 1_500);
        // A slow handler: batches are due before the log ends, so more of it is on its way when the refusal is met.
        const { results } = await runOnce(store, [refusing(777, () => vi.advanceTimersByTime(1))], park);
        expect(again.length).toBeGreaterThan(1);
        expect(again[0]?.to).toBeLessThan(5_000);
        expect(results).toMatchObject([{ position: 5_000, events: 4_999, aside: 1, error: null }]);
        expect(await test.store.projections.parked()).toMatchObject([{ globalPosition: 778, state: 'parked' }]);
        expect((await actualRows(test)).length).toBe(4_999);
        await expectVerified(test);
      });
    });

    it('are dropped by threads too when a later event fails', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'evstore-held-'));
      const file = join(folder, 'summary.mjs');
      const table = JSON.stringify(orderSummary.table);
      writeFileSync(
        file,
        `export default { name: 'order_summary', version: 1, category: 'Order', table: ${table}, on: {
          OrderPlaced: (row, { data }) => {
            if (data.total === 2050) throw new Error('no');
            return { events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + data.total };
          },
        } };`,
      );
      try {
        await withTestStore(engine, async (test) => {
          await importOrders(test.store, 2_400, 30);
          const [projection = summary] = await loadFile(file);
          const report = await rebuild(test.store, projection, 2);
          const parked = await test.store.projections.parked();
          expect(parked.map(({ globalPosition }) => globalPosition)).toEqual(
            Array.from({ length: 12 }, (_, index) => 2_051 + 30 * index),
          );
          expect(report).toMatchObject({ outcome: 'swapped', events: 2_388, aside: 12 });
          const expected = (await expectedRows(test.store)).filter(({ order_id }) => order_id !== 'Order-10');
          expect((await actualRows(test)).filter(({ order_id }) => order_id !== 'Order-10')).toEqual(expected);
          expect((await actualRows(test)).find(({ order_id }) => order_id === 'Order-10')).toMatchObject({
            events: 68,
          });
          await expectVerified(test);
        });
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
});
