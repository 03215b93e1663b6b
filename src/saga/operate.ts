/** What an operator does about an instance: recorded as any other fact, without the code of the saga. */
import { EvstoreError } from '../domain/errors.js';
import { shellWord } from '../domain/shell-word.js';
import type { Holder, Store } from '../store/store.js';
import type { SagaFact } from './events.js';
import { loadInstance, planChange, type SagaInstance } from './instance.js';
import { currentStep, type SagaState } from './state.js';

type Operated = Pick<Store, 'log' | 'sagas'>;

/** A process has to act on the instance now. */
export interface Operation {
  readonly instance: SagaInstance;
  /** The step that is retried; null for a cancellation. */
  readonly step: string | null;
}

/**
 * Asks an instance to compensate what it has done, also while it waits. A step that runs ends first.
 * @throws E_NOT_FOUND when there is no such instance, E_USAGE when it has ended or is being compensated
 */
export function cancelInstance(store: Operated, saga: string, id: string, reason: string): Promise<Operation> {
  return operate(store, saga, id, undefined, (state) => cancellationOf(state, saga, id, reason));
}

/** Returns the instance that `cancelInstance` would cancel. @throws as it does */
export async function findCancellable(store: Operated, saga: string, id: string): Promise<SagaInstance> {
  const instance = await find(store, saga, id);
  cancellationOf(instance.state, saga, id, '');
  return instance;
}

function cancellationOf({ phase }: SagaState, saga: string, id: string, reason: string): SagaFact {
  if (phase === 'running' || phase === 'waiting') return { type: 'CancelRequested', data: { reason } };
  throw notNow(saga, id, phase, phase === 'compensating' ? 'it is undone already' : 'there is nothing to cancel');
}

/**
 * Retries a compensation that kept failing, or at once the step or compensation that waits for its next attempt.
 * @param holder who drives it now; undefined leaves that to the processes that run the saga
 * @throws E_NOT_FOUND when there is no such instance, E_USAGE when nothing of it can be retried
 */
export function retryInstance(store: Operated, saga: string, id: string, holder?: Holder): Promise<Operation> {
  return operate(store, saga, id, holder, (state) => retryOf(state, saga, id));
}

/** Returns the step that `retryInstance` would retry. @throws as it does */
export async function findRetryable(store: Operated, saga: string, id: string): Promise<Operation> {
  const instance = await find(store, saga, id);
  return { instance, step: stepOf(retryOf(instance.state, saga, id)) };
}

async function operate(
  store: Operated,
  saga: string,
  id: string,
  holder: Holder | undefined,
  decide: (state: SagaState) => SagaFact,
): Promise<Operation> {
  for (;;) {
    const instance = await find(store, saga, id);
    const fact = decide(instance.state);
    const { change, after } = planChange(instance, [fact], holder);
    const [outcome] = await store.sagas.record([change]);
    if (outcome?.kind !== 'conflict') return { instance: after, step: stepOf(fact) };
  }
}

function retryOf(state: SagaState, saga: string, id: string): SagaFact {
  const undone = state.steps.findLast(({ compensation }) => compensation.exhausted || compensation.retryPending);
  const isBackward = state.phase === 'compensating' || state.phase === 'compensation-failed';
  if (isBackward && undone !== undefined) return { type: 'CompensationRetried', data: { step: undone.name } };
  const step = currentStep(state);
  if (step?.retryPending) return { type: 'StepRetried', data: { step: step.name } };
  throw notNow(saga, id, state.phase, 'it has no compensation or step to retry');
}

function stepOf(fact: SagaFact): string | null {
  return 'step' in fact.data ? fact.data.step : null;
}

async function find({ log }: Operated, saga: string, id: string): Promise<SagaInstance> {
  const instance = await loadInstance(log, saga, id);
  if (instance !== undefined) return instance;
  throw new EvstoreError('E_NOT_FOUND', `saga ${saga} has no instance ${id}`, {
    next: `evstore saga list ${shellWord(saga)}`,
  });
}

function notNow(saga: string, id: string, phase: string, why: string): EvstoreError {
  return new EvstoreError('E_USAGE', `${saga} ${id} is ${phase}: ${why}`, {
    next: `evstore saga show ${shellWord(saga)} ${shellWord(id)}`,
  });
}
