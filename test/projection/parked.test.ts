/** Events that cannot be handled: found in few transactions, tried again, put aside and brought back, whatever fails. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import type { DataOf } from '../../src/domain/stored-events.js';
import { defineProjection, defineSqlProjection } from '../../src/projection/define/definition.js';
import { sql } from '../../src/projection/define/sql-tag.js';
import { toInlineProjection } from '../../src/projection/fold/deferred-fold.js';
import { retryParked } from '../../src/projection/parked/retry-parked.js';
import type { AppliedBatch, Store } from '../../src/store/store.js';
import { verifyStore } from '../../src/verify/verify.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { runProgram } from '../support/program.js';
import { checkpointOf, positionOf, request, takeLease } from '../support/read-models.js';
import { until } from '../support/wait.js';
import { actualRows, expectedRows, follow, orderSql, orderSummary, placeOrders, prepare, runOnce } from './orders.js';

const summary = prepare(orderSummary);
const park = { policy: { onError: 'park', retries: 0 } } as const;
const skip = { policy: { onError: 'skip', retries: 0 } } as const;

/** `orderSummary` with another handler of OrderPlaced. */
function summaryWith(handle: (data: DataOf<string>) => void) {
  return prepare(
    defineProjection({
      ...orderSummary,
      on: {
        OrderPlaced: (row, event) => {
          handle(event.data);
          return orderSummary.on.OrderPlaced(row, event);
        },
        OrderRemoved: () => null,
      },
    }),
  );
}

const failingOnSeven = summaryWith(({ total }) => {
  if (total === 7) throw new Error('seven');
});

/** Counts the transactions, and may refuse one. */
function watched(store: Store, before: (batch: AppliedBatch) => void = () => {}) {
  const applied: AppliedBatch[] = [];
  const projections = new Proxy(store.projections, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'apply') return typeof value === 'function' ? value.bind(target) : value;
      return async (batch: AppliedBatch) => {
        applied.push(batch);
        before(batch);
        await target.apply(batch);
      };
    },
  });
  return { store: { ...store, log: store.log, schema: store.schema, projections } as Store, applied };
}

async function parkedPositions({ store }: TestStore): Promise<readonly number[]> {
  return (await store.projections.parked({ state: 'parked' })).map(({ globalPosition }) => globalPosition);
}

async function expectVerified({ store }: TestStore): Promise<void> {
  const { findings } = await verifyStore(store, { progress: () => {}, signal: new AbortController().signal });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
}

function retry({ store }: Pick<TestStore, 'store'>, projection = summary, signal = new AbortController().signal) {
  return retryParked({ store, projection, owner: 'retry:1', signal }, { kind: 'all' });
}

