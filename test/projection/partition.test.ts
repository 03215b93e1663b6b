/** Several runners that share the work of one projection, on real stores. */
import { describe, expect, it } from 'vitest';
import { isInPart, type Part } from '../../src/domain/parts.js';
import { describeNextStep } from '../../src/output/rebuild-text.js';
import { defineProjection, defineSqlProjection } from '../../src/projection/define/definition.js';
import { defineUpcaster } from '../../src/projection/define/upcaster.js';
import { takeInventory } from '../../src/projection/status/inventory.js';
import { measureLag } from '../../src/projection/status/lag.js';
import { waitForProjections } from '../../src/projection/status/wait.js';
import { planRollback } from '../../src/projection/swap/rollback.js';
import { thisProcess } from '../../src/store/process.js';
import type { Store } from '../../src/store/store.js';
import { verifyStore } from '../../src/verify/verify.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent } from '../support/events.js';
import {
  actualRows,
  expectedRows,
  orderSql,
  orderSummary,
  placeOrders,
  prepare,
  rebuildNow,
  runOnce,
} from './orders.js';

const summary = prepare(orderSummary);
const byStream = prepare(defineSqlProjection({ ...orderSql, partitionBy: 'stream' }));

/** Sums of two accounts, each of which gets events of every stream. */
const accountsOf = defineProjection({
  name: 'accounts',
  version: 1,
  table: { columns: { account: 'text', moves: 'integer', trail: 'text' }, key: 'account' },
  key: ({ data }) => [data.from, data.to],
  on: {
    Moved: (row, { globalPosition }) => ({
      moves: (row?.moves ?? 0) + 1,
      trail: `${row?.trail ?? ''} ${globalPosition}`,
    }),
  },
});
const accounts = prepare(accountsOf);

/** An account that is one part's own. */
function nameIn(part: Part): string {
  const names = Array.from({ length: 100 }, (_, index) => `account-${index}`);
  return names.find((name) => isInPart(JSON.stringify([name]), part)) ?? '';
}

async function faults(store: Store) {
  return (await verifyStore(store, { progress: () => {}, signal: new AbortController().signal })).findings.filter(
    ({ severity }) => severity === 'error',
  );
}

async function positions(store: Store) {
  const checkpoints = await store.projections.checkpoints();
  return checkpoints.map(({ subscriptionId, position }) => [subscriptionId, position]);
}

