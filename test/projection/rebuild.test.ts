/** Rebuild, swap, rollback and abort on real stores, beside runners and writers. */
import { describe, expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import { defineProjection, type Event } from '../../src/projection/define/definition.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import { abortRebuild } from '../../src/projection/journal/drop.js';
import { findUnfinished } from '../../src/projection/journal/find.js';
import { planRebuild } from '../../src/projection/rebuild/plan.js';
import { gatherFacts } from '../../src/projection/rebuild/rebuild.js';
import { runProjections } from '../../src/projection/run/run.js';
import { planRollback, rollBack } from '../../src/projection/swap/rollback.js';
import { swapReady } from '../../src/projection/swap/swap.js';
import type { AppliedBatch, Store } from '../../src/store/store.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvents } from '../support/events.js';
import { type RebuildOptions, rebuildProjection } from '../support/rebuild.js';
import { actualRows, expectedRows, orderSql, orderSummary, placeOrders, prepare, runOnce } from './orders.js';

const first = prepare(orderSummary);
const second = prepare({ ...orderSummary, version: 2 });

function options(store: Store, changes: Partial<RebuildOptions> = {}): RebuildOptions {
  return {
    store,
    projection: second,
    owner: 'host:9',
    mode: 'auto',
    swap: true,
    verify: 'count',
    lockTimeoutMs: 500,
    maxWaitMs: 10_000,
    keepOldMs: 3_600_000,
    signal: new AbortController().signal,
    progress: () => {},
    ...changes,
  };
}

async function versionOf(store: Store): Promise<number | undefined> {
  return (await store.projections.list()).find(({ name }) => name === 'order_summary')?.version;
}

async function rollBackWith(store: Store, code: PreparedProjection | undefined): Promise<void> {
  const plan = await planRollback(store, 'order_summary', code);
  await rollBack(options(store), plan, plan.hasOldCode ? code : undefined);
}

/** Ten events, run by the first version. */
async function startShop({ store }: TestStore, events = 60): Promise<void> {
  await placeOrders(store, events);
  await runOnce(store, [first]);
}

forEachEngine((engine) => {
  describe('rebuild', () => {
    it('continues from the position of the table when the answer to a batch before the swap was lost', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        await rebuildProjection(options(test.store, { swap: false }));
        await placeOrders(test.store, 20, 10, 60);
        let isLost = false;
        const projections = new Proxy(test.store.projections, {
          get: (target, name) => {
            const member = Reflect.get(target, name);
            if (typeof member !== 'function') return member;
            if (name !== 'apply' || isLost) return member.bind(target);
            return async (batch: AppliedBatch) => {
              await target.apply(batch);
              isLost = true;
              throw new EvstoreError('E_CONNECT', 'nobody answered the COMMIT');
            };
          },
        });
        await swapReady(options({ ...test.store, projections }, { maxWaitMs: 3_000 }), second);
        expect(isLost).toBe(true);
        expect(await versionOf(test.store)).toBe(2);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('builds a new version alongside the live table and swaps it in', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        await placeOrders(test.store, 40, 10, 60);
        const phases = new Set<string>();
        const report = await rebuildProjection(
          options(test.store, { batchSize: 7, progress: ({ phase }) => phases.add(phase) }),
        );
        const rows = await expectedRows(test.store);
        const before = (await expectedRows(test.store, 60)).length;
        expect(report).toMatchObject({
          outcome: 'swapped',
          fromVersion: 1,
          toVersion: 2,
          position: 100,
          events: 100,
        });
        expect(report.rows).toEqual({ live: before, rebuilt: rows.length });
        expect([...phases]).toEqual(['create', 'fill', 'catch-up', 'index', 'verify', 'swap']);
        expect(report.steps.map(({ step }) => step)).toEqual([...phases]);
        expect(report.steps.reduce((sum, { events }) => sum + events, 0)).toBe(100);
        expect(await actualRows(test)).toEqual(rows);
        expect(await versionOf(test.store)).toBe(2);
        const { results } = await runOnce(test.store, [second]);
        expect(results).toMatchObject([{ position: 100, events: 0, error: null }]);
      });
    });

    it('rebuilds statements as well, and an unchanged version', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 50);
        const projection = prepare(orderSql);
        await runOnce(test.store, [projection]);
        await test.raw.query('delete from order_sql');
        for (let round = 0; round < 2; round += 1) {
          expect(await rebuildProjection(options(test.store, { projection }))).toMatchObject({ outcome: 'swapped' });
          expect(await actualRows(test, 'order_sql')).toEqual(await expectedRows(test.store));
          const [facts] = await test.store.projections.inspectTables(['order_sql']);
          // SQLite cannot rename an index: it keeps the name it was filled under.
          const name = engine === 'postgres' ? /^order_sql_by_total$/ : /^order_sql\w*_by_total$/;
          expect(facts?.indexes).toContainEqual(expect.stringMatching(name));
        }
        await placeOrders(test.store, 10, 10, 50);
        expect((await runOnce(test.store, [projection])).results).toMatchObject([{ error: null }]);
        expect(await actualRows(test, 'order_sql')).toEqual(await expectedRows(test.store));
      });
    });

    it('builds the first table of a projection that never ran; zero events are a success', async () => {
      await withTestStore(engine, async (test) => {
        expect(await rebuildProjection(options(test.store))).toMatchObject({
          outcome: 'swapped',
          position: 0,
          events: 0,
        });
        await placeOrders(test.store, 20);
        await rebuildProjection(options(test.store));
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('keeps an interrupted rebuild, and resumes it', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test, 100);
        const live = await actualRows(test);
        const stopping = new AbortController();
        const progress = ({ events }: { events: number }) => events >= 30 && stopping.abort();
        const interrupted = await rebuildProjection(
          options(test.store, { batchSize: 10, signal: stopping.signal, progress }),
        );
        expect(interrupted).toMatchObject({ outcome: 'interrupted', position: 30 });
        expect(await actualRows(test)).toEqual(live);
        const plan = planRebuild(await gatherFacts(test.store, second), 'auto');
        expect(plan).toMatchObject({ action: 'resume', from: 30 });
        const resumed = await rebuildProjection(options(test.store, { mode: 'resume' }));
        expect(resumed).toMatchObject({ outcome: 'swapped', rebuild: interrupted.rebuild, events: 70 });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('W16: refuses other code, naming both ways; restarts when told', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        await rebuildProjection(options(test.store, { swap: false }));
        const other = prepare(
          defineProjection({ ...orderSummary, version: 2, on: { OrderPlaced: () => ({ events: 7 }) } }),
        );
        const error = await errorOf('E_LOCK_HELD', rebuildProjection(options(test.store, { projection: other })));
        expect(error.next).toBe('evstore rebuild order_summary --restart');
        expect(error.why).toContain('evstore abort order_summary');
        await errorOf('E_STALE_PROJECTION', swapReady(options(test.store), other));
        const report = await rebuildProjection(options(test.store, { projection: other, mode: 'restart' }));
        expect(report.outcome).toBe('swapped');
        expect((await actualRows(test)).every(({ events }) => events === 7)).toBe(true);
      });
    });

    it('--resume with nothing to resume is not found', async () => {
      await withTestStore(engine, async (test) => {
        const error = await errorOf('E_NOT_FOUND', rebuildProjection(options(test.store, { mode: 'resume' })));
        expect(error.exitCode).toBe(6);
      });
    });

    it('W17: the second is refused with the build', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        let refused: Promise<unknown> | undefined;
        const report = await rebuildProjection(
          options(test.store, {
            batchSize: 5,
            progress: () => {
              refused ??= errorOf('E_LOCK_HELD', rebuildProjection(options(test.store, { owner: 'host:8' })));
            },
          }),
        );
        expect(report.outcome).toBe('swapped');
        expect(await refused).toMatchObject({ details: { rebuild: report.rebuild, owner: 'host:9' } });
      });
    });

    it('--no-swap stops when it is ready; swap applies the events since', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        expect(await rebuildProjection(options(test.store, { swap: false }))).toMatchObject({ outcome: 'ready' });
        expect(await versionOf(test.store)).toBe(1);
        await placeOrders(test.store, 30, 10, 60);
        expect(await swapReady(options(test.store), second)).toMatchObject({ state: 'swapped' });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        await errorOf('E_NOT_FOUND', swapReady(options(test.store), second));
      });
    });

    it('--max-diff refuses the swap when the numbers of rows differ by more', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        await test.raw.query("delete from order_summary where order_id in ('Order-1', 'Order-2')");
        const live = await actualRows(test);
        const error = await errorOf('E_CHECK_FAILED', rebuildProjection(options(test.store, { maxDiff: 1 })));
        expect(error).toMatchObject({ exitCode: 1, next: 'evstore diff order_summary', details: { difference: 2 } });
        expect(await actualRows(test)).toEqual(live);
        expect(await rebuildProjection(options(test.store, { maxDiff: 2 }))).toMatchObject({ outcome: 'swapped' });
      });
    });

    it('a handler that throws leaves the live table unchanged, and the rebuild can be aborted', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        const live = await actualRows(test);
        const broken = prepare({
          ...orderSummary,
          version: 2,
          on: {
            OrderPlaced: (_row: unknown, { data }: Event) => {
              if (data.total === 25) throw new Error('no');
              return {};
            },
          },
        });
        await errorOf('E_HANDLER', rebuildProjection(options(test.store, { projection: broken, batchSize: 10 })));
        expect(await actualRows(test)).toEqual(live);
        const unfinished = await findUnfinished(test.store, 'order_summary');
        expect(unfinished).toMatchObject({ state: 'filling', position: 25 });
        if (unfinished !== undefined) await abortRebuild({ ...options(test.store), code: undefined }, unfinished);
        expect(await findUnfinished(test.store, 'order_summary')).toBeUndefined();
        expect(await rebuildProjection(options(test.store))).toMatchObject({ outcome: 'swapped' });
      });
    });

    it('reports writers that are as fast as it is, and finishes when they pause', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test, 10);
        const { log } = test.store;
        let rounds = 0;
        const busy = Object.create(test.store, {
          log: {
            value: {
              find: log.find.bind(log),
              readAll: log.readAll.bind(log),
              waitForAppend: log.waitForAppend.bind(log),
              head: async () => {
                rounds += 1;
                if (rounds <= 6) {
                  await append(
                    test.store,
                    'Order-1',
                    makeEvents(1_200, () => ({ data: '{"total":1}' })),
                  );
                }
                return log.head();
              },
            },
          },
        }) as Store;
        const phases: string[] = [];
        const report = await rebuildProjection(options(busy, { progress: ({ phase }) => phases.push(phase) }));
        expect(report.outcome).toBe('swapped');
        expect(phases).toContain('outrun');
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('a live table of a different history is refused until its checkpoint is reset', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test, 20);
        await test.raw.query('update subscription_checkpoints set last_position = 99');
        const error = await errorOf('E_DIVERGED', rebuildProjection(options(test.store)));
        expect(error.next).toBe('evstore checkpoints reset order_summary --execute && evstore rebuild order_summary');
        await test.store.projections.setCheckpoint('order_summary', 0);
        expect(await rebuildProjection(options(test.store))).toMatchObject({ outcome: 'swapped', position: 20 });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('W11: a runner and a writer go on, and no event is lost or doubled', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        const stopping = new AbortController();
        const kinds: string[] = [];
        const same = prepare(orderSummary);
        const running = runProjections({
          store: await test.open(),
          projections: [same],
          owner: 'host:1',
          once: false,
          ttlMs: 900,
          signal: stopping.signal,
          report: ({ kind }) => kinds.push(kind),
        });
        const writer = placeOrders(await test.open(), 300, 10, 60);
        for (let round = 0; round < 5; round += 1) {
          const report = await rebuildProjection(options(test.store, { projection: same, batchSize: 50 }));
          expect(report.outcome).toBe('swapped');
        }
        await writer;
        await runOnce(test.store, [same], { owner: 'host:2', ttlMs: 900 });
        stopping.abort();
        await running;
        expect(kinds).toContain('superseded');
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });
  });

  describe('rollback', () => {
    it('W12: catches the old table up when its code is loaded', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        await rebuildProjection(options(test.store, { projection: first }));
        await placeOrders(test.store, 50, 10, 60);
        await runOnce(test.store, [first]);
        const plan = await planRollback(test.store, 'order_summary', first);
        expect(plan).toMatchObject({ hasOldCode: true, oldPosition: 60, livePosition: 110 });
        await rollBackWith(test.store, first);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect((await runOnce(test.store, [first])).results).toMatchObject([{ position: 110, events: 0, error: null }]);
      });
    });

    it('without the old code readers go back to the position of the old table', async () => {
      await withTestStore(engine, async (test) => {
        await startShop(test);
        await rebuildProjection(options(test.store));
        await placeOrders(test.store, 50, 10, 60);
        await runOnce(test.store, [second]);
        expect(await planRollback(test.store, 'order_summary', second)).toMatchObject({
          hasOldCode: false,
          oldVersion: 1,
        });
        await rollBackWith(test.store, second);
        expect(await versionOf(test.store)).toBe(1);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store, 60));
        expect((await runOnce(test.store, [first])).results).toMatchObject([
          { position: 110, events: 50, error: null },
        ]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('can be swapped in again, and is not found when there was no swap', async () => {
      await withTestStore(engine, async (test) => {
        await errorOf('E_NOT_FOUND', planRollback(test.store, 'order_summary', first));
        await startShop(test);
        await rebuildProjection(options(test.store));
        await rollBackWith(test.store, first);
        await placeOrders(test.store, 10, 10, 60);
        expect(await swapReady(options(test.store), second)).toMatchObject({ state: 'swapped' });
        expect(await versionOf(test.store)).toBe(2);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });
  });
});

describe('W2: a reader that keeps the table open', () => {
  it('gives up at the deadline with the live table intact, and names the command to run next', async () => {
    await withTestStore('postgres', async (test) => {
      await startShop(test);
      const live = await actualRows(test);
      const reader = await test.connect();
      await reader.query('begin');
      await reader.query('select count(*) from order_summary');
      const wait = { lockTimeoutMs: 100, maxWaitMs: 600 };
      const error = await errorOf('E_TIMEOUT', rebuildProjection(options(test.store, wait)));
      expect(error).toMatchObject({ exitCode: 7, next: 'evstore swap order_summary' });
      await reader.query('commit');
      expect(await actualRows(test)).toEqual(live);
      expect(await versionOf(test.store)).toBe(1);
      expect(await swapReady(options(test.store, wait), second)).toMatchObject({ state: 'swapped' });
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    });
  });
});
