/** Every history a saga can have, by chance: whatever happens, what took effect is undone last first, or all is done. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide, retryInMs } from '../../src/saga/decide.js';
import type { SagaDefinition } from '../../src/saga/definition.js';
import type { SagaFact } from '../../src/saga/events.js';
import { evolveSaga, type SagaState } from '../../src/saga/state.js';
import { sagaOf } from '../support/sagas.js';

const names = ['one', 'two', 'three'];

function makeSaga(reversible: readonly boolean[], retries: number): SagaDefinition {
  return sagaOf(
    names.map((name, index) => ({ name, retries, ...(reversible[index] === true && { compensate: () => {} }) })),
  );
}

const started: SagaFact = {
  type: 'SagaStarted',
  data: {
    saga: 'orders',
    sagaVersion: 1,
    definition: 'd',
    instance: 'Order-1',
    correlationId: 'c',
    trigger: { id: 'i', type: 'OrderPlaced', streamId: 'Order-1', globalPosition: 1 },
  },
};

type Fate = 'done' | 'refused' | 'timed out' | 'killed before' | 'killed after';

/** Plays the world: each act meets the next fate. What took effect, in order, is kept as it would be elsewhere. */
function play(saga: SagaDefinition, fates: readonly Fate[]) {
  let state: SagaState = evolveSaga(undefined, started);
  const effects: string[] = [];
  const record = (fact: SagaFact) => {
    state = evolveSaga(state, fact);
  };
  for (let turn = 0; turn < 500; turn++) {
    const act = decide(state, saga, true);
    if (act.kind === 'nothing') return { state, effects };
    if (act.kind === 'foreign') throw new Error(act.why);
    if (act.kind === 'record') {
      record(act.fact);
      continue;
    }
    if (act.kind !== 'action' && act.kind !== 'compensation') throw new Error(act.kind);
    const { name } = act.step;
    const fate = fates[turn] ?? 'done';
    const tookEffect = fate === 'done' || fate === 'timed out' || fate === 'killed after';
    const { attempt } = act;
    const key = { step: name, attempt, idempotencyKey: name };
    const happen = (effect: string) => {
      if (tookEffect && effects.at(-1) !== effect) effects.push(effect);
    };
    if (act.kind === 'action') {
      record({ type: 'StepStarted', data: { ...key, compensation: act.step.compensate !== undefined } });
      happen(`do ${name}`);
      if (fate === 'done') record({ type: 'StepCompleted', data: { step: name, attempt, result: null } });
      if (fate === 'refused' || fate === 'timed out') {
        const certain = fate === 'refused';
        const before = state.steps.find((step) => step.name === name)?.failures ?? 0;
        const again = retryInMs(act.step, before, false);
        const data = { step: name, attempt, error: fate, timedOut: !certain, certain, retryInMs: again };
        record({ type: 'StepFailed', data });
      }
    } else {
      record({ type: 'CompensationStarted', data: key });
      happen(`undo ${name}`);
      if (fate === 'done' || fate === 'timed out') {
        record({ type: 'CompensationCompleted', data: { step: name, attempt } });
      }
      if (fate === 'refused') {
        const before = state.steps.find((step) => step.name === name)?.compensation.failures ?? 0;
        const again = retryInMs(act.step, before, false);
        const data = { step: name, attempt, error: fate, timedOut: false, retryInMs: again };
        record({ type: 'CompensationFailed', data });
      }
    }
  }
  throw new Error('it never ended');
}

const fate = fc.constantFrom<Fate>('done', 'done', 'done', 'refused', 'timed out', 'killed before', 'killed after');

test('whatever happens it ends, and what took effect is undone last first, up to what is stuck', () => {
  const input = fc.tuple(
    fc.array(fate, { maxLength: 40 }),
    fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    fc.nat(2),
  );
  fc.assert(
    fc.property(input, ([fates, reversible, retries]) => {
      const { state, effects } = play(makeSaga(reversible, retries), fates);
      const done = effects.filter((effect) => effect.startsWith('do ')).map((effect) => effect.slice(3));
      const undone = effects.filter((effect) => effect.startsWith('undo ')).map((effect) => effect.slice(5));
      expect(done).toEqual(names.slice(0, done.length));
      if (state.phase === 'completed') {
        expect(effects).toEqual(names.map((name) => `do ${name}`));
        return;
      }
      const places = undone.map((name) => names.indexOf(name));
      expect(places).toEqual([...places].sort((a, b) => b - a));
      const owed = done.filter((name) => reversible[names.indexOf(name)] === true).reverse();
      if (state.phase === 'compensation-failed') {
        const stuck = state.steps.findIndex(({ compensation }) => compensation.exhausted);
        expect(places.every((place) => place >= stuck)).toBe(true);
        return;
      }
      expect(undone).toEqual(expect.arrayContaining(owed));
      expect(state.phase).toBe(
        state.steps.some(({ compensation }) => compensation.completed) ? 'compensated' : 'failed',
      );
    }),
    { numRuns: 2_000 },
  );
});

test('a step during which process after process dies is given up and undone', () => {
  const fates: Fate[] = Array.from({ length: 11 }, () => 'killed after');
  const { state, effects } = play(makeSaga([true, true, true], 3), fates);
  expect(effects).toEqual(['do one', 'undo one']);
  expect(state).toMatchObject({ phase: 'compensated', reason: 'one: interrupted 11 times' });
});

test('a wait, a sleep and a back-off end when their time is over, and not before', () => {
  const at = { step: 'one' };
  const wait = { kind: 'event', name: 'one', type: 'Paid', timeout: '1h' } as const;
  const failed = { ...at, attempt: 1, error: 'no', timedOut: false, certain: true, retryInMs: 5 };
  const cases: [SagaDefinition, readonly SagaFact[], string][] = [
    [
      sagaOf([wait]),
      [
        { type: 'WaitStarted', data: { ...at, types: ['Paid'], key: 'a', timeoutMs: 5 } },
        { type: 'WaitSearched', data: { ...at, upTo: 9 } },
      ],
      'search',
    ],
    [
      sagaOf([{ kind: 'sleep', name: 'one', time: '5ms' }]),
      [{ type: 'SleepStarted', data: { ...at, forMs: 5 } }],
      'record',
    ],
    [sagaOf([{ name: 'one', retries: 1 }]), [{ type: 'StepFailed', data: failed }], 'action'],
  ];
  for (const [saga, facts, kind] of cases) {
    const state = facts.reduce(evolveSaga, evolveSaga(undefined, started));
    expect(state).toMatchObject({ phase: 'waiting', due: { inMs: 5 } });
    expect([decide(state, saga, false).kind, decide(state, saga, true).kind]).toEqual(['nothing', kind]);
  }
});
