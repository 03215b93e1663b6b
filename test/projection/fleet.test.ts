/** What a fleet of runners meets: programs of two versions at once, and projections that are in each other's company. */
import { describe, expect, it } from 'vitest';
import { defineProjection } from '../../src/projection/define/definition.js';
import { HeadWatch } from '../../src/projection/run/head-watch.js';
import { measureLag } from '../../src/projection/status/lag.js';
import type { EventLog, ProjectionStore, Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { positionOf } from '../support/read-models.js';
import { until } from '../support/wait.js';
import { actualRows, expectedRows, follow, orderSummary, placeOrders, prepare, rebuildNow, runOnce } from './orders.js';

const older = prepare(orderSummary);
const newer = prepare({ ...orderSummary, version: 2 });

/** The store with some methods of its log or its projections replaced. */
function replace(store: Store, log: Partial<EventLog>, projections: Partial<ProjectionStore> = {}): Store {
  const over = <Target extends object>(target: Target, methods: Partial<Target>): Target =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(name in methods ? methods : target, name);
        return typeof value === 'function' && !(name in methods) ? value.bind(target) : value;
      },
    });
  return over(store, {
    log: over(store.log, log),
    projections: over(store.projections, projections),
  } as Partial<Store>);
}

async function lagOf(store: Store, code?: Parameters<typeof measureLag>[1]['code']) {
  return (await measureLag(store, { names: [], now: new Date(), code })).projections[0];
}

