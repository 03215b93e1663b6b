/** The engine over a store in memory, one situation at a time. */
import { expect, test } from 'vitest';
import type { SagaDefinition, SagaStep, WaitStep } from '../../src/saga/definition.js';
import { NotApplied } from '../../src/saga/failures.js';
import { loadInstance } from '../../src/saga/instance.js';
import { cancelInstance, retryInstance } from '../../src/saga/operate.js';
import { allowMoreTime } from '../support/more-time.js';
import { claimMs, SagaWorld } from '../support/saga-world.js';
import { sagaOf } from '../support/sagas.js';
import { until } from '../support/wait.js';

allowMoreTime('ten thousand instances are driven');

const payment: WaitStep = { kind: 'event', name: 'payment', type: 'Paid', timeout: '1h' };

/** Waits for the payment, and undoes the reservation without it. */
function paying(change: Partial<WaitStep> = {}): SagaDefinition {
  const reserve = { name: 'reserve', compensate: () => {} };
  return sagaOf([reserve, { ...payment, ...change }, { name: 'ship' }]);
}

function operated({ log, instances }: SagaWorld) {
  return { log, sagas: instances } as unknown as Parameters<typeof cancelInstance>[0];
}

async function phaseOf(world: SagaWorld, instance = 'Order-1'): Promise<string | undefined> {
  return (await world.instances.find({ saga: 'orders', instance }))?.phase;
}

async function runOnce(world: SagaWorld, sagas: readonly SagaDefinition[]) {
  const process = world.start({ sagas });
  await world.read(process);
  const nextInMs = await world.work(process);
  return { ...process, nextInMs };
}

test('five steps are recorded in six records of twelve facts', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  let records = 0;
  const record = world.instances.record.bind(world.instances);
  world.instances.record = (changes) => {
    records += 1;
    return record(changes);
  };
  await runOnce(world, [sagaOf(['a', 'b', 'c', 'd', 'e'].map((name) => ({ name })))]);
  expect([await phaseOf(world), records, (await world.types('Order-1')).length]).toEqual(['completed', 6, 12]);
});

test('an instance that waits is in no process, and an event or its time moves it', async () => {
  const world = new SagaWorld();
  for (const order of ['Order-1', 'Order-2']) world.append(order, 'OrderPlaced');
  const first = await runOnce(world, [paying()]);
  expect([first.nextInMs, first.worker.held]).toEqual([3_600_000, 0]);
  const waiting = await world.instances.find({ saga: 'orders', instance: 'Order-1' });
  expect(waiting).toMatchObject({ phase: 'waiting', step: 'payment', waitKey: 'Order-1', owner: null });
  world.append('Order-2', 'Paid');
  await runOnce(world, [paying()]);
  expect([await phaseOf(world, 'Order-1'), await phaseOf(world, 'Order-2')]).toEqual(['waiting', 'completed']);
  world.now += 3_600_000;
  await runOnce(world, [paying()]);
  expect([await phaseOf(world, 'Order-1'), await phaseOf(world, 'Order-2')]).toEqual(['compensated', 'completed']);
});

test('an event that was in the log in time counts, although no process read it before the time was over', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  await runOnce(world, [paying()]);
  world.append('Order-1', 'Paid');
  world.now += 7_200_000;
  const process = world.start({ sagas: [paying()] });
  await world.work(process);
  expect(await phaseOf(world)).toBe('completed');
});

test('the event and the end of the time at one moment: one of them wins, and the other changes nothing', async () => {
  const ends = new Set<string | undefined>();
  for (let delay = 0; delay < 12; delay += 1) {
    const world = new SagaWorld();
    world.append('Order-1', 'OrderPlaced');
    await runOnce(world, [paying()]);
    world.now += 3_600_000;
    const [reading, working] = [world.start({ sagas: [paying()] }), world.start({ sagas: [paying()] })];
    const work = world.work(working);
    for (let tick = 0; tick < delay; tick += 1) await Promise.resolve();
    world.append('Order-1', 'Paid');
    await Promise.all([work, world.read(reading)]);
    await world.settle([paying()]);
    const types = await world.types('Order-1');
    expect(types.filter((type) => type === 'EventReceived' || type === 'WaitTimedOut')).toHaveLength(1);
    ends.add(await phaseOf(world));
  }
  expect([...ends].every((end) => end === 'completed' || end === 'compensated')).toBe(true);
});

