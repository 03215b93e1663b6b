/** Runners on real stores: catching up, failing, standing by, being superseded. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import { defineProjection, defineSqlProjection } from '../../src/projection/define/definition.js';
import { sql } from '../../src/projection/define/sql-tag.js';
import { openStoreAt } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { positionOf } from '../support/read-models.js';
import { until } from '../support/wait.js';
import { startWireProxy } from '../support/wire-proxy.js';
import {
  actualRows,
  expectedRows,
  follow as followStore,
  orderSql,
  orderSummary,
  placeOrders,
  prepare,
  runOnce,
} from './orders.js';

const summary = prepare(orderSummary);

function follow(test: TestStore, owner: string, ttlMs = 10_000, projection = summary) {
  return followStore(test.store, [projection], { owner, ttlMs });
}

forEachEngine((engine) => {
  describe('run --once', () => {
    it('fills table and sql projections from the log, with any batch size', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 150);
        const { results } = await runOnce(test.store, [summary, prepare(orderSql)], { batchSize: 7 });
        expect(results).toMatchObject([
          { name: 'order_summary', error: null, events: 150 },
          { name: 'order_sql', error: null, events: 150 },
        ]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect(await actualRows(test, 'order_sql')).toEqual(await expectedRows(test.store));
      });
    });

    it('continues from its checkpoint, and ends at once on an empty store', async () => {
      await withTestStore(engine, async (test) => {
        expect((await runOnce(test.store, [summary])).results).toMatchObject([{ position: 0, events: 0, error: null }]);
        await placeOrders(test.store, 30);
        await runOnce(test.store, [summary]);
        await placeOrders(test.store, 30, 10, 30);
        const { results } = await runOnce(test.store, [summary]);
        expect(results).toMatchObject([{ events: 30, error: null }]);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      });
    });

    it('reports that its table is gone, and keeps the checkpoint', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30);
        await runOnce(test.store, [summary]);
        await placeOrders(test.store, 30, 10, 30);
        await test.raw.query('drop table order_summary');
        const { results } = await runOnce(test.store, [summary]);
        expect(results).toMatchObject([
          { events: 0, error: { code: 'E_NOT_FOUND', details: { table: 'order_summary' } } },
        ]);
        expect(await positionOf(test.store, 'order_summary')).toBe(30);
      });
    });

    it('O22: moves past events that concern it not at all', async () => {
      await withTestStore(engine, async (test) => {
        await append(test.store, 'Stock-1', [makeEvent({ type: 'Counted' })]);
        const { results } = await runOnce(test.store, [summary]);
        expect(results[0]?.position).toBe((await test.store.log.head()).safeHead);
      });
    });
  });

  describe('R5: a handler that throws', () => {
    const poisoned = prepare(
      defineProjection({
        ...orderSummary,
        on: {
          OrderPlaced: (row, { data }) => {
            if (data.total === 13) throw new Error('thirteen');
            return { events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + data.total };
          },
          OrderRemoved: () => null,
        },
      }),
    );

    it('leaves the checkpoint before the event, with all earlier events applied and the error recorded', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30);
        const { results } = await runOnce(test.store, [poisoned]);
        const [result] = results;
        expect(result?.error).toMatchObject({ code: 'E_HANDLER', exitCode: 9 });
        const failedAt = Number(result?.error?.details.globalPosition);
        expect(result?.position).toBe(failedAt - 1);
        expect(result?.error?.message).toBe(`projection order_summary failed on OrderPlaced at position ${failedAt}`);
        expect(result?.error?.why).toMatch(/^on\.OrderPlaced \(.*run\.test\.ts:\d+\): Error: thirteen\./);
        expect(await actualRows(test)).toEqual(await expectedRows(test.store, failedAt - 1));
        const [checkpoint] = await test.store.projections.checkpoints();
        expect(checkpoint).toMatchObject({ position: failedAt - 1, owner: null });
        expect(checkpoint?.lastError).toContain('thirteen');
      });
    });

    it('continues with fixed code, and clears the error', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30);
        await runOnce(test.store, [poisoned]);
        const { news } = await runOnce(test.store, [summary]);
        expect(news).toContainEqual({ kind: 'stale code', projection: 'order_summary' });
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect((await test.store.projections.checkpoints())[0]).toMatchObject({ lastError: null });
      });
    });

    it('does not stop the other projections', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30);
        const { results } = await runOnce(test.store, [poisoned, prepare(orderSql)]);
        expect(results.map(({ error }) => error?.code)).toEqual(['E_HANDLER', undefined]);
        expect(await actualRows(test, 'order_sql')).toEqual(await expectedRows(test.store));
      });
    });

    it('finds the event of a batch that the database refuses', async () => {
      const strict = prepare(
        defineSqlProjection({
          ...orderSql,
          create: (t) =>
            sql`create table ${t.order_sql} (order_id text primary key, events integer, total bigint check (total <> 13))`,
          on: {
            OrderPlaced: ({ globalPosition, data }, t) =>
              sql`insert into ${t.order_sql} (order_id, total) values (${`p${globalPosition}`}, ${data.total})`,
          },
        }),
      );
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 30);
        const [result] = (await runOnce(test.store, [strict])).results;
        expect(result?.error).toMatchObject({ code: 'E_HANDLER' });
        expect(result?.position).toBe(Number(result?.error?.details.globalPosition) - 1);
        expect(await test.raw.query('select total from order_sql where total >= 13')).toEqual([]);
        expect(await test.raw.query('select total from order_sql')).toHaveLength(12);
      });
    });
  });

  it('rows may exchange values of a unique index: such a batch is applied event by event', async () => {
    const seats = prepare(
      defineProjection({
        name: 'seats',
        version: 1,
        table: {
          columns: { guest: 'text', seat: 'integer', noted: 'boolean' },
          key: 'guest',
          indexes: [{ columns: ['seat'], unique: true }],
        },
        on: {
          Seated: (row, { data }) => ({ ...row, seat: data.seat }),
          Noted: (row) => ({ ...row, noted: true }),
        },
      }),
    );
    await withTestStore(engine, async (test) => {
      const seat = (guest: string, type: string, number = 0) =>
        append(test.store, guest, [makeEvent({ type, data: `{"seat":${number}}` })]);
      await seat('ada', 'Seated', 1);
      await runOnce(test.store, [seats]);
      await seat('bob', 'Noted');
      await seat('ada', 'Seated', 2);
      await seat('bob', 'Seated', 1);
      const { results } = await runOnce(test.store, [seats]);
      expect(results).toMatchObject([{ position: 4, error: null }]);
      const rows = await test.raw.query('select guest, seat from seats order by guest');
      expect(rows.map(({ guest, seat: number }) => [guest, Number(number)])).toEqual([
        ['ada', 2],
        ['bob', 1],
      ]);
    });
  });

  describe('R2: two runners', () => {
    it('one leads; the other names its owner and takes over', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        const first = follow(test, 'host:1');
        await until(() => first.news.some(({ kind }) => kind === 'progress'));
        const second = follow(test, 'host:2');
        await until(() => second.news.some(({ kind }) => kind === 'standby'));
        await placeOrders(test.store, 20, 10, 20);
        await until(async () => (await positionOf(test.store, 'order_summary')) === 40);
        expect(second.news.filter(({ kind }) => kind !== 'standby')).toEqual([]);
        expect(second.news).toEqual([{ kind: 'standby', projection: 'order_summary', owner: 'host:1' }]);
        await first.stop();
        await until(() => second.news.some(({ kind }) => kind === 'leading'));
        await placeOrders(test.store, 20, 10, 40);
        await until(async () => (await positionOf(test.store, 'order_summary')) === 60);
        await second.stop();
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
        expect((await test.store.projections.checkpoints())[0]?.owner).toBeNull();
      });
    });

    it('--once waits until the other has reached the end', async () => {
      await withTestStore(engine, async (test) => {
        await placeOrders(test.store, 20);
        const other = follow(test, 'host:1');
        await until(() => other.news.some(({ kind }) => kind === 'progress'));
        const { results, news } = await runOnce(test.store, [summary], { owner: 'host:2' });
        expect(results).toMatchObject([{ position: 20, events: 0, error: null }]);
        expect(news).toEqual([{ kind: 'standby', projection: 'order_summary', owner: 'host:1' }]);
        await other.stop();
      });
    });
  });

  it('R3: a runner whose lease was taken writes nothing and steps back', async () => {
    await withTestStore(engine, async (test) => {
      await placeOrders(test.store, 20);
      const first = follow(test, 'host:1');
      await until(() => first.news.some(({ kind }) => kind === 'progress'));
      const target = { kind: 'checkpoint', subscriptionId: 'order_summary' } as const;
      const answer = await test.store.projections.acquireLease(target, { owner: 'thief', ttlMs: 1_000, steal: true });
      if (answer.held) throw new Error('a stolen lease is had at once');
      await placeOrders(test.store, 5, 10, 20);
      await until(() => first.news.some(({ kind }) => kind === 'superseded'));
      expect(await positionOf(test.store, 'order_summary')).toBe(20);
      expect(await actualRows(test)).toEqual(await expectedRows(test.store, 20));
      await test.store.projections.releaseLease(answer.lease);
      await until(async () => (await positionOf(test.store, 'order_summary')) === 25);
      await first.stop();
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    });
  });

  it('R10: a stop drops the batch under way and gives the lease back', async () => {
    await withTestStore(engine, async (test) => {
      await placeOrders(test.store, 200);
      const stopping = new AbortController();
      let handled = 0;
      const slow = prepare(
        defineProjection({
          ...orderSummary,
          on: {
            OrderPlaced: (row, { data }) => {
              handled += 1;
              if (handled === 20) stopping.abort();
              const end = performance.now() + 3;
              while (performance.now() < end);
              return { events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + data.total };
            },
            OrderRemoved: () => null,
          },
        }),
      );
      const { results } = await runOnce(test.store, [slow], { signal: stopping.signal, once: false });
      expect(results).toMatchObject([{ position: 0, events: 0, error: null }]);
      expect(handled).toBeLessThan(60);
      expect(await actualRows(test)).toEqual([]);
      expect((await test.store.projections.checkpoints())[0]).toMatchObject({ position: 0, owner: null });
    });
  });

  it('refuses a table of another version, and names the command to run', async () => {
    await withTestStore(engine, async (test) => {
      await placeOrders(test.store, 5);
      await runOnce(test.store, [summary]);
      const newer = prepare({ ...orderSummary, version: 2 });
      const { results } = await runOnce(test.store, [newer]);
      expect(results[0]?.error).toMatchObject({ code: 'E_STALE_PROJECTION', next: 'evstore rebuild order_summary' });
    });
  });

  it('R7: refuses a log that ends before the checkpoint, or holds another event there', async () => {
    await withTestStore(engine, async (test) => {
      await placeOrders(test.store, 5);
      await runOnce(test.store, [summary]);
      await test.raw.query(`update subscription_checkpoints set last_position = 99`);
      expect((await runOnce(test.store, [summary])).results[0]?.error).toMatchObject({
        code: 'E_DIVERGED',
        exitCode: 10,
      });
      await test.raw.query(
        `update subscription_checkpoints set last_position = 5, last_event_id = '00000000-0000-4000-8000-000000000000'`,
      );
      expect((await runOnce(test.store, [summary])).results[0]?.error).toMatchObject({ code: 'E_DIVERGED' });
      expect(await actualRows(test)).toEqual(await expectedRows(test.store));
    });
  });
});

describe('a lost connection', () => {
  it('does not end the lease: it is renewed afterwards, and no standby gets it in between', async () => {
    await withTestStore('sqlite', async (test) => {
      await placeOrders(test.store, 10);
      let fails = 2;
      const projections = new Proxy(test.store.projections, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (name === 'apply' && fails-- > 0) return () => Promise.reject(new EvstoreError('E_CONNECT', 'gone'));
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const { results, news } = await runOnce({ ...test.store, projections } as Store, [summary]);
      expect(results).toMatchObject([{ position: 10, events: 10, error: null }]);
      expect(news.map(({ kind }) => kind)).toEqual([
        'leading',
        'disconnected',
        'reconnected',
        'disconnected',
        'reconnected',
        'progress',
      ]);
    });
  });

  it('F2: a warning when it is lost, a note when it is back, and no event is lost or applied twice', async () => {
    await withTestStore('postgres', async (test) => {
      const proxy = await startWireProxy(test.url);
      const store = await openStoreAt(proxy.url);
      try {
        const runner = follow({ ...test, store }, 'host:1', 1_500);
        await placeOrders(test.store, 30);
        await until(async () => (await positionOf(test.store, 'order_summary')) === 30);
        for (let round = 1; round <= 3; round += 1) {
          proxy.isClosed = true;
          proxy.dropAll();
          await placeOrders(test.store, 20, 10, 10 + round * 20);
          await until(() => runner.news.filter(({ kind }) => kind === 'disconnected').length === round);
          await sleep(400);
          proxy.isClosed = false;
          await until(async () => (await positionOf(test.store, 'order_summary')) === 30 + round * 20);
        }
        const kinds = runner.news.map(({ kind }) => kind).filter((kind) => kind !== 'progress');
        expect(kinds.filter((kind) => kind === 'disconnected')).toHaveLength(3);
        expect(kinds.filter((kind) => kind === 'reconnected')).toHaveLength(3);
        expect((await runner.stop())[0]?.error).toBeNull();
        expect(await actualRows(test)).toEqual(await expectedRows(test.store));
      } finally {
        await store.close();
        await proxy.close();
      }
    });
  });
});
