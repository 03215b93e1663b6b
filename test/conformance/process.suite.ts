/** Several processes on one store, killed in the middle. Seeds are printed with what they found. */
import { expect } from 'vitest';
import type { AppendResult } from '../../src/domain/event.js';
import type { TestStore } from '../support/engines.js';
import { append, makeEvents, readAll } from '../support/events.js';
import { checkHistory, History } from '../support/history.js';
import { expectTraces, register, runOnce, tracesOf } from '../support/inline-models.js';
import { freshSeed, makeRandom } from '../support/random.js';
import {
  buildNext,
  checkpointOf,
  expectFold,
  positionOf,
  registration,
  request,
  runToHead,
  startProjection,
  takeLease,
  totals,
} from '../support/read-models.js';
import { until } from '../support/wait.js';
import { spawnWorker } from '../support/workers/spawn.js';
import { suite } from './suite.js';

const traces = tracesOf(1);

export const processSuite = suite('processes', {
  'R1: killed at any point, a runner has applied each event once or not at all': async (test) => {
    const { store } = test;
    const random = makeRandom(freshSeed());
    await store.projections.register(registration);
    for (let round = 0; round < 5; round++) {
      for (let index = 0; index < 30; index++) await append(store, `Order-${index % 7}`, makeEvents(3));
      const worker = spawnWorker('fold', [test.url, '3']);
      await worker.printed(2 + random.below(8));
      await new Promise((resolve) => setTimeout(resolve, random.below(12)));
      await worker.kill();
      await expectFold(store, (await positionOf(store)) ?? 0);
    }
    const lease = await takeLease(store, checkpointOf(registration.name), { ...request, steal: true });
    await expectFold(store, await runToHead(store, lease));
  },

  'R1: killed in the middle of a transaction, a runner leaves nothing of it': async (test) => {
    const { store, raw, engine } = test;
    await store.projections.register(registration);
    for (let index = 0; index < 10; index++) await append(store, `Order-${index}`, makeEvents(2));
    if (engine === 'sqlite') {
      // Each row written takes seconds: long enough to be found inside the transaction.
      await raw.query('create table slow (n integer)');
      await raw.query(`insert into slow values ${Array.from({ length: 400 }, (_, n) => `(${n})`).join()}`);
      await raw.query(`create trigger slowly before insert on order_totals
                         begin select count(*) from slow a, slow b, slow c where a.n + b.n + c.n < 0; end`);
    } else {
      await raw.query('begin; lock table order_totals in access exclusive mode');
    }
    const worker = spawnWorker('fold', [test.url, '20']);
    await worker.printed(1);
    await untilWriting(test);
    await worker.kill();
    await raw.query(engine === 'sqlite' ? 'drop trigger slowly' : 'rollback');
    await expectFold(store, (await positionOf(store)) ?? 0);
    const lease = await takeLease(store, checkpointOf(registration.name), { ...request, steal: true });
    await expectFold(store, await runToHead(store, lease));
    expect(await positionOf(store)).toBe((await store.log.head()).safeHead);
  },

  'A20: no append is said to succeed before its commit': async (test) => {
    const random = makeRandom(freshSeed());
    const history = new History();
    for (let round = 0; round < 2; round++) {
      const writers = [0, 1].map((index) => spawnWorker('append', [test.url, `Order-${index}`, '100000', '3']));
      await Promise.all(writers.map((writer) => writer.printed(4)));
      await new Promise((resolve) => setTimeout(resolve, random.below(60)));
      await Promise.all(writers.map((writer) => writer.kill()));
      for (const { lines } of writers) record(history, lines);
    }
    history.deliver('reader', await readAll(test.store));
    expect(checkHistory(history), `seed ${random.seed}`).toEqual([]);
  },

  'O21: two processes append at full speed': async (test) => {
    const history = new History();
    const writers = ['Order-1', 'Shared-1', 'Shared-1'].map((streamId) =>
      spawnWorker('append', [test.url, streamId, '250', '1']),
    );
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    for (const { lines } of writers) record(history, lines);
    history.deliver('one', await readAll(test.store));
    history.deliver('two', await readAll(test.store, { batchSize: 7 }));
    expect(checkHistory(history)).toEqual([]);
    expect(history.deliveries.get('one')).toHaveLength(750);
  },

  'W3: killed after any step, a rebuild leaves the live table intact': async (test) => {
    const { store } = test;
    const random = makeRandom(freshSeed());
    const first = await startProjection(store);
    for (let index = 0; index < 20; index++) await append(store, `Order-${index % 7}`, makeEvents(5));
    await runToHead(store, first);
    const steps = ['plan', 'create', 'fill', 'finish', 'swap', 'retire'];
    for (const [place, step] of steps.entries()) {
      const worker = spawnWorker('rebuild', [test.url, String(2 + place * 1_000)]);
      await worker.printed(place + 1 + steps.length * random.below(2));
      await new Promise((resolve) => setTimeout(resolve, random.below(5)));
      await worker.kill();
      await expectWhole(test, `seed ${random.seed}, killed after '${step}'`);
    }
    const live = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
    await append(store, 'Order-1', makeEvents(5));
    await expectFold(store, await runToHead(store, live));
  },

  'kill -9 of a process that appends': async (test) => {
    const { store, url } = test;
    const seed = freshSeed();
    const random = makeRandom(seed);
    await register(store, traces);
    for (let round = 0; round < 2; round += 1) {
      const workers = ['Order', 'Order'].map((category) => spawnWorker('inline', [url, category]));
      await Promise.all(workers.map((worker) => worker.printed(2 + random.below(5))));
      await new Promise((resolve) => setTimeout(resolve, random.below(20)));
      await Promise.all(workers.map((worker) => worker.kill()));
      await untilQuiet(test);
      // What they left is whole: each event is in the rows and marked, or neither.
      await append(store, 'Raw-1');
      await runOnce(store, traces);
      await expectTraces(store);
    }
  },

  'W1: readers see whole rows during swaps, and no error': async (test) => {
    const { store } = test;
    await startProjection(store);
    for (let index = 0; index < 12; index++) await append(store, `Order-${index % 5}`, makeEvents(4));
    let live = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
    await runToHead(store, live);
    const statement = 'select stream_id, events, total from order_totals order by stream_id';
    const expected = JSON.stringify(await test.raw.query(statement));
    let isSwapping = true;
    const seen = new Set<string>();
    let reads = 0;
    const readers = Array.from({ length: 4 }, async () => {
      const session = await test.connect();
      while (isSwapping) {
        const answer = await session
          .query(statement)
          .then(JSON.stringify, (error: Error) => `failed: ${error.message}`);
        seen.add(answer);
        reads += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    try {
      for (let version = 2; version <= 9; version++) {
        const { rebuild, lease } = await buildNext(store, version);
        const options = { lockTimeoutMs: 5_000, keepOldMs: 0 };
        const swapped = await store.projections.swap(rebuild, { rebuild: lease, live }, options);
        await store.projections.retire(swapped);
        live = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
        const before = reads;
        await until(() => reads > before + 2, 'reads between two swaps');
      }
    } finally {
      isSwapping = false;
      await Promise.all(readers);
    }
    expect([...seen]).toEqual([expected]);
    expect(await store.projections.list()).toMatchObject([{ version: 9 }]);
  },
});

export const initSuite = suite(
  'processes that make the schema',
  {
    'F19: a killed init leaves nothing or all, and the next one completes it': async ({ store, url }) => {
      const random = makeRandom(freshSeed());
      const { latest } = await store.schema.status();
      for (let round = 0; round < 4; round++) {
        const worker = spawnWorker('migrate', [url]);
        await worker.printed(1);
        await new Promise((resolve) => setTimeout(resolve, random.below(25)));
        await worker.kill();
        expect([0, latest], `seed ${random.seed}`).toContain((await store.schema.status()).version);
      }
      await store.schema.migrate({ lockTimeoutMs: 10_000 });
      await store.schema.assertReady();
      await append(store, 'Order-1');
      expect(await readAll(store)).toHaveLength(1);
    },

    'F18: four processes that init at once make one schema': async ({ store, url }) => {
      const workers = [0, 1, 2, 3].map(() => spawnWorker('migrate', [url]));
      expect(await Promise.all(workers.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
      const { migrations } = await store.schema.status();
      expect(migrations.map(({ state }) => state)).toEqual(migrations.map(() => 'applied'));
    },
  },
  { store: { migrated: false } },
);

/** Waits until the worker's transaction is open: it holds the file, or waits for the table. */
async function untilWriting(test: TestStore): Promise<void> {
  const probe = await test.connect();
  if (test.engine === 'sqlite') await probe.query('pragma busy_timeout = 0');
  for (;;) {
    if (test.engine === 'sqlite') {
      const isFree = await probe.query('begin immediate').then(
        () => true,
        () => false,
      );
      if (!isFree) return;
      await probe.query('rollback');
    } else {
      const waiting = await probe.query(
        `select 1 from pg_locks where not granted and relation = 'order_totals'::regclass`,
      );
      if (waiting.length > 0) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The live table is the fold of its prefix; the unfinished rebuild can be ended; then the next one goes through. */
async function expectWhole({ store }: TestStore, when: string): Promise<void> {
  const position = (await positionOf(store)) ?? 0;
  expect(position, when).toBe((await store.log.head()).safeHead);
  await expectFold(store, position);
  const unfinished = (await store.projections.rebuilds(totals.name)).filter(
    ({ state }) => state === 'planned' || state === 'filling' || state === 'ready',
  );
  expect(unfinished.length, when).toBeLessThanOrEqual(1);
  for (const rebuild of unfinished) {
    const lease = await takeLease(store, { kind: 'rebuild', id: rebuild.id }, { ...request, steal: true });
    await store.projections.abort(rebuild, lease);
  }
  const live = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
  const next = await buildNext(store, 1);
  await store.projections.swap(next.rebuild, { rebuild: next.lease, live }, { lockTimeoutMs: 5_000, keepOldMs: 0 });
  await expectFold(store, position);
}

/** What a writer said before it ended, as appends. */
function record(history: History, lines: readonly string[]): void {
  for (let at = 0; at < lines.length; at += 2) {
    const { invoke, at: invokedAt } = JSON.parse(lines[at] ?? '') as { invoke: string[]; at: number };
    const attempt = history.invoke('', invoke, invokedAt);
    const answer = lines[at + 1];
    if (answer === undefined) continue;
    const { ok, at: endedAt } = JSON.parse(answer) as { ok: AppendResult['events']; at: number };
    history.succeed(attempt, ok, endedAt);
  }
}

/** A server goes on for a moment with what a killed client had sent. */
async function untilQuiet({ engine, raw }: TestStore): Promise<void> {
  const open = `select 1 from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`;
  while (engine === 'postgres' && (await raw.query(open)).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
