import { expect, test } from 'vitest';
import { defineSaga, type SagaDefinition, type SagaStep } from '../../src/saga/definition.js';
import { Final, NotApplied } from '../../src/saga/failures.js';
import { given, sagaScenario } from '../../src/testing.js';
import { sagaOf } from '../support/sagas.js';

const placed = given('Order-1', 'OrderPlaced', { total: 42 }, { metadata: { correlationId: 'c-1' } });

function makeSaga(change: Partial<SagaDefinition> = {}): SagaDefinition {
  const steps = ['reserve', 'charge', 'ship'].map(
    (name): SagaStep => ({
      kind: 'action',
      name,
      retries: 1,
      action: async ({ append, trigger }) => {
        await append(trigger.streamId, { type: `${name} done`, data: { total: trigger.data.total } });
        return { by: name };
      },
      compensate: async ({ append, trigger, result }) => {
        await append(trigger.streamId, { type: `${name} undone`, data: { by: result?.by ?? null } });
      },
    }),
  );
  return sagaOf([], { name: 'fulfilment', steps, ...change });
}

/** An action that certainly takes no effect. */
function refuse(message: string) {
  return () => {
    throw new NotApplied(message);
  };
}

test('steps run in order, and each sees the results before it', async () => {
  const seen: unknown[] = [];
  const outcome = await sagaScenario(makeSaga())
    .given(placed)
    .replacing('ship', ({ results, idempotencyKey, attempt, correlationId }) => {
      seen.push(results, idempotencyKey, attempt, correlationId);
    })
    .run();
  expect(outcome).toMatchObject({ phase: 'completed', completed: ['reserve', 'charge', 'ship'], compensated: [] });
  expect(outcome.appended.map(({ type }) => type)).toEqual(['reserve done', 'charge done']);
  expect(seen).toEqual([{ reserve: { by: 'reserve' }, charge: { by: 'charge' } }, 'fulfilment/Order-1/ship', 1, 'c-1']);
});

test('a step that fails in every attempt undoes the ones before it, last in first out', async () => {
  const outcome = await sagaScenario(makeSaga()).given(placed).replacing('ship', refuse('no courier')).run();
  expect(outcome).toMatchObject({
    phase: 'compensated',
    completed: ['reserve', 'charge'],
    compensated: ['charge', 'reserve'],
    appended: [
      { streamId: 'Order-1', type: 'reserve done', data: { total: 42 } },
      { streamId: 'Order-1', type: 'charge done', data: { total: 42 } },
      { streamId: 'Order-1', type: 'charge undone', data: { by: 'charge' } },
      { streamId: 'Order-1', type: 'reserve undone', data: { by: 'reserve' } },
    ],
    reason: 'ship: no courier',
  });
});

test('F23: nothing to undo is failed, not compensated', async () => {
  const outcome = await sagaScenario(makeSaga()).given(placed).replacing('reserve', refuse('no stock')).run();
  expect(outcome).toMatchObject({ phase: 'failed', completed: [], compensated: [], appended: [] });
});

test('F22: parked, and the earlier ones are not run past it', async () => {
  const outcome = await sagaScenario(makeSaga())
    .given(placed)
    .replacing('ship', refuse('no'))
    .failingToCompensate('charge')
    .run();
  expect(outcome).toMatchObject({ phase: 'compensation-failed', compensated: [] });
});

test('an action that throws is tried again with the same key, and appends once', async () => {
  const attempts: [number, string][] = [];
  const outcome = await sagaScenario(makeSaga())
    .given(placed)
    .replacing('charge', async ({ attempt, idempotencyKey, append }) => {
      attempts.push([attempt, idempotencyKey]);
      await append('Payment-1', { type: 'Charged', data: { attempt } });
      if (attempt === 1) throw new Error('the answer was lost');
    })
    .run();
  expect(attempts).toEqual([
    [1, 'fulfilment/Order-1/charge'],
    [2, 'fulfilment/Order-1/charge'],
  ]);
  expect(outcome.appended.filter(({ type }) => type === 'Charged')).toEqual([
    { streamId: 'Payment-1', type: 'Charged', data: { attempt: 1 } },
  ]);
});