test('an event that does not fit into a fact about it is received, before and during the wait', async () => {
  const large = { text: 'x'.repeat(1024 * 1024 - 20) };
  const deep: unknown = JSON.parse(`${'['.repeat(127)}${']'.repeat(127)}`);
  for (const [order, data] of [
    ['Order-1', large],
    ['Order-2', deep],
  ] as const) {
    for (const isBefore of [true, false]) {
      const world = new SagaWorld();
      world.append(order, 'OrderPlaced');
      const seen: unknown[] = [];
      const sagas = [
        sagaOf([
          ...paying().steps.slice(0, 2),
          { name: 'ship', action: ({ results }) => void seen.push(results.payment) },
          { kind: 'event', name: 'thanks', type: 'Thanked', key: ({ results }) => String(seen.push(results.payment)) },
        ]),
      ];
      if (!isBefore) await runOnce(world, sagas);
      world.append(order, 'Paid', data);
      const { news } = await runOnce(world, sagas);
      await runOnce(world, sagas);
      expect(news).toEqual([]);
      expect(await phaseOf(world, order)).toBe('waiting');
      expect(seen).toEqual([data, data]);
    }
  }
});

test('events that passed while no process had the code of those that wait for them are delivered once it is back', async () => {
  const world = new SagaWorld();
  for (const order of ['Order-1', 'Order-2']) world.append(order, 'OrderPlaced');
  const [old, next] = [[{ kind: 'event', name: 'payment', type: 'Paid' } as const], [{ name: 'other' }]].map(
    (steps, at) => sagaOf(steps, { version: at + 1 }),
  ) as [SagaDefinition, SagaDefinition];
  await runOnce(world, [old]);
  await runOnce(world, [next]);
  world.append('Order-1', 'Paid');
  world.append('Order-3', 'OrderPlaced');
  await runOnce(world, [next]);
  await runOnce(world, [next]);
  expect(await phaseOf(world, 'Order-3')).toBe('completed');
  await runOnce(world, [next, old]);
  expect(await phaseOf(world, 'Order-1')).toBe('completed');
  world.append('Order-2', 'Paid');
  await runOnce(world, [old]);
  expect(await phaseOf(world, 'Order-2')).toBe('completed');
});

test('an event after the end, and the timer of an instance that has ended, change nothing', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  await runOnce(world, [paying()]);
  world.append('Order-1', 'Paid');
  await world.settle([paying()]);
  const before = await world.types('Order-1');
  world.append('Order-1', 'Paid');
  world.now += 86_400_000;
  await world.settle([paying()]);
  expect(await world.types('Order-1')).toEqual(before);
});

test('ten thousand instances wait, and the process holds none of them', async () => {
  const world = new SagaWorld();
  const orders = Array.from({ length: 10_000 }, (_, index) => `Order-${index}`);
  for (const order of orders) world.append(order, 'OrderPlaced');
  const process = await runOnce(world, [sagaOf([payment, { kind: 'sleep', name: 'rest', time: '60d' }])]);
  expect([process.worker.held, process.worker.failure]).toEqual([0, undefined]);
  expect((await world.instances.list({ phases: ['waiting'], limit: 20_000 })).length).toBe(10_000);
  for (const order of orders.slice(0, 9_000)) world.append(order, 'Paid');
  await runOnce(world, [sagaOf([payment, { kind: 'sleep', name: 'rest', time: '60d' }])]);
  const resting = (await world.instances.list({ limit: 20_000 })).filter(({ step }) => step === 'rest');
  expect(resting).toHaveLength(9_000);
  world.now += 60 * 86_400_000;
  await runOnce(world, [sagaOf([payment, { kind: 'sleep', name: 'rest', time: '60d' }])]);
  const counts = (await world.instances.count('orders')).map(({ phase, instances }) => [phase, instances]);
  expect(counts.toSorted()).toEqual([
    ['completed', 9_000],
    ['failed', 1_000],
  ]);
});

test('instances that keep failing hold no other', async () => {
  const world = new SagaWorld();
  const fail = (): never => {
    throw new NotApplied('no');
  };
  const act: SagaStep = {
    kind: 'action',
    name: 'act',
    retries: 9,
    backOff: '1h',
    action: ({ instance }) => (instance === 'Order-20' ? undefined : fail()),
  };
  for (let order = 1; order <= 20; order += 1) world.append(`Order-${order}`, 'OrderPlaced');
  const process = world.start({ sagas: [sagaOf([act])], slots: 2 });
  await world.read(process);
  await world.work(process);
  expect(await phaseOf(world, 'Order-20')).toBe('completed');
  expect((await world.instances.list({ phases: ['waiting'], limit: 99 })).length).toBe(19);
});