forEachEngine((engine) => {
  describe('run --partition', () => {
    it('all parts together write the rows of an undivided projection, for tables and sql', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 90, 12);
        for (const index of [1, 2, 3]) {
          const { results } = await runOnce(test.store, [summary, byStream], { part: { index, of: 3 }, batchSize: 7 });
          expect(results).toMatchObject([
            { name: `order_summary#${index}/3`, position: 90, events: 90, error: null },
            { name: `order_sql#${index}/3`, error: null },
          ]);
          if (index < 3) expect(await actualRows(test)).not.toEqual(await expectedRows(test.store));
        }
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect(await actualRows(test, 'order_sql')).toEqual(await expectedRows(test.store));
        expect(await faults(test.store)).toEqual([]);
      });
    });

    it('each row has one writer, and gets its events in order whatever streams they are from', async () => {
      await withTestStore(engine, async (test) => {
        const names = ['ann', 'bob', 'cyd', 'dan', 'eve'];
        const trails = new Map<string, string>();
        for (let index = 0; index < 60; index += 1) {
          const [from = '', to = ''] = [names[index % 5], names[(index * 3 + 1) % 5]];
          const data = JSON.stringify({ from, to });
          await append(test.store, `Till-${index % 4}`, [makeEvent({ type: 'Moved', data })]);
          for (const name of new Set([from, to])) trails.set(name, `${trails.get(name) ?? ''} ${index + 1}`);
        }
        for (const index of [2, 1]) await runOnce(test.store, [accounts], { part: { index, of: 2 }, batchSize: 11 });
        const rows = await test.raw.query('select account, trail from accounts order by account');
        expect(rows.map(({ account, trail }) => [account, trail])).toEqual([...trails].sort());
        expect(await faults(test.store)).toEqual([]);
      });
    });

    it('does not parse the payload of an event for another part', async () => {
      await withTestStore(engine, async (test) => {
        let parsed = 0;
        const up = (data: unknown) => {
          parsed += 1;
          return data;
        };
        const upcasters = [defineUpcaster({ type: 'OrderPlaced', from: 1, to: 2, up })];
        const counted = prepare(defineProjection({ ...orderSummary, upcasters }));
        for (let index = 0; index < 40; index += 1) {
          await append(test.store, `Order-${index}`, [makeEvent({ type: 'OrderPlaced', data: '{"total":1}' })]);
        }
        for (const index of [1, 2, 3, 4]) await runOnce(test.store, [counted], { part: { index, of: 4 } });
        expect(parsed).toBe(40);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('is refused if a row may combine several streams, or a unique index several parts', async () => {
      await withTestStore(engine, async (test) => {
        const seats = prepare(
          defineProjection({
            ...orderSummary,
            name: 'seats',
            table: { ...orderSummary.table, indexes: [{ columns: ['total'], unique: true }] },
          }),
        );
        const { results } = await runOnce(test.store, [prepare(orderSql), seats, summary], {
          part: { index: 1, of: 2 },
        });
        expect(results.map(({ error }) => error?.code)).toEqual(['E_CONFIG', 'E_CONFIG', undefined]);
        expect(results[0]?.error?.why).toContain("partitionBy: 'stream'");
        expect(results[1]?.error?.why).toContain('unique index on total');
        const divided = (await test.store.projections.list()).map(({ name, parts }) => [name, parts]);
        expect(divided).toEqual([['order_summary', 2]]);
      });
    });

    it('continues from one position when the number of parts changes, and when it is undivided', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 40);
        await runOnce(test.store, [summary]);
        await placeOrders(test.store, 30, 10, 40);
        const first = await runOnce(test.store, [summary], { part: { index: 2, of: 3 } });
        expect(first.news[0]).toEqual({ kind: 'divided', projection: 'order_summary', parts: 3 });
        expect(await positions(test.store)).toEqual([
          ['order_summary#1/3', 40],
          ['order_summary#2/3', 70],
          ['order_summary#3/3', 40],
        ]);
        await placeOrders(test.store, 20, 10, 70);
        await runOnce(test.store, [summary], { part: { index: 1, of: 2 } });
        expect(await positions(test.store)).toEqual([
          ['order_summary#1/2', 90],
          ['order_summary#2/2', 70],
        ]);
        const whole = await runOnce(test.store, [summary]);
        expect(whole.news[0]).toEqual({ kind: 'divided', projection: 'order_summary', parts: 1 });
        expect(await positions(test.store)).toEqual([['order_summary', 90]]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect(await faults(test.store)).toEqual([]);
      });
    });

    it('keeps its parts while one of them is running', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 10);
        for (const index of [1, 2]) await runOnce(test.store, [summary], { part: { index, of: 2 } });
        const target = { kind: 'checkpoint', subscriptionId: 'order_summary#2/2' } as const;
        await test.store.projections.acquireLease(target, { owner: 'host:9', process: thisProcess(), ttlMs: 60_000 });
        for (const part of [undefined, { index: 1, of: 3 }]) {
          const { results } = await runOnce(test.store, [summary], { part });
          expect(results[0]?.error).toMatchObject({ code: 'E_LOCK_HELD', exitCode: 5 });
          expect(results[0]?.error?.message).toContain('host:9 is running order_summary#2/2');
        }
        const { results } = await runOnce(test.store, [summary], { part: { index: 1, of: 2 } });
        expect(results).toMatchObject([{ error: null }]);
      });
    });

    it('parks events for its own rows only, and the other parts continue', async () => {
      await withTestStore(engine, async (test) => {
        const upset = prepare(
          defineProjection({
            ...accountsOf,
            on: {
              Moved: (row, { data, globalPosition }) => {
                if (globalPosition === 9 && row?.account === data.from) throw new Error('nine');
                return { moves: (row?.moves ?? 0) + 1, trail: `${row?.trail ?? ''} ${globalPosition}` };
              },
            },
          }),
        );
        const parts = [1, 2].map((index) => ({ index, of: 2 }));
        const [ann, bob] = parts.map((part) => nameIn(part));
        for (let index = 0; index < 20; index += 1) {
          const data = JSON.stringify({ from: ann, to: bob });
          await append(test.store, `Till-${index % 4}`, [makeEvent({ type: 'Moved', data })]);
        }
        const policy = { onError: 'park', retries: 0 } as const;
        for (const part of parts.toReversed()) {
          const { results } = await runOnce(test.store, [upset], { part, policy });
          expect(results).toMatchObject([{ position: 20, error: null }]);
        }
        const parked = await test.raw.query('select projection, global_position from evstore_parked order by 2');
        const own = parked.map(({ projection, global_position }) => [projection, Number(global_position)]);
        expect(own).toEqual([9, 13, 17].map((position) => ['accounts#1/2', position]));
        const rows = await test.raw.query('select account, moves from accounts order by moves');
        expect(rows.map(({ account, moves }) => [account, Number(moves)])).toEqual([
          [ann, 17],
          [bob, 20],
        ]);
        expect(await faults(test.store)).toEqual([]);
      });
    });

    it('verify finds a part that skipped an event', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        const { log } = test.store;
        const blind = Object.assign(Object.create(log), {
          append: log.append.bind(log),
          head: log.head.bind(log),
          find: log.find.bind(log),
          waitForAppend: log.waitForAppend.bind(log),
          readAll: async function* (options: Parameters<typeof log.readAll>[0]) {
            for await (const batch of log.readAll(options)) {
              yield { ...batch, events: batch.events.filter(({ globalPosition }) => globalPosition !== 7) };
            }
          },
        });
        const { projections, schema, scratch, statistics, tables, snapshots, sagas, location, close } = test.store;
        await runOnce(
          { engine, location, projections, schema, scratch, statistics, tables, snapshots, sagas, close, log: blind },
          [summary],
          {
            part: { index: 1, of: 2 },
          },
        );
        await runOnce(test.store, [summary], { part: { index: 2, of: 2 } });
        expect(await faults(test.store)).toMatchObject([
          { kind: 'skipped-events', subject: 'order_summary#1/2', next: 'evstore rebuild order_summary' },
        ]);
        const { results } = await runOnce(test.store, [summary]);
        expect(results[0]?.error).toMatchObject({ code: 'E_UNSAFE_STORE', next: 'evstore verify' });
      });
    });

    it('lag, wait and projections show the parts', async () => {
      await withTestStore(engine, async (test) => {
        const { store } = test;
        await placeOrders(store, 10);
        await runOnce(store, [summary], { part: { index: 1, of: 2 } });
        const names = ['order_summary'];
        const { projections } = await measureLag(store, { names, now: new Date() });
        expect(projections).toMatchObject([
          { name: 'order_summary#1/2', version: 1, status: 'idle', position: 10, lag: 0, stale: false, codeVersion: 1 },
          { name: 'order_summary#2/2', version: 1, status: 'idle', position: 0, lag: 10 },
        ]);
        expect((await measureLag(store, { names: ['order_summary#2/2'], now: new Date() })).projections).toHaveLength(
          1,
        );
        expect(await takeInventory(store, { found: [], failures: [], without: [] })).toMatchObject([
          { name: 'order_summary', position: 0, parts: 2 },
        ]);
        const wait = { store, names, position: 10, timeoutMs: 30, signal: new AbortController().signal };
        expect((await errorOf('E_TIMEOUT', waitForProjections(wait))).message).toContain('order_summary#2/2 is at 0');
        await runOnce(store, [summary], { part: { index: 2, of: 2 } });
        expect(await waitForProjections(wait)).toEqual([{ name: 'order_summary', position: 10 }]);
      });
    });

    it('a rebuild swaps the tables of all parts, and they continue from its position', async () => {
      await withTestStore(engine, async (test) => {
        const { store } = test;
        await placeOrders(store, 30);
        await runOnce(store, [summary], { part: { index: 1, of: 2 } });
        const newer = prepare({ ...orderSummary, version: 2 });
        const report = await rebuildNow(store, newer);
        expect(report).toMatchObject({
          outcome: 'swapped',
          fromVersion: 1,
          toVersion: 2,
          position: 30,
          oldPosition: null,
        });
        expect(describeNextStep(report)).toContain('its parts were at different positions at the swap');
        await errorOf('E_CHECK_FAILED', planRollback(store, 'order_summary', summary));
        expect(await positions(store)).toEqual([
          ['order_summary#1/2', 30],
          ['order_summary#2/2', 30],
        ]);
        await placeOrders(store, 10, 10, 30);
        for (const index of [1, 2]) {
          const { results } = await runOnce(store, [newer], { part: { index, of: 2 } });
          expect(results).toMatchObject([{ error: null, events: 10 }]);
        }
        expect(await actualRows(test)).toEqual(await expectedRows(store));
        expect(await faults(store)).toEqual([]);
      });
    });
  });
});