test('a step without a compensation is left as it is', async () => {
  const saga = makeSaga();
  const [reserve, charge, ship] = saga.steps;
  if (reserve === undefined || charge === undefined || ship === undefined) throw new Error('three steps');
  const unreversible = { kind: 'action', name: 'charge', action: () => {} } as const;
  const outcome = await sagaScenario({ ...saga, steps: [reserve, unreversible, ship] })
    .given(placed)
    .replacing('ship', refuse('no courier'))
    .run();
  expect(outcome).toMatchObject({ phase: 'compensated', compensated: ['reserve'] });
});

test('an action that runs out of time may have taken effect: it is repeated with its key, then undone', async () => {
  const keys: string[] = [];
  const saga = makeSaga();
  const outcome = await sagaScenario(saga)
    .given(placed)
    .replacing('charge', ({ idempotencyKey }) => {
      keys.push(idempotencyKey);
      throw new Error('no answer');
    })
    .run();
  expect(keys).toEqual(['fulfilment/Order-1/charge', 'fulfilment/Order-1/charge']);
  const late = await sagaScenario(saga).given(placed).timingOut('charge').run();
  for (const each of [outcome, late]) {
    expect(each).toMatchObject({ phase: 'compensated', completed: ['reserve'], compensated: ['charge', 'reserve'] });
  }
  expect(late.history.filter((type) => type === 'StepFailed')).toHaveLength(2);
  expect(late.reason).toContain('took longer');
});

test('an action that ends while it is told to stop is completed', async () => {
  const saga = makeSaga();
  const steps = saga.steps.map((step) => ({ ...step, timeout: '20ms' }));
  const outcome = await sagaScenario({ ...saga, steps })
    .given(placed)
    .replacing('charge', ({ signal }) => {
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ by: 'late charge' })));
    })
    .run();
  expect(outcome).toMatchObject({ phase: 'completed', completed: ['reserve', 'charge', 'ship'] });
});

test('an action that is interrupted is repeated, and its effect is not counted as a failure', async () => {
  const outcome = await sagaScenario(makeSaga()).given(placed).interrupted('charge').run();
  expect(outcome).toMatchObject({ phase: 'completed', completed: ['reserve', 'charge', 'ship'] });
  expect(outcome.history).toContain('StepInterrupted');
  expect(outcome.appended.map(({ type }) => type)).toEqual(['reserve done', 'charge done', 'ship done']);
});

test('the effect of an action whose answer is lost is undone, with what it recorded', async () => {
  const saga = defineSaga({ name: 'pay', version: 1, startOn: 'OrderPlaced' }).step('charge', {
    retries: 2,
    action: async ({ record, attempt, recorded }) => {
      await record({ [`charge${attempt}`]: attempt, last: Object.keys(recorded).length });
    },
    compensate: ({ recorded, certain, result, append }) =>
      append('Bank-1', { type: 'Refunded', data: { recorded, certain, result: result ?? null } }),
  });
  const outcome = await sagaScenario(saga).given(placed).unknown('charge').run();
  expect(outcome).toMatchObject({ phase: 'compensated', compensated: ['charge'] });
  const recorded = { charge1: 1, charge2: 2, charge3: 3, last: 3 };
  expect(outcome.appended).toEqual([
    { streamId: 'Bank-1', type: 'Refunded', data: { recorded, certain: false, result: null } },
  ]);
});