test('an instance whose stream cannot be read is left and named, and others go on', async () => {
  const world = new SagaWorld();
  for (const order of ['Order-1', 'Order-2']) world.append(order, 'OrderPlaced');
  await runOnce(world, [paying()]);
  world.append('saga:orders-Order-1', 'SagaStarted', null);
  for (const order of ['Order-1', 'Order-2']) world.append(order, 'Paid');
  world.now += 3_600_000;
  const process = world.start({ sagas: [paying()] });
  await world.read(process);
  await world.work(process);
  expect(process.news).toContainEqual(expect.objectContaining({ kind: 'left', instance: 'Order-1' }));
  await world.settle([paying()]);
  expect(await phaseOf(world, 'Order-2')).toBe('completed');
});

test('a trigger that the code cannot take stops, is parked or is skipped, and can be taken again', async () => {
  const saga = (id: (event: { data: { id: string } }) => string) => sagaOf([{ name: 'one' }], { id });
  const broken = saga(({ data }) => data.id.toUpperCase());
  const place = (world: SagaWorld) => {
    world.append('Order-1', 'OrderPlaced', { id: 'a' });
    world.append('Order-2', 'OrderPlaced', {});
    world.append('Order-3', 'OrderPlaced', { id: 'c' });
  };
  const stopped = new SagaWorld();
  place(stopped);
  await expect(runOnce(stopped, [broken])).rejects.toMatchObject({ code: 'E_HANDLER', details: { globalPosition: 2 } });
  expect(stopped.position).toBe(1);
  expect(await phaseOf(stopped, 'A')).toBeDefined();
  expect(await phaseOf(stopped, 'C')).toBeUndefined();

  for (const [onError, state] of [['park', 'parked'] as const, ['skip', 'skipped'] as const]) {
    const world = new SagaWorld();
    world.policy = { onError, retries: 0 };
    place(world);
    await runOnce(world, [broken]);
    expect(world.aside).toMatchObject([{ globalPosition: 2, streamId: 'Order-2', state, attempts: 1 }]);
    expect([await phaseOf(world, 'A'), await phaseOf(world, 'C')]).toEqual(['completed', 'completed']);
    const mended = world.start({ sagas: [saga(({ data }) => data.id ?? 'B')] });
    const [event] = world.log.events.slice(1);
    if (event === undefined) throw new Error('no event');
    await mended.reader.takeAgain(event);
    await world.work(mended);
    expect(await phaseOf(world, 'B')).toBe('completed');
  }
});

test('a trigger whose instance would have an id that cannot be stored is parked as any other', async () => {
  const world = new SagaWorld();
  world.policy = { onError: 'park', retries: 0 };
  for (const order of ['Order-1', 'Order-2']) world.append(order, 'OrderPlaced');
  await runOnce(world, [
    sagaOf([{ name: 'one' }], { id: ({ streamId }) => (streamId === 'Order-1' ? 'x'.repeat(300) : 'B') }),
  ]);
  expect(world.aside).toMatchObject([{ globalPosition: 1, state: 'parked' }]);
  expect(await phaseOf(world, 'B')).toBe('completed');
});

test('a match that throws stops the reading at its event', async () => {
  const world = new SagaWorld();
  const saga = paying({ match: ({ data }) => (data as { order: { id: string } }).order.id });
  world.append('Order-1', 'OrderPlaced');
  world.append('Bank-1', 'Paid', {});
  await expect(runOnce(world, [saga])).rejects.toMatchObject({ code: 'E_HANDLER', details: { type: 'Paid' } });
  expect(world.position).toBe(1);
});

test('a process that is told to stop tells its actions, and the next one repeats them with the same key', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  const keys: string[] = [];
  let reason: unknown;
  const slow = sagaOf([
    {
      name: 'slow',
      action: ({ idempotencyKey, signal }) => {
        keys.push(idempotencyKey);
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason);
          });
        });
      },
    },
  ]);
  const process = world.start({ sagas: [slow] });
  await world.read(process);
  const working = world.work(process);
  await until(async () => keys.length > 0);
  process.stop.abort(new Error('the process was told to stop'));
  await working;
  expect(reason).toMatchObject({ message: 'the process was told to stop' });
  expect((await world.types('Order-1')).at(-1)).toBe('StepInterrupted');
  expect(await world.instances.find({ saga: 'orders', instance: 'Order-1' })).toMatchObject({
    owner: null,
    error: null,
  });
  await runOnce(world, [sagaOf([{ name: 'slow', action: (context) => void keys.push(context.idempotencyKey) }])]);
  expect([await phaseOf(world), keys]).toEqual(['completed', ['orders/Order-1/slow', 'orders/Order-1/slow']]);
});

