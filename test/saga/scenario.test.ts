import { expect, test } from 'vitest';
import { defineSaga, type Saga } from '../../src/saga/definition.js';
import { given, sagaScenario } from '../../src/testing.js';

const placed = given('Order-1', 'OrderPlaced', { total: 42 }, { metadata: { correlationId: 'c-1' } });

function makeSaga(change: Partial<Saga> = {}): Saga {
  return defineSaga({
    name: 'fulfilment',
    version: 1,
    startOn: 'OrderPlaced',
    steps: ['reserve', 'charge', 'ship'].map((name) => ({
      name,
      retries: 1,
      action: async ({ append, trigger }) => {
        await append(trigger.streamId, { type: `${name} done`, data: { total: trigger.data.total } });
        return { by: name };
      },
      compensate: async ({ append, trigger, result }) => {
        await append(trigger.streamId, { type: `${name} undone`, data: { by: result?.by ?? null } });
      },
    })),
    ...change,
  });
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
  const outcome = await sagaScenario(makeSaga()).given(placed).failing('ship', 'no courier').run();
  expect(outcome).toEqual({
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
  const outcome = await sagaScenario(makeSaga()).given(placed).failing('reserve').run();
  expect(outcome).toMatchObject({ phase: 'failed', completed: [], compensated: [], appended: [] });
});

test('F22: parked, and the earlier ones are not run past it', async () => {
  const outcome = await sagaScenario(makeSaga()).given(placed).failing('ship').failingToCompensate('charge').run();
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
  const { compensate: _, ...unreversible } = charge;
  const outcome = await sagaScenario({ ...saga, steps: [reserve, unreversible, ship] })
    .given(placed)
    .failing('ship')
    .run();
  expect(outcome).toMatchObject({ phase: 'compensated', compensated: ['reserve'] });
});

test('an action that runs out of time may have taken effect: it is not repeated, but undone', async () => {
  let starts = 0;
  const saga = makeSaga();
  const steps = saga.steps.map((step) => ({ ...step, timeout: '20ms' }));
  const outcome = await sagaScenario({ ...saga, steps })
    .given(placed)
    .replacing('charge', ({ signal }) => {
      starts += 1;
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    })
    .run();
  expect(starts).toBe(1);
  expect(outcome).toMatchObject({ phase: 'compensated', completed: ['reserve'], compensated: ['charge', 'reserve'] });
});

test('a late success is undone with its result', async () => {
  const saga = makeSaga();
  const steps = saga.steps.map((step) => ({ ...step, timeout: '20ms' }));
  const outcome = await sagaScenario({ ...saga, steps })
    .given(placed)
    .replacing('charge', ({ signal }) => {
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve({ by: 'late charge' })));
    })
    .run();
  expect(outcome).toMatchObject({ phase: 'compensated', compensated: ['charge', 'reserve'] });
  expect(outcome.appended).toContainEqual({ streamId: 'Order-1', type: 'charge undone', data: { by: 'late charge' } });
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
  const wrong: [Partial<Saga>, string][] = [
    [{ name: 'Order-Saga' }, 'lower-case'],
    [{ version: 0 }, 'version'],
    [{ startOn: [] }, 'startOn'],
    [{ steps: [] }, 'at least one step'],
    [{ since: 'yesterday' }, 'since'],
    [{ steps: [{ name: 'a', timeout: 'soon', action: () => {} }] }, 'soon'],
    [{ steps: [{ name: 'a', retries: -1, action: () => {} }] }, 'retries'],
    [
      {
        steps: [
          { name: 'a', action: () => {} },
          { name: 'a', action: () => {} },
        ],
      },
      'are named a',
    ],
  ];
  for (const [change, why] of wrong) {
    expect(() => sagaScenario(makeSaga(change))).toThrowError(
      expect.objectContaining({ code: 'E_CONFIG', why: expect.stringContaining(why) }),
    );
  }
});