test.each([
  ['NotApplied', () => new NotApplied('no'), 2, 'failed'],
  ['NotApplied, final', () => new NotApplied('no', { final: true }), 1, 'failed'],
  ['Final', () => new Final('no'), 1, 'compensated'],
  ['of another copy', () => Object.assign(new Error('no'), { name: 'NotApplied', applied: false }), 2, 'failed'],
  ['classified', () => Object.assign(new Error('no'), { code: 'declined' }), 1, 'failed'],
  ['any other', () => new Error('no'), 2, 'compensated'],
])('what an error means: %s', async (_name, make, attempts, phase) => {
  let seen = 0;
  const classify = (error: unknown) =>
    (error as { code?: string }).code === 'declined' ? 'not-applied-final' : 'unknown';
  const outcome = await sagaScenario(makeSaga({ classify }))
    .given(placed)
    .replacing('reserve', () => {
      seen += 1;
      throw make();
    })
    .run();
  expect([seen, outcome.phase]).toEqual([attempts, phase]);
});

const paying = defineSaga({ name: 'paying', version: 1, startOn: 'OrderPlaced' })
  .step('reserve', {
    action: () => ({ shelf: 7 }),
    compensate: ({ append, reason }) => append('Stock-1', { type: 'Released', data: { reason } }),
  })
  .waitFor('payment', { type: 'OrderPaid', match: ({ data }) => data.order, timeout: '60d' })
  .sleep('cool-off', '2d')
  .step('ship', {
    action: ({ results, append }) =>
      append('Ship-1', { type: 'Shipped', data: [results.reserve.shelf, results.payment.by] }),
  });
const paid = (order: string, by = 'ada') => given('Bank-1', 'OrderPaid', { order, by });
const dayMs = 86_400_000;

test.each([
  ['before it waits', sagaScenario(paying).given(placed, paid('Order-2'), paid('Order-1'), paid('Order-1', 'eve'))],
  [
    'while it waits',
    sagaScenario(paying).given(placed).receiving(paid('Order-2'), paid('Order-1'), paid('Order-1', 'eve')),
  ],
])('an event that comes %s ends the wait, and its data is the result', async (_when, scenario) => {
  const outcome = await scenario.run();
  expect(outcome).toMatchObject({ phase: 'completed', completed: ['reserve', 'payment', 'cool-off', 'ship'] });
  expect(outcome.appended).toEqual([{ streamId: 'Ship-1', type: 'Shipped', data: [7, 'ada'] }]);
  expect(outcome.tookMs).toBe(2 * dayMs);
});

test('an event from before the trigger does not count, and one that never comes is waited for sixty days', async () => {
  const outcome = await sagaScenario(paying).given(paid('Order-1'), placed).run();
  expect(outcome).toMatchObject({ phase: 'compensated', compensated: ['reserve'], tookMs: 60 * dayMs });
  expect(outcome.reason).toBe('payment: the event did not come in time');
  expect(outcome.history.filter((type) => type.startsWith('Wait'))).toEqual([
    'WaitStarted',
    'WaitSearched',
    'WaitTimedOut',
  ]);
});

test('a wait may go on without its event, or have no end', async () => {
  const base = defineSaga({ name: 'patient', version: 1, startOn: 'OrderPlaced' });
  const going = base
    .waitFor('word', { type: ['Yes', 'No'], timeout: '1h', onTimeout: 'continue' })
    .step('use', { action: ({ results, append }) => append('Word-1', { type: 'Used', data: results.word }) });
  const outcome = await sagaScenario(going).given(placed).run();
  expect(outcome).toMatchObject({ phase: 'completed', tookMs: dayMs / 24, appended: [{ data: null }] });
  const endless = await sagaScenario(base.waitFor('word', { type: 'Yes' }))
    .given(placed)
    .run();
  expect(endless).toMatchObject({ phase: 'waiting', tookMs: 0 });
});