test('an action that ends within the grace is completed, and nothing begins after it', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  let finish = () => {};
  const saga = sagaOf([
    { name: 'slow', action: () => new Promise<void>((resolve) => (finish = resolve)) },
    { name: 'next' },
  ]);
  const process = world.start({ sagas: [saga], graceMs: 5_000 });
  await world.read(process);
  const working = world.work(process);
  await until(async () => (await world.types('Order-1')).includes('StepStarted'));
  process.stop.abort();
  finish();
  await working;
  expect(await world.types('Order-1')).toEqual(['SagaStarted', 'StepStarted', 'StepCompleted']);
});

test('an effect that comes after its compensation is recorded and compensated again, with its result', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  let arrive = (_result: unknown) => {};
  const undone: unknown[] = [];
  const saga = sagaOf([
    {
      name: 'slow',
      timeout: '5ms',
      action: () => new Promise((resolve) => (arrive = resolve)),
      compensate: ({ result, certain }) => {
        undone.push([result, certain]);
        if (undone.length === 1) arrive({ charge: 7 });
      },
    },
  ]);
  await runOnce(world, [saga]);
  await world.settle([saga]);
  expect(undone).toEqual([
    [undefined, false],
    [{ charge: 7 }, true],
  ]);
  expect(await world.types('Order-1')).toContain('StepCompletedLate');
  expect(await phaseOf(world)).toBe('compensated');
});

test('an instance is cancelled while it waits, and one that has ended is not', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  await runOnce(world, [paying()]);
  await cancelInstance(operated(world), 'orders', 'Order-1', 'the customer left');
  await expect(cancelInstance(operated(world), 'orders', 'Order-1', 'twice')).rejects.toMatchObject({
    code: 'E_USAGE',
  });
  world.append('Order-1', 'Paid');
  await world.settle([paying()]);
  const record = await world.instances.find({ saga: 'orders', instance: 'Order-1' });
  expect(record).toMatchObject({ phase: 'compensated', reason: 'cancelled: the customer left' });
  await expect(cancelInstance(operated(world), 'orders', 'Order-1', 'late')).rejects.toMatchObject({ code: 'E_USAGE' });
  await expect(cancelInstance(operated(world), 'orders', 'Order-9', 'none')).rejects.toMatchObject({
    code: 'E_NOT_FOUND',
  });
});

test('an instance is cancelled while a step runs: the step ends, and is undone', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  const undone: unknown[] = [];
  const saga = sagaOf([
    {
      name: 'one',
      action: async ({ record }) => {
        await record({ before: 1 });
        await cancelInstance(operated(world), 'orders', 'Order-1', 'now');
        await record({ after: 2 });
        return 'done';
      },
      compensate: ({ result, recorded }) => void undone.push([result, recorded]),
    },
    { name: 'two' },
  ]);
  await world.settle([saga]);
  expect([await phaseOf(world), undone]).toEqual(['compensated', [['done', { before: 1, after: 2 }]]]);
});

test('a step that waits for its next attempt is retried at once', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  let isBroken = true;
  const action = () => {
    if (isBroken) throw new Error('no answer');
  };
  const saga = sagaOf([{ name: 'one', retries: 5, backOff: '1m', action }]);
  await runOnce(world, [saga]);
  expect(await world.instances.find({ saga: 'orders', instance: 'Order-1' })).toMatchObject({
    phase: 'waiting',
    error: 'one: no answer',
  });
  isBroken = false;
  expect(await retryInstance(operated(world), 'orders', 'Order-1')).toMatchObject({ step: 'one' });
  await runOnce(world, [saga]);
  expect(await phaseOf(world)).toBe('completed');
  await expect(retryInstance(operated(world), 'orders', 'Order-1')).rejects.toMatchObject({ code: 'E_USAGE' });
});

test('the claims of a process that is gone are free after their time, and its step is repeated', async () => {
  const world = new SagaWorld();
  world.append('Order-1', 'OrderPlaced');
  const dead = world.start({ sagas: [sagaOf([{ name: 'one' }])], diesAt: { record: 1, moment: 'after' } });
  await world.read(dead);
  await runOnce(world, [sagaOf([{ name: 'one' }])]);
  expect(await phaseOf(world)).toBe('running');
  world.now += claimMs;
  await runOnce(world, [sagaOf([{ name: 'one' }])]);
  const instance = await loadInstance(world.log, 'orders', 'Order-1');
  expect(instance?.state).toMatchObject({ phase: 'completed', steps: [{ attempts: 2, interruptions: 1 }] });
});
