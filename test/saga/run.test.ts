import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import { toEvent } from '../../src/projection/define/event.js';
import { defineSaga, type Saga, type SagaStep } from '../../src/saga/definition.js';
import { SagaInstance } from '../../src/saga/instance.js';
import { driveInstance } from '../../src/saga/instance-loop.js';
import type { SagaNews, SagaRun } from '../../src/saga/report.js';
import { retryCompensation } from '../../src/saga/retry.js';
import { runSagas } from '../../src/saga/run.js';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, collect, makeEvent, readAll } from '../support/events.js';
import { until } from '../support/wait.js';

const never = new AbortController().signal;

function makeSaga(steps: readonly (Partial<SagaStep> & { readonly name: string })[], change: Partial<Saga> = {}): Saga {
  const whole = steps.map((step) => ({ retries: 0, action: () => {}, ...step }));
  return defineSaga({ name: 'orders', version: 1, startOn: 'OrderPlaced', steps: whole, ...change });
}

async function run(store: Store, saga: Saga, change: Partial<SagaRun> = {}) {
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

async function typesOf(store: Store, instance: string): Promise<string[]> {
  return (await collect(store.log.readStream(`saga:orders-${instance}`))).map(({ type }) => type);
}

forEachEngine((engine) => {
  test('each trigger starts one instance, which runs once whoever runs it again', () =>
    withTestStore(engine, async ({ store }) => {
      let acts = 0;
      const saga = makeSaga([{ name: 'count', action: () => ({ acts: ++acts }) }]);
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
      const saga = makeSaga([{ name: 'act' }]);
      expect(await run(store, saga)).toMatchObject({ error: null, ended: { completed: 2 } });
      const [trigger] = await readAll(store);
      const [started] = await collect(store.log.readStream('saga:orders-Order-0'));
      expect(JSON.parse(started?.metadata ?? '{}')).toMatchObject({ correlationId: trigger?.id });
    }));

  test('events from before its time start nothing', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent({ createdAt: '2026-01-31T23:59:59.999Z' })]);
      await append(store, 'Order-2', [makeEvent({ createdAt: '2026-02-01T00:00:00Z' })]);
      const result = await run(store, makeSaga([{ name: 'one' }], { since: '2026-02-01T01:00:00+01:00' }));
      expect(result).toMatchObject({ error: null, position: 2, ended: { completed: 1 } });
      expect(await typesOf(store, 'Order-1')).toEqual([]);
    }));

  test('causation runs from the trigger through every event, under one correlation id', () =>
    withTestStore(engine, async ({ store }) => {
      const trigger = makeEvent({ metadata: '{"correlationId":"shopping"}' });
      await append(store, 'Order-1', [trigger]);
      const action: SagaStep['action'] = ({ append }) => append('Stock-1', { type: 'Reserved', data: {} });
      await run(store, makeSaga([{ name: 'reserve', action }]));
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
        throw new Error('out of stock');
      };
      const saga = makeSaga([{ name: 'reserve', action, compensate: () => {} }]);
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
      const saga = makeSaga([
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
      const { instance, end } = await retryCompensation(store.log, saga, 'Order-1', never);
      expect(end.kind).toBe('ended');
      expect(instance.state.phase).toBe('compensated');
      expect(undone.slice(3)).toEqual(['two', 'one']);
      await expect(retryCompensation(store.log, saga, 'Order-1', never)).rejects.toMatchObject({ code: 'E_USAGE' });
      await expect(retryCompensation(store.log, saga, 'Order-9', never)).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    }));

  test('an instance of another version is left, holds the checkpoint, and is driven when its code is back', () =>
    withTestStore(engine, async ({ store }) => {
      const steps = [{ name: 'one' }, { name: 'two' }];
      await append(store, 'Order-1', [makeEvent()]);
      const stop = new AbortController();
      const interrupted = makeSaga([{ name: 'one', action: () => stop.abort() }, { name: 'two' }]);
      expect(await run(store, interrupted, { signal: stop.signal })).toMatchObject({ position: 0, error: null });
      await append(store, 'Order-2', [makeEvent()]);

      const changed = await run(store, makeSaga(steps, { version: 2 }));
      expect(changed).toMatchObject({ left: 1, position: 0, ended: { completed: 1 }, error: null });
      expect(changed.news).toContainEqual(
        expect.objectContaining({ kind: 'left', instance: 'Order-1', why: expect.stringContaining('version 1') }),
      );
      const renamed = await run(store, makeSaga([{ name: 'uno' }, { name: 'two' }]));
      expect(renamed).toMatchObject({ left: 1, position: 0 });

      const restored = await run(store, makeSaga(steps));
      expect(restored).toMatchObject({ left: 0, ended: { completed: 1 }, error: null });
      expect(restored.position).toBeGreaterThan(0);
    }));

  test('one process runs a saga, the other is told who', () =>
    withTestStore(engine, async ({ store, open }) => {
      await append(store, 'Order-1', [makeEvent()]);
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const started = new Promise<void>((resolve) => {
        const saga = makeSaga([
          {
            name: 'wait',
            action: async () => {
              resolve();
              await held;
            },
          },
        ]);
        void run(store, saga, { owner: 'first' });
      });
      await started;
      const second = await run(await open(), makeSaga([{ name: 'wait' }]), { owner: 'second' });
      expect(second.error).toMatchObject({ code: 'E_LOCK_HELD', message: expect.stringContaining('first') });
      release();
      await until(async () => (await typesOf(store, 'Order-1')).includes('SagaCompleted'));
    }));

  test('a lease that a dead process left is waited out', () =>
    withTestStore(engine, async ({ store }) => {
      const saga = makeSaga([{ name: 'one' }]);
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
          if (name === 'find' || name === 'readStream') reads.push(name);
          const value = target[name];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      const fail = () => {
        throw new Error('out of stock');
      };
      const saga = makeSaga([
        { name: 'one', compensate: () => {} },
        { name: 'two', retries: 1, action: fail },
      ]);
      await run({ ...store, log }, saga);
      expect(await typesOf(store, 'Order-1')).toContain('SagaCompensated');
      // One look for an instance that has started already.
      expect(reads).toEqual(['readStream']);
    }));

  test('two that drive one instance: the first to record goes on, the other stops', () =>
    withTestStore(engine, async ({ store, open }) => {
      await append(store, 'Order-1', [makeEvent()]);
      const [trigger] = await readAll(store);
      if (trigger === undefined) throw new Error('no trigger');
      const acts: string[] = [];
      const saga = (who: string) => makeSaga([{ name: 'one', action: () => void acts.push(who) }]);
      await SagaInstance.start(store.log, saga(''), 'Order-1', toEvent(trigger));
      const other = await open();
      const instances = await Promise.all([store, other].map(({ log }) => SagaInstance.load(log, 'orders', 'Order-1')));
      const [first, second] = instances;
      if (first === undefined || second === undefined) throw new Error('not started');
      await driveInstance(first, { log: store.log, saga: saga('first'), signal: never });
      const late = driveInstance(second, { log: other.log, saga: saga('second'), signal: never });
      await expect(late).rejects.toMatchObject({ code: 'E_SUPERSEDED' });
      expect(acts).toEqual(['first']);
    }));

  test('it follows the log until it is told to stop, and finishes what it does', () =>
    withTestStore(engine, async ({ store }) => {
      const stop = new AbortController();
      let isHeld = false;
      const hold = async () => {
        while (isHeld) await wait(1);
      };
      const saga = makeSaga([{ name: 'slow', action: hold }, { name: 'next' }]);
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
      let appends = 0;
      const log = new Proxy(store.log, {
        get: (target, property) => {
          const value = Reflect.get(target, property);
          if (property !== 'append') return typeof value === 'function' ? value.bind(target) : value;
          return (...args: Parameters<Store['log']['append']>) => {
            if (++appends === 3) throw new EvstoreError('E_CONNECT', 'the connection was lost');
            return target.append(...args);
          };
        },
      });
      const shaky: Store = { ...store, log };
      const stop = new AbortController();
      const saga = makeSaga([{ name: 'one', action: ({ idempotencyKey }) => void keys.push(idempotencyKey) }]);
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
        makeSaga([
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
      const id: Saga['id'] = ({ data }) => (data.basket === null ? data.basket.id : 'b-1');
      const result = await run(store, makeSaga([{ name: 'one' }], { id }));
      expect(result.error).toMatchObject({ code: 'E_HANDLER', details: { type: 'OrderPlaced' } });
      const mended = makeSaga([{ name: 'one' }], { id: ({ data }) => (data.basket === null ? 'b-2' : 'b-1') });
      expect(await run(store, mended)).toMatchObject({ error: null });
      expect(await typesOf(store, 'b-2')).toContain('SagaCompleted');
      expect(await typesOf(store, 'b-1')).toContain('SagaCompleted');
    }));

  test('a checkpoint beyond the log is another history', () =>
    withTestStore(engine, async ({ store }) => {
      const saga = makeSaga([{ name: 'one' }]);
      await run(store, saga);
      await store.projections.setCheckpoint('saga:orders', 1_000);
      expect((await run(store, saga)).error).toMatchObject({ code: 'E_DIVERGED' });
    }));
});