test('two waits for one type get two events, in the order of the log', async () => {
  const twice = defineSaga({ name: 'twice', version: 1, startOn: 'OrderPlaced' })
    .waitFor('first', { type: 'OrderPaid', key: ({ trigger }) => trigger.streamId, match: ({ data }) => data.order })
    .waitFor('second', { type: 'OrderPaid', match: ({ data }) => data.order })
    .step('tell', {
      action: ({ results, append }) => append('T-1', { type: 'Told', data: [results.first.by, results.second.by] }),
    });
  const events = [paid('Order-1', 'one'), paid('Order-1', 'two'), paid('Order-1', 'three')];
  for (const scenario of [
    sagaScenario(twice).given(placed, ...events),
    sagaScenario(twice)
      .given(placed)
      .receiving(...events),
  ]) {
    expect((await scenario.run()).appended).toMatchObject([{ data: ['one', 'two'] }]);
  }
});

test('a key or a time to sleep that throws fails its step', async () => {
  const broken = defineSaga({ name: 'broken', version: 1, startOn: 'OrderPlaced' })
    .step('reserve', { action: () => {}, compensate: () => {} })
    .sleep('until', ({ trigger }) => trigger.data.none.at);
  const outcome = await sagaScenario(broken).given(placed).run();
  expect(outcome).toMatchObject({ phase: 'compensated', compensated: ['reserve'] });
  expect(outcome.history.filter((type) => type === 'StepFailed')).toHaveLength(4);
});

test.each([
  [{ amount: Number.NaN }, 'NaN at amount'],
  [{ paid: [1, undefined] }, 'undefined at paid.1'],
  [{ by: new Map([['ada', 1]]) }, 'a Map at by'],
  [() => 1, 'a function'],
])('a result that JSON would change is an unknown outcome: %o', async (result, fault) => {
  const outcome = await sagaScenario(makeSaga())
    .given(placed)
    .replacing('charge', () => result)
    .run();
  expect(outcome).toMatchObject({ phase: 'compensated', compensated: ['charge', 'reserve'] });
  expect(outcome.reason).toContain(fault);
});

test('a BigInt in a result reaches later steps with every digit, and a strange error is recorded', async () => {
  let seen: unknown;
  const outcome = await sagaScenario(makeSaga())
    .given(placed)
    .replacing('reserve', () => ({ id: 9007199254740993n }))
    .replacing('charge', ({ results }) => {
      seen = results.reserve;
    })
    .run();
  expect(outcome.phase).toBe('completed');
  expect(seen).toEqual({ id: 9007199254740993n });
  const strange = await sagaScenario(makeSaga()).given(placed).failing('reserve', 'nul \0 and half \ud800').run();
  expect(strange.reason).toBe('reserve: nul \u{fffd} and half \u{fffd}');
});

test('a saga with a wrong definition is refused, and the error names the fault', () => {
  const action = { kind: 'action', name: 'a', action: () => {} } as const;
  const wrong: [Partial<SagaDefinition>, string][] = [
    [{ name: 'Order-Saga' }, 'lower-case'],
    [{ version: 0 }, 'version'],
    [{ startOn: [] }, 'startOn'],
    [{ steps: [] }, 'at least one step'],
    [{ since: 'yesterday' }, 'since'],
    [{ steps: [{ ...action, timeout: 'soon' }] }, 'soon'],
    [{ steps: [{ ...action, retries: -1 }] }, 'retries'],
    [{ steps: [{ kind: 'sleep', name: 'a', time: 'soon' }] }, 'soon'],
    [{ steps: [{ kind: 'event', name: 'a', type: [] }] }, 'event types'],
    [{ steps: [{ kind: 'event', name: 'a', type: 'B', onTimeout: 'stop' as never }] }, 'onTimeout'],
    [{ steps: [{ name: 'a', action: () => {} } as never] }, 'was not added'],
    [{ steps: [action, action] }, 'are named a'],
  ];
  for (const [change, why] of wrong) {
    expect(() => sagaScenario(makeSaga(change))).toThrowError(
      expect.objectContaining({ code: 'E_CONFIG', why: expect.stringContaining(why) }),
    );
  }
});