forEachEngine((engine) => {
  describe('an event that cannot be handled', () => {
    it('is retried before it is parked', async () => {
      await withTestStore(engine, async (test) => {
        let failures = 2;
        const flaky = summaryWith(({ total }) => {
          if (total === 7 && failures-- > 0) throw new Error('not yet');
        });
        await placeOrders(test.store, 20);
        const { results } = await runOnce(test.store, [flaky], { policy: { onError: 'park', retries: 2 } });
        expect(results).toMatchObject([{ position: 20, events: 20, aside: 0, error: null }]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('stops the run after its retries, with all earlier events applied', async () => {
      await withTestStore(engine, async (test) => {
        let tries = 0;
        const failing = summaryWith(({ total }) => {
          if (total === 7) throw new Error(`try ${++tries}`);
        });
        await placeOrders(test.store, 20);
        const { results } = await runOnce(test.store, [failing], { policy: { onError: 'stop', retries: 2 } });
        expect(results).toMatchObject([{ position: 7, events: 7, error: { code: 'E_HANDLER' } }]);
        expect(results[0]?.error?.why).toContain('try 3');
      });
    });

    it('takes one transaction a batch, even if every event fails', async () => {
      await withTestStore(engine, async (test) => {
        const failing = summaryWith(() => {
          throw new Error('always');
        });
        await placeOrders(test.store, 200, 20);
        const { store, applied } = watched(test.store);
        const { results } = await runOnce(store, [failing], { ...park, batchSize: 100 });
        expect(results).toMatchObject([{ position: 200, error: null }]);
        expect(applied).toHaveLength(2);
        const parked = await test.store.projections.parked();
        expect(new Set(parked.filter(({ error }) => error !== null).map(({ streamId }) => streamId)).size).toBe(20);
        await expectVerified(test);
        expect((await retry(test)).every(({ error }) => error === null)).toBe(true);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect(await parkedPositions(test)).toEqual([]);
      });
    });

    it('is found by halving the batch when the database refuses it, and parked with the rest applied', async () => {
      await withTestStore(engine, async (test) => {
        const strict = prepare(
          defineSqlProjection({
            ...orderSql,
            create: (t) =>
              sql`create table ${t.order_sql} (order_id text primary key, events integer not null, total bigint not null check (total <> 13))`,
            on: {
              ...orderSql.on,
              OrderPlaced: ({ globalPosition, data }, t) =>
                sql`insert into ${t.order_sql} (order_id, events, total) values (${`p${globalPosition}`}, 1, ${data.total})`,
            },
          }),
        );
        await placeOrders(test.store, 60);
        const { store, applied } = watched(test.store);
        const { results } = await runOnce(store, [strict], skip);
        expect(results).toMatchObject([{ position: 60, aside: 1, error: null }]);
        expect(applied.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(60)) + 2);
        const parked = await test.store.projections.parked();
        expect(parked).toMatchObject([{ globalPosition: 14, state: 'skipped', attempts: 1 }]);
        expect(parked[0]?.error).toContain('the database refused what the projection wrote');
        expect(await test.raw.query('select total from order_sql where total = 13')).toEqual([]);
        expect(await test.raw.query('select total from order_sql where total = 59')).toHaveLength(1);
        await expectVerified(test);
      });
    });

    it('takes at most two attempts an event when the database refuses all of them', async () => {
      await withTestStore(engine, async (test) => {
        const refused = prepare(
          defineSqlProjection({
            ...orderSql,
            on: { '*': (_, t) => sql`insert into ${t.order_sql} (order_id) values (null)` },
          }),
        );
        await placeOrders(test.store, 40, 40);
        const { store, applied } = watched(test.store);
        const { results } = await runOnce(store, [refused], park);
        expect(results).toMatchObject([{ position: 40, events: 0, aside: 40, error: null }]);
        expect(applied.length).toBeLessThanOrEqual(2 * 40);
        expect(await parkedPositions(test)).toHaveLength(40);
        await expectVerified(test);
      });
    });

    it('may be one whose upcaster throws', async () => {
      await withTestStore(engine, async (test) => {
        const up = (data: { readonly total: number }) => {
          if (data.total === 3) throw new RangeError('three');
          return data;
        };
        const upcast = prepare(
          defineProjection({ ...orderSummary, upcasters: [{ type: 'OrderPlaced', from: 1, to: 2, up }] }),
        );
        await placeOrders(test.store, 20);
        const { results } = await runOnce(test.store, [upcast], park);
        expect(results).toMatchObject([{ position: 20, aside: 2, error: null }]);
        expect((await test.store.projections.parked())[0]?.error).toContain('RangeError: three');
        expect((await retry(test)).map(({ applied }) => applied)).toEqual([2]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('is not parked when the store fails', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        const full = watched(test.store, () => {
          throw new EvstoreError('E_STORE_FULL', 'the disk of the store is full');
        });
        const { results } = await runOnce(full.store, [summary], park);
        expect(results).toMatchObject([{ position: 0, aside: 0, error: { code: 'E_STORE_FULL' } }]);
        expect(full.applied).toHaveLength(1);
        expect(await test.store.projections.parked()).toEqual([]);
      });
    });

    it('holds back its stream in every later run, whatever its policy is', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        await runOnce(test.store, [failingOnSeven], { ...park, batchSize: 3 });
        expect(await parkedPositions(test)).toEqual([8, 18]);
        await placeOrders(test.store, 10, 10, 20);
        expect((await runOnce(test.store, [summary], skip)).results).toMatchObject([{ events: 9, aside: 1 }]);
        await placeOrders(test.store, 10, 10, 30);
        expect((await runOnce(test.store, [summary])).results).toMatchObject([{ events: 9, aside: 1, error: null }]);
        expect(await parkedPositions(test)).toEqual([8, 18, 28, 38]);
        await retry(test);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });
  });

  describe('a retry', () => {
    it('stops at the first event that fails; later events wait behind it', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 40);
        await runOnce(test.store, [failingOnSeven], park);
        const failingLater = summaryWith(({ total }) => {
          if (total === 27) throw new Error('later');
        });
        const streams = await retry(test, failingLater);
        expect(streams).toMatchObject([{ streamId: 'Order-7', applied: 2, waiting: 2, error: { code: 'E_HANDLER' } }]);
        expect(await test.store.projections.parked()).toMatchObject([
          { globalPosition: 28, attempts: 1, error: expect.stringContaining('later') },
          { globalPosition: 38, attempts: 0, error: null },
        ]);
        await retry(test);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await expectVerified(test);
      });
    });

    it('takes one transaction a stream', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        const failing = summaryWith(({ total }) => {
          if (total === 5 || total === 6) throw new Error('both');
        });
        await runOnce(test.store, [failing], park);
        const { store, applied } = watched(test.store);
        expect(await retry({ store })).toHaveLength(2);
        expect(applied).toHaveLength(2);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('applies each event once when another retry runs at the same time', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 100, 10);
        const failing = summaryWith(({ total }) => {
          if (total < 10) throw new Error('the first of each');
        });
        await runOnce(test.store, [failing], park);
        const stores = await Promise.all([test.open(), test.open(), test.open()]);
        await Promise.allSettled(stores.map((store) => retry({ store })));
        await retry(test).catch(() => {});
        expect(await parkedPositions(test)).toEqual([]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect((await test.store.projections.checkpoints())[0]).toMatchObject({ position: 100, owner: null });
      });
    });

    it('writes nothing when its lease is taken', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 40);
        await runOnce(test.store, [failingOnSeven], park);
        const rows = await actualRows(test);
        const thief = await test.open();
        let isTaken = false;
        const robbed = new Proxy(test.store.log, {
          get: (target, name) => {
            const value: unknown = Reflect.get(target, name);
            if (name !== 'readStream') return typeof value === 'function' ? value.bind(target) : value;
            return async function* (...args: Parameters<typeof target.readStream>) {
              await takeLease(thief, checkpointOf('order_summary'), { ...request, steal: true });
              isTaken = true;
              yield* target.readStream(...args);
            };
          },
        });
        const { projections, schema } = test.store;
        const store = { ...test.store, log: robbed, projections, schema } as Store;
        await expect(retry({ store })).rejects.toMatchObject({ code: 'E_SUPERSEDED' });
        expect(isTaken).toBe(true);
        expect(await actualRows(test)).toEqual(rows);
        expect(await parkedPositions(test)).toEqual([8, 18, 28, 38]);
      });
    });

    it('takes the lease from a runner, which continues afterwards and holds nothing back', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 40);
        await runOnce(test.store, [failingOnSeven], park);
        const runner = follow(test.store, [summary]);
        await until(() => runner.news.some(({ kind }) => kind === 'leading'));
        await placeOrders(test.store, 10, 10, 40);
        await until(async () => (await positionOf(test.store, 'order_summary')) === 50);
        expect(await retry(test)).toMatchObject([{ streamId: 'Order-7', applied: 5 }]);
        await placeOrders(test.store, 30, 10, 50);
        await until(async () => (await positionOf(test.store, 'order_summary')) === 80);
        await runner.stop();
        expect(await parkedPositions(test)).toEqual([]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await expectVerified(test);
      });
    });

    it('applies a stream completely or not at all when it is killed', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'evstore-retry-'));
      mkdirSync(join(folder, 'projections'));
      const { name, version, category, table } = orderSummary;
      const shape = JSON.stringify({ name, version, category, table }).slice(0, -1);
      writeFileSync(
        join(folder, 'projections/order-summary.mjs'),
        `export default ${shape}, on: {
          OrderPlaced: (row, { data }) => {
            const end = performance.now() + 1;
            while (performance.now() < end);
            return { events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + data.total };
          },
          OrderRemoved: () => null } };\n`,
      );
      try {
        await withTestStore(engine, async (test) => {
          await placeOrders(test.store, 300, 30);
          const failing = summaryWith(({ total }) => {
            if (total < 30) throw new Error('the first of each');
          });
          await runOnce(test.store, [failing], park);
          const env = { PATH: process.env.PATH, HOME: folder, EVSTORE_URL: test.url };
          for (let round = 0; round < 3; round += 1) {
            const before = (await parkedPositions(test)).length;
            const program = runProgram('bin/evstore.ts', ['parked', 'retry', 'order_summary'], { cwd: folder, env });
            await until(async () => (await parkedPositions(test)).length < before);
            await program.kill('SIGKILL');
            const waiting = new Set((await test.store.projections.parked()).map(({ streamId }) => streamId));
            const expected = await expectedRows(test.store);
            expect(await actualRows(test)).toEqual(expected.filter((row) => !waiting.has(String(row.order_id))));
            if (waiting.size === 0) break;
          }
          await retry(test).catch(() => {});
          expect(await parkedPositions(test)).toEqual([]);
          expect(await actualRows(test)).toEqual(await expectedRows(test.store));
          await expectVerified(test);
        });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });

  it('inline appends leave a stream with a parked event to the runner', async () => {
    await withTestStore(engine, async (test) => {
      const mended = prepare({ ...orderSummary, mode: 'inline' });
      const failing = prepare({ ...failingOnSeven.definition, mode: 'inline' } as typeof orderSummary);
      const place = async (first: number) => {
        for (let total = first; total < first + 10; total += 1) {
          const events = [makeEvent({ type: 'OrderPlaced', data: `{"total":${total}}` })];
          await test.store.log.append(`Order-${total % 10}`, events, 'any', { inline: [toInlineProjection(mended)] });
        }
      };
      await placeOrders(test.store, 10);
      expect((await runOnce(test.store, [failing], park)).results).toMatchObject([{ position: 10, aside: 1 }]);
      await runOnce(test.store, [mended]);
      await place(10);
      expect((await runOnce(test.store, [mended])).results).toMatchObject([{ position: 20, error: null }]);
      expect(await parkedPositions(test)).toEqual([8, 18]);
      expect(await retry(test, mended)).toMatchObject([{ streamId: 'Order-7', applied: 2, error: null }]);
      await place(20);
      await runOnce(test.store, [mended]);
      expect(await parkedPositions(test)).toEqual([]);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      await expectVerified(test);
    });
  });

  it('a stream that the whole projection and its parts parked is retried in the order of the log', async () => {
    await withTestStore(engine, async (test) => {
      await placeOrders(test.store, 20);
      await runOnce(test.store, [failingOnSeven], park);
      await placeOrders(test.store, 20, 10, 20);
      for (const index of [1, 2]) {
        await runOnce(test.store, [failingOnSeven], { ...park, part: { index, of: 2 } });
      }
      const holders = (await test.store.projections.parked()).map(({ projection }) => projection);
      expect(new Set(holders).size).toBe(2);
      const failing = await retry(test, failingOnSeven);
      expect(failing).toMatchObject([
        { streamId: 'Order-7', applied: 0, waiting: 2, error: { code: 'E_HANDLER' } },
        { streamId: 'Order-7', applied: 0, waiting: 2, error: null },
      ]);
      await retry(test);
      expect(await parkedPositions(test)).toEqual([]);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    });
  });

  it('parts park and retry their own events', async () => {
    await withTestStore(engine, async (test) => {
      await placeOrders(test.store, 60);
      for (const index of [1, 2]) {
        await runOnce(test.store, [failingOnSeven], { ...park, part: { index, of: 2 } });
      }
      expect(await parkedPositions(test)).toEqual([8, 18, 28, 38, 48, 58]);
      const [{ projection = '' } = {}] = await test.store.projections.parked();
      expect(projection).toMatch(/^order_summary#[12]\/2$/);
      expect(await retry(test)).toMatchObject([{ streamId: 'Order-7', applied: 6, error: null }]);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      await expectVerified(test);
    });
  });
});

it('the recorded error fits into a text column of either engine', async () => {
  await withTestStore('postgres', async (test) => {
    const failing = summaryWith(() => {
      throw new Error(`nul \0, half \ud83c, ${'long '.repeat(10_000)}`);
    });
    await append(test.store, 'Order-1', [makeEvent({ type: 'OrderPlaced', data: '{"total":1}' })]);
    expect((await runOnce(test.store, [failing], park)).results).toMatchObject([{ aside: 1, error: null }]);
    expect((await test.store.projections.parked())[0]?.error?.length).toBeLessThanOrEqual(10_000);
  });
});
