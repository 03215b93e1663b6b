import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import type { SagaDefinition } from '../../src/saga/definition.js';
import { NotApplied } from '../../src/saga/failures.js';
import { loadInstance } from '../../src/saga/instance.js';
import type { SagaNews, SagaRun } from '../../src/saga/report.js';
import { restoreInstances } from '../../src/saga/restore.js';
import { retryNow } from '../../src/saga/retry-now.js';
import { retryParkedTriggers } from '../../src/saga/retry-parked.js';
import { runSagas } from '../../src/saga/run.js';
import { SagaWorker } from '../../src/saga/worker.js';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, collect, makeEvent, readAll } from '../support/events.js';
import { sagaOf } from '../support/sagas.js';
import { until } from '../support/wait.js';

const never = new AbortController().signal;

async function run(store: Store, saga: SagaDefinition, change: Partial<SagaRun> = {}) {
  const news: SagaNews[] = [];
  const report = (each: SagaNews) => void news.push(each);
  const [result] = await runSagas({
    store,
    sagas: [saga],
    once: true,
    signal: never,
    owner: 'test',
    report,
    ...change,
  });
  if (result === undefined) throw new Error('no report');
  return { ...result, news };
}

/** The same store, with another way to record facts. */
function withRecord(store: Store, record: Store['sagas']['record']): Store {
  const sagas = new Proxy(store.sagas, {
    get: (target, property) => {
      const value: unknown = property === 'record' ? record : Reflect.get(target, property);
      return typeof value === 'function' && property !== 'record' ? value.bind(target) : value;
    },
  });
  return new Proxy(store, {
    get: (target, property) => (property === 'sagas' ? sagas : Reflect.get(target, property)),
  });
}

async function typesOf(store: Store, instance: string): Promise<string[]> {
  return (await collect(store.log.readStream(`saga:orders-${instance}`))).map(({ type }) => type);
}