forEachEngine((engine) => {
  describe('an upgrade', () => {
    it('newer code waits for its tables, and older code stops when they are swapped in', async () => {
      await withTestStore(engine, async (test) => {
        const { store } = test;
        await placeOrders(store, 30);
        const old = follow(store, [older], { owner: 'old:1' });
        await until(async () => (await positionOf(store, 'order_summary')) === 30);
        const fresh = follow(await test.open(), [newer], { owner: 'new:2' });
        await until(() => fresh.news.length > 0);
        const waiting = { kind: 'waiting', projection: 'order_summary', registered: 1, code: 2 };
        expect(fresh.news).toEqual([waiting]);
        await until(async () => (await lagOf(store))?.stale === true);
        expect(await lagOf(store)).toMatchObject({ status: 'stale', version: 1, codeVersion: 2, owner: 'old:1' });
        await placeOrders(store, 20, 10, 30);
        await until(async () => (await positionOf(store, 'order_summary')) === 50);
        await rebuildNow(await test.open(), newer);
        await placeOrders(store, 20, 10, 50);
        expect(await old.done).toMatchObject([{ error: null, stopped: 'superseded', version: 1 }]);
        const outdated = { kind: 'outdated', projection: 'order_summary', registered: 2, code: 1 };
        expect(old.news.at(-1)).toEqual(outdated);
        await until(() => fresh.news.some(({ kind }) => kind === 'leading'));
        await until(async () => (await positionOf(store, 'order_summary')) === 70);
        expect(fresh.news.filter(({ kind }) => kind === 'waiting')).toHaveLength(1);
        expect(await lagOf(store)).toMatchObject({ status: 'running', stale: false, version: 2, codeVersion: 2 });
        expect(await fresh.stop()).toMatchObject([{ error: null, stopped: null, version: 2 }]);
        expect(await actualRows(test)).toEqual(await expectedRows(store));
      });
    });

    it('refuses to start with older code than the tables, or to run once with newer code', async () => {
      await withTestStore(engine, async ({ store }) => {
        await placeOrders(store, 5);
        await runOnce(store, [older]);
        const { results } = await runOnce(store, [newer]);
        expect(results[0]?.error).toMatchObject({ code: 'E_STALE_PROJECTION', next: 'evstore rebuild order_summary' });
        expect((await lagOf(store))?.stale).toBe(true);
        await rebuildNow(store, newer);
        expect((await follow(store, [older]).done)[0]).toMatchObject({
          stopped: null,
          error: { code: 'E_STALE_PROJECTION', next: 'evstore rollback order_summary' },
        });
      });
    });

    it('does not write tables that are swapped between looking them up and acquiring the lease', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        await runOnce(test.store, [older]);
        await placeOrders(test.store, 20, 10, 20);
        const raced = replace(
          test.store,
          {},
          {
            acquireLease: async (...request) => {
              await test.raw.query('update evstore_projections set version = 2');
              return test.store.projections.acquireLease(...request);
            },
          },
        );
        const { results } = await runOnce(raced, [older]);
        expect(results).toMatchObject([{ stopped: 'superseded', events: 0, error: null }]);
        expect(await positionOf(test.store, 'order_summary')).toBe(20);
        expect((await test.store.projections.checkpoints())[0]?.owner).toBeNull();
      });
    });

    it('lag reports changed code of the same version as stale until a rebuild, or compares the loaded code', async () => {
      await withTestStore(engine, async ({ store }) => {
        await placeOrders(store, 5);
        await runOnce(store, [older]);
        expect(await lagOf(store)).toMatchObject({ status: 'idle', stale: false, codeVersion: 1 });
        const other = prepare({ ...orderSummary, on: { ...orderSummary.on, OrderLost: () => null } });
        expect(await lagOf(store, [other])).toMatchObject({ status: 'stale', stale: true });
        expect(await lagOf(store, [newer])).toMatchObject({ status: 'stale', codeVersion: 2 });
        expect(await lagOf(store, [])).toMatchObject({ status: 'detached', codeVersion: null });
        await runOnce(store, [other]);
        expect(await lagOf(store)).toMatchObject({ status: 'stale', stale: true, codeVersion: 1 });
        await rebuildNow(store, other);
        expect(await lagOf(store)).toMatchObject({ status: 'idle', stale: false });
      });
    });
  });

  describe('projections of one process', () => {
    it('run on while another is slow or fails', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 60);
        const stopping = new AbortController();
        const slow = prepare(
          defineProjection({
            ...orderSummary,
            name: 'slow',
            on: {
              OrderPlaced: () => {
                const end = performance.now() + 40;
                while (performance.now() < end);
                return { events: 1 };
              },
            },
          }),
        );
        const failing = prepare(
          defineProjection({
            ...orderSummary,
            name: 'failing',
            on: {
              OrderPlaced: () => {
                throw new Error('always');
              },
            },
          }),
        );
        const runner = follow(test.store, [slow, failing, older], { batchSize: 50, signal: stopping.signal });
        await until(async () => (await positionOf(test.store, 'order_summary')) === 60);
        expect(await positionOf(test.store, 'slow')).toBeLessThan(60);
        await placeOrders(test.store, 20, 10, 60);
        await until(async () => (await positionOf(test.store, 'order_summary')) === 80);
        stopping.abort();
        const results = await runner.done;
        expect(results.map(({ error }) => error?.code)).toEqual([undefined, 'E_HANDLER', undefined]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('share one poll of the log, however many they are', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 5);
        const polls = new Set<AbortSignal | undefined>();
        let most = 0;
        const counted = replace(test.store, {
          waitForAppend: async (after, options) => {
            polls.add(options.signal);
            most = Math.max(most, [...polls].filter((signal) => signal?.aborted !== true).length);
            return test.store.log.waitForAppend(after, options).finally(() => polls.delete(options.signal));
          },
        });
        const names = Array.from({ length: 20 }, (_, index) => `orders_${index}`);
        const many = names.map((name) => prepare(defineProjection({ ...orderSummary, name })));
        const runner = follow(counted, many);
        const reached = async (position: number) => {
          const checkpoints = await test.store.projections.checkpoints();
          return checkpoints.length === 20 && checkpoints.every((each) => each.position === position);
        };
        await until(() => reached(5));
        await until(() => polls.size > 0);
        await placeOrders(test.store, 5, 10, 5);
        await until(() => reached(10));
        const results = await runner.stop();
        expect(results.every(({ error }) => error === null)).toBe(true);
        expect(most).toBe(1);
      });
    });
  });
});

describe('the shared poll of the head', () => {
  it('serves a waiter with a lower position at once, and ends with the last waiter', async () => {
    let head = 10;
    const polls: { after: number; isOver: boolean }[] = [];
    const log = {
      waitForAppend: async (after: number, { signal }: { signal?: AbortSignal }) => {
        const poll = { after, isOver: false };
        polls.push(poll);
        await until(() => head > after || signal?.aborted === true);
        poll.isOver = true;
        return head;
      },
    } as unknown as EventLog;
    const watch = new HeadWatch(log);
    const stopping = new AbortController();
    const options = { timeoutMs: 60_000, signal: stopping.signal };
    const far = watch.wait(10, options);
    await watch.wait(9, options);
    expect(polls.map(({ after }) => after)).toEqual([10, 9, 10].slice(0, polls.length));
    head = 11;
    await far;
    const last = watch.wait(11, options);
    stopping.abort();
    await last;
    await until(() => polls.every(({ isOver }) => isOver));
  });

  it('rejects for every waiter when it fails', async () => {
    const log = { waitForAppend: () => Promise.reject(new Error('gone')) } as unknown as EventLog;
    const watch = new HeadWatch(log);
    const options = { timeoutMs: 1_000, signal: new AbortController().signal };
    const waits = await Promise.allSettled([watch.wait(1, options), watch.wait(2, options)]);
    expect(waits.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
