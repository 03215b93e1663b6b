/**
 * Fits a fact about an attempt to a state that has moved on since the attempt began: an operator cancelled the saga, or
 * another process took it over. Pure.
 */
import type { SagaFact } from './events.js';
import type { SagaState } from './state.js';
import type { StepState } from './step-state.js';

/** Returns the fact to record now; undefined when the state knows better. A success is never lost. */
export function reconcile(state: SagaState, fact: SagaFact): SagaFact | undefined {
  const step =
    'step' in fact.data ? state.steps.find(({ name }) => name === (fact.data as { step: string }).step) : undefined;
  if (step === undefined) return undefined;
  switch (fact.type) {
    case 'StepCompleted':
      return reconcileSuccess(state, step, fact);
    case 'StepFailed':
    case 'StepInterrupted':
      return step.open && step.attempts === fact.data.attempt ? fact : undefined;
    case 'CompensationCompleted':
      return isFinished(step, fact.data.attempt) || isOver(state) ? undefined : fact;
    case 'CompensationFailed':
    case 'CompensationInterrupted': {
      const { attempt } = fact.data;
      const isLast = step.compensation.attempts === attempt;
      return isLast && !isFinished(step, attempt) && !isOver(state) ? fact : undefined;
    }
    case 'StepRecorded':
      return fact;
    default:
      return undefined;
  }
}

function reconcileSuccess(
  state: SagaState,
  step: StepState,
  fact: SagaFact & { readonly type: 'StepCompleted' },
): SagaFact | undefined {
  if (step.completed && !step.compensation.completed) return undefined;
  const isForward = state.phase === 'running' || state.phase === 'waiting';
  if (isForward) return fact;
  // An attempt that is still open has its compensation ahead.
  if (state.phase === 'compensating' && step.open && step.compensation.attempts === 0) return fact;
  if (!step.compensation.registered) return undefined;
  return { type: 'StepCompletedLate', data: { step: step.name, result: fact.data.result } };
}

/** A compensation that began before a late effect says nothing about that effect. */
function isFinished({ compensation: { completed, voidAttempts } }: StepState, attempt: number): boolean {
  return completed || attempt <= voidAttempts;
}

function isOver({ phase }: SagaState): boolean {
  return phase === 'completed' || phase === 'compensated' || phase === 'failed' || phase === 'compensation-failed';
}