forEachEngine((engine) => {
  test('each trigger starts one instance, which runs once whoever runs it again', () =>
    withTestStore(engine, async ({ store }) => {
      let acts = 0;
      const saga = sagaOf([{ name: 'count', action: () => ({ acts: ++acts }) }]);
      for (const order of ['Order-1', 'Order-2', 'Order-3']) await append(store, order, [makeEvent()]);
      await append(store, 'Order-1', [makeEvent({ type: 'OrderPaid' }), makeEvent()]);
      const first = await run(store, saga);
      expect(first).toMatchObject({ error: null, left: 0, ended: { completed: 3, compensated: 0 } });
      const head = (await store.log.head()).head;
      expect(await run(store, saga)).toMatchObject({ error: null, ended: { completed: 0 } });
      expect(acts).toBe(3);
      expect((await store.log.head()).head).toBe(head);
      const [checkpoint] = await store.projections.checkpoints();
      expect(checkpoint).toMatchObject({ subscriptionId: 'saga:orders', owner: null });
      expect(await typesOf(store, 'Order-1')).toEqual(['SagaStarted', 'StepStarted', 'StepCompleted', 'SagaCompleted']);
    }));

  test('a correlation id that cannot be stored, as another program may write it, stops no saga', () =>
    withTestStore(engine, async ({ store, raw }) => {
      const written = ['\\u0000', '\\ud800'].map((half) => `{"correlationId":"c${half}"}`);
      for (const [index, metadata] of written.entries()) {
        await raw.query(
          `insert into events (stream_id, event_type, event_data, metadata, version)
           values ('Order-${index}', 'OrderPlaced', '{}', '${metadata}', 1)`,
        );
      }
      const saga = sagaOf([{ name: 'act' }]);
      expect(await run(store, saga)).toMatchObject({ error: null, ended: { completed: 2 } });
      const [trigger] = await readAll(store);
      const [started] = await collect(store.log.readStream('saga:orders-Order-0'));
      expect(JSON.parse(started?.metadata ?? '{}')).toMatchObject({ correlationId: trigger?.id });
    }));

  test('events from before its time start nothing', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent({ createdAt: '2026-01-31T23:59:59.999Z' })]);
      await append(store, 'Order-2', [makeEvent({ createdAt: '2026-02-01T00:00:00Z' })]);
      const result = await run(store, sagaOf([{ name: 'one' }], { since: '2026-02-01T01:00:00+01:00' }));
      expect(result).toMatchObject({ error: null, position: 2, ended: { completed: 1 } });
      expect(await typesOf(store, 'Order-1')).toEqual([]);
    }));

  test('causation runs from the trigger through every event, under one correlation id', () =>
    withTestStore(engine, async ({ store }) => {
      const trigger = makeEvent({ metadata: '{"correlationId":"shopping"}' });
      await append(store, 'Order-1', [trigger]);
      const saga = sagaOf([
        { name: 'reserve', action: ({ append }) => append('Stock-1', { type: 'Reserved', data: {} }) },
      ]);
      await run(store, saga);
      const events = (await readAll(store)).filter(({ id }) => id !== trigger.id);
      const metadata = events.map((event) => JSON.parse(event.metadata));
      expect(metadata.map(({ correlationId }) => correlationId)).toEqual(events.map(() => 'shopping'));
      const [started, stepStarted, reserved, stepCompleted] = events;
      expect(metadata.map(({ causationId }) => causationId)).toEqual([
        trigger.id,
        started?.id,
        stepStarted?.id,
        stepStarted?.id,
        stepCompleted?.id,
      ]);
      expect(reserved?.type).toBe('Reserved');
    }));

  test('F23: final failed, never picked up again', () =>
    withTestStore(engine, async ({ store }) => {
      let acts = 0;
      const action = () => {
        acts += 1;
        throw new NotApplied('out of stock');
      };
      const saga = sagaOf([{ name: 'reserve', action, compensate: () => {} }]);
      await append(store, 'Order-1', [makeEvent()]);
      expect(await run(store, saga)).toMatchObject({ ended: { failed: 1 }, error: null });
      await append(store, 'Order-2', [makeEvent({ type: 'OrderPaid' })]);
      expect(await run(store, saga)).toMatchObject({ ended: { failed: 0 }, error: null });
      expect(acts).toBe(1);
      expect(await typesOf(store, 'Order-1')).toEqual(['SagaStarted', 'StepStarted', 'StepFailed', 'SagaFailed']);
    }));

  test('F22: parked, the earlier one not run, and resumable', () =>
    withTestStore(engine, async ({ store }) => {
      const undone: string[] = [];
      let isBroken = true;
      const saga = sagaOf([
        { name: 'one', compensate: () => void undone.push('one') },
        {
          name: 'two',
          retries: 2,
          backOff: '1ms',
          compensate: () => {
            undone.push('two');
            if (isBroken) throw new Error('no answer');
          },
        },
        {
          name: 'three',
          action: () => {
            throw new Error('no courier');
          },
        },
      ]);
      await append(store, 'Order-1', [makeEvent()]);
      expect(await run(store, saga)).toMatchObject({ ended: { 'compensation-failed': 1 }, error: null });
      expect(undone).toEqual(['two', 'two', 'two']);
      expect(await run(store, saga)).toMatchObject({ ended: { 'compensation-failed': 0 }, error: null });
      expect(undone).toHaveLength(3);

      isBroken = false;
      const options = { store, sagas: [saga], owner: 'operator', signal: never, graceMs: 1_000 };
      const { state, left } = await retryNow('orders', 'Order-1', options);
      expect([state.phase, left]).toEqual(['compensated', undefined]);
      expect(undone.slice(3)).toEqual(['two', 'one']);
      await expect(retryNow('orders', 'Order-1', options)).rejects.toMatchObject({ code: 'E_USAGE' });
      await expect(retryNow('orders', 'Order-9', options)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    }));

  test('an instance keeps the version that started it, and waits for its code', () =>
    withTestStore(engine, async ({ store }) => {
      const steps = [{ name: 'one' }, { name: 'two' }];
      await append(store, 'Order-1', [makeEvent()]);
      const stop = new AbortController();
      const interrupted = sagaOf([{ name: 'one', action: () => stop.abort() }, { name: 'two' }]);
      expect(await run(store, interrupted, { signal: stop.signal })).toMatchObject({ error: null });
      await append(store, 'Order-2', [makeEvent()]);

      const second = sagaOf([{ name: 'other' }], { version: 2 });
      const changed = await run(store, second);
      expect(changed).toMatchObject({ left: 1, ended: { completed: 1 }, error: null });
      expect(changed.news).toContainEqual({ kind: 'missing code', saga: 'orders', version: 1, instances: 1 });
      const renamed = await run(store, sagaOf([{ name: 'uno' }, { name: 'two' }]));
      expect(renamed.error).toMatchObject({ code: 'E_CONFIG', message: expect.stringContaining('other steps') });

      await append(store, 'Order-3', [makeEvent()]);
      const both = await run(store, second, { sagas: [second, sagaOf(steps)] });
      expect(both).toMatchObject({ left: 0, ended: { completed: 2 }, error: null });
      const versions = (await store.sagas.list({ saga: 'orders', limit: 9 })).map((each) => [
        each.instance,
        each.sagaVersion,
        each.phase,
      ]);
      expect(versions.toSorted()).toEqual([
        ['Order-1', 1, 'completed'],
        ['Order-2', 2, 'completed'],
        ['Order-3', 2, 'completed'],
      ]);
    }));

  test('one process reads the log for a saga, and another that is to end is told who', () =>
    withTestStore(engine, async ({ store, open }) => {
      await append(store, 'Order-1', [makeEvent()]);
      const stop = new AbortController();
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const started = new Promise<void>((resolve) => {
        const saga = sagaOf([
          {
            name: 'wait',
            action: async () => {
              resolve();
              await held;
            },
          },
        ]);
        void run(store, saga, { owner: 'first', once: false, signal: stop.signal });
      });
      await started;
      const second = await run(await open(), sagaOf([{ name: 'wait' }]), { owner: 'second' });
      expect(second.error).toMatchObject({ code: 'E_LOCK_HELD', message: expect.stringContaining('first') });
      release();
      await until(async () => (await typesOf(store, 'Order-1')).includes('SagaCompleted'));
      stop.abort();
    }));

  test('a lease that a dead process left is waited out', () =>
    withTestStore(engine, async ({ store }) => {
      const saga = sagaOf([{ name: 'one' }]);
      await run(store, saga);
      const target = { kind: 'checkpoint', subscriptionId: 'saga:orders' } as const;
      await store.projections.acquireLease(target, { owner: 'dead', ttlMs: 300 });
      await append(store, 'Order-1', [makeEvent()]);
      const { news, error } = await run(store, saga);
      expect(error).toBeNull();
      expect(news[0]).toEqual({ kind: 'waiting', saga: 'orders', owner: 'dead' });
      expect(await typesOf(store, 'Order-1')).toContain('SagaCompleted');
    }));

  test('a new instance reads neither its own stream back nor its trigger', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent()]);
      const reads: string[] = [];
      const log = new Proxy(store.log, {
        get(target, name: keyof typeof store.log) {
          const value = target[name];
          // Whether earlier readers lacked code is read once.
          if (name === 'find' || name === 'readStream') {
            return (place: string) => {
              if (place !== 'saga:orders') reads.push(`${name} ${place}`);
              return (value as (place: string) => unknown).call(target, place);
            };
          }
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const fail = () => {
        throw new Error('out of stock');
      };
      const saga = sagaOf([
        { name: 'one', compensate: () => {} },
        { name: 'two', action: fail },
      ]);
      await run({ ...store, log }, saga);
      expect(await typesOf(store, 'Order-1')).toContain('SagaCompensated');
      expect(reads).toEqual([]);
    }));

  test('two that drive one instance: the first to record goes on, the other stops', () =>
    withTestStore(engine, async ({ store, open }) => {
      await append(store, 'Order-1', [makeEvent()]);
      const acts: string[] = [];
      const stores = [store, await open()];
      const saga = (who: string) => sagaOf([{ name: 'one' }, { name: 'two', action: () => void acts.push(who) }]);
      const halting = new AbortController();
      const first = saga('first');
      await run(store, sagaOf([{ name: 'one', action: () => halting.abort() }, { name: 'two' }]), {
        signal: halting.signal,
      });
      const loaded = await Promise.all(stores.map(({ log }) => loadInstance(log, 'orders', 'Order-1')));
      for (const [index, who] of ['first', 'second'].entries()) {
        const [at, instance] = [stores[index], loaded[index]];
        if (at === undefined || instance === undefined) throw new Error('not started');
        const holder = { owner: who, process: null, ttlMs: 10_000 };
        const code = index === 0 ? first : saga(who);
        const options = { log: at.log, instances: at.sagas, sagas: [code], holder, signal: never, graceMs: 100 };
        const worker = new SagaWorker(options);
        worker.board({ saga: code, instance, isDue: true });
        await worker.settle();
        expect([worker.failure, worker.ended.completed]).toEqual([undefined, index === 0 ? 1 : 0]);
      }
      expect(acts).toEqual(['first']);
    }));

  test('it follows the log until it is told to stop, and finishes what it does', () =>
    withTestStore(engine, async ({ store }) => {
      const stop = new AbortController();
      let isHeld = false;
      const hold = async () => {
        while (isHeld) await wait(1);
      };
      const saga = sagaOf([{ name: 'slow', action: hold }, { name: 'next' }]);
      const running = run(store, saga, { once: false, signal: stop.signal });
      await append(store, 'Order-1', [makeEvent()]);
      await until(async () => (await typesOf(store, 'Order-1')).includes('SagaCompleted'));
      isHeld = true;
      await append(store, 'Order-2', [makeEvent()]);
      await until(async () => (await typesOf(store, 'Order-2')).includes('StepStarted'));
      stop.abort();
      isHeld = false;
      expect(await running).toMatchObject({ error: null, ended: { completed: 1 } });
      expect(await typesOf(store, 'Order-2')).toEqual(['SagaStarted', 'StepStarted', 'StepCompleted']);
      expect(await run(store, saga)).toMatchObject({ ended: { completed: 1 } });
    }));

  test('a lost connection is outlived, and what was under way is repeated with its key', () =>
    withTestStore(engine, async ({ store }) => {
      const keys: string[] = [];
      let records = 0;
      const shaky = withRecord(store, (changes) => {
        records += 1;
        if (records === 2) throw new EvstoreError('E_CONNECT', 'the connection was lost');
        return store.sagas.record(changes);
      });
      const stop = new AbortController();
      const saga = sagaOf([{ name: 'one', action: ({ idempotencyKey }) => void keys.push(idempotencyKey) }]);
      await append(store, 'Order-1', [makeEvent()]);
      const running = run(shaky, saga, { once: false, signal: stop.signal });
      await until(async () => (await typesOf(store, 'Order-1')).includes('SagaCompleted'));
      stop.abort();
      const { news, error } = await running;
      expect(error).toBeNull();
      expect(news.map(({ kind }) => kind)).toEqual(['interrupted', 'ended']);
      expect(keys).toEqual(['orders/Order-1/one', 'orders/Order-1/one']);
    }));

  test('many instances are driven side by side, and one that is stuck does not lose the others', () =>
    withTestStore(engine, async ({ store }) => {
      for (let order = 1; order <= 40; order++) await append(store, `Order-${order}`, [makeEvent()]);
      let most = 0;
      let now = 0;
      const action = async () => {
        most = Math.max(most, ++now);
        await wait(2);
        now -= 1;
      };
      const result = await run(
        store,
        sagaOf([
          { name: 'one', action },
          { name: 'two', action },
        ]),
      );
      expect(result).toMatchObject({ error: null, ended: { completed: 40 } });
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(16);
    }));

  test('an id that throws stops the saga at its event, and says which', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent()]);
      await append(store, 'Order-2', [makeEvent({ data: '{"basket":null}' })]);
      const id: SagaDefinition['id'] = ({ data }) => (data.basket === null ? data.basket.id : 'b-1');
      const result = await run(store, sagaOf([{ name: 'one' }], { id }));
      expect(result.error).toMatchObject({ code: 'E_HANDLER', details: { type: 'OrderPlaced' } });
      const mended = sagaOf([{ name: 'one' }], { id: ({ data }) => (data.basket === null ? 'b-2' : 'b-1') });
      expect(await run(store, mended)).toMatchObject({ error: null });
      expect(await typesOf(store, 'b-2')).toContain('SagaCompleted');
      expect(await typesOf(store, 'b-1')).toContain('SagaCompleted');
    }));

  test('a checkpoint whose last event is not in the log is of another history', () =>
    withTestStore(engine, async ({ store, raw }) => {
      const saga = sagaOf([{ name: 'one' }]);
      await append(store, 'Order-1', [makeEvent()]);
      expect(await run(store, saga, { once: true })).toMatchObject({ error: null });
      const other = makeEvent().id;
      await raw.query(
        `update subscription_checkpoints set last_event_id = '${other}' where subscription_id = 'saga:orders'`,
      );
      await append(store, 'Order-2', [makeEvent()]);
      const { error } = await run(store, saga);
      expect(error).toMatchObject({ code: 'E_DIVERGED', why: expect.stringContaining(other) });
      expect(await typesOf(store, 'Order-2')).toEqual([]);
    }));

  test('a checkpoint beyond the log is another history', () =>
    withTestStore(engine, async ({ store }) => {
      const saga = sagaOf([{ name: 'one' }]);
      await run(store, saga);
      await store.projections.setCheckpoint('saga:orders', 1_000);
      expect((await run(store, saga)).error).toMatchObject({ code: 'E_DIVERGED' });
    }));

  test('a trigger that the code cannot take is parked with the checkpoint, and taken again once it is mended', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent({ data: '{"basket":"b-1"}' })]);
      await append(store, 'Order-2', [makeEvent({ data: '{}' })]);
      await append(store, 'Order-3', [makeEvent({ data: '{"basket":"b-3"}' })]);
      const saga = (id: NonNullable<SagaDefinition['id']>) => sagaOf([{ name: 'one' }], { id });
      const policy = { onError: 'park', retries: 0 } as const;
      const parking = await run(
        store,
        saga(({ data }) => data.basket.toLowerCase()),
        { policy },
      );
      expect(parking).toMatchObject({ error: null, position: 3, ended: { completed: 2 } });
      const parked = await store.projections.parked({ projection: 'saga:orders' });
      expect(parked).toMatchObject([{ globalPosition: 2, state: 'parked', attempts: 1 }]);
      const options = { store, owner: 'operator', signal: never };
      const still = await retryParkedTriggers(parked, {
        ...options,
        sagas: [saga(({ data }) => data.basket.toString())],
      });
      expect(still).toMatchObject([{ error: { code: 'E_HANDLER' } }]);
      const mended = saga(({ data }) => data.basket ?? 'b-2');
      expect(await retryParkedTriggers(parked, { ...options, sagas: [mended] })).toMatchObject([{ error: null }]);
      expect(await store.projections.parked({ projection: 'saga:orders' })).toEqual([]);
      expect(await run(store, mended)).toMatchObject({ ended: { completed: 1 } });
      expect(await typesOf(store, 'b-2')).toContain('SagaCompleted');
    }));

  test('rows that were lost are made again from the streams', () =>
    withTestStore(engine, async ({ store, raw }) => {
      await append(store, 'Order-1', [makeEvent()]);
      await append(store, 'Order-2', [makeEvent()]);
      const saga = sagaOf([
        { name: 'one', action: ({ instance }) => (instance === 'Order-1' ? 1 : Promise.reject(new NotApplied('no'))) },
        { kind: 'event', name: 'payment', type: 'OrderPaid', timeout: '3d' },
        { name: 'two' },
      ]);
      await run(store, saga);
      const list = async () =>
        (await store.sagas.list({ limit: 9 })).toSorted((a, b) => (a.instance < b.instance ? -1 : 1));
      const before = await list();
      expect(before).toMatchObject([{ phase: 'waiting', waitKey: 'Order-1' }, { phase: 'failed' }]);
      await raw.query('delete from evstore_sagas');
      expect(await restoreInstances(store, 'orders')).toBe(2);
      // Facts and rows are of one transaction, but not of one moment.
      const factsOf = ({ since: _s, movedAt: _m, startedAt: _a, dueAt, ...facts }: (typeof before)[number]) => ({
        ...facts,
        isDue: dueAt !== null,
      });
      expect((await list()).map(factsOf)).toEqual(before.map(factsOf));
      await append(store, 'Order-1', [makeEvent({ type: 'OrderPaid' })]);
      expect(await run(store, saga)).toMatchObject({ ended: { completed: 1 } });
    }));
});
