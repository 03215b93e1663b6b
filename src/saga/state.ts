/** The state of an instance: a pure fold of its events. */
import type { SagaEventData, SagaFact, TriggerReference } from './events.js';

export type SagaPhase = 'running' | 'compensating' | 'completed' | 'compensated' | 'failed' | 'compensation-failed';

export interface SagaState {
  readonly saga: string;
  /** Version of the definition that started it. */
  readonly version: number;
  readonly instance: string;
  readonly correlationId: string;
  readonly trigger: TriggerReference;
  readonly phase: SagaPhase;
  /** In the order they were started. */
  readonly steps: readonly StepState[];
  /** Why it is or was compensated. */
  readonly reason: string | null;
}

export interface StepState {
  readonly name: string;
  readonly attempts: number;
  readonly failures: number;
  /** An attempt started, and how it ended is unknown. */
  readonly open: boolean;
  readonly completed: boolean;
  /** Attempts that ended because their process did. */
  readonly interruptions: number;
  /** An attempt ended, and whether it took effect is unknown. */
  readonly uncertain: boolean;
  readonly result: unknown;
  /** Of its last attempt that failed; null when a later one succeeded. */
  readonly error: string | null;
  readonly compensation: CompensationState;
}

interface CompensationState {
  /** The step had a compensation when it started. */
  readonly registered: boolean;
  readonly attempts: number;
  readonly failures: number;
  readonly completed: boolean;
  /** It used up its retries. */
  readonly exhausted: boolean;
  /** Of its last attempt that failed; null when a later one succeeded. */
  readonly error: string | null;
}

/** Applies one event. The state is undefined before the first one. */
export function evolveSaga(state: SagaState | undefined, fact: SagaFact): SagaState {
  if (fact.type === 'SagaStarted') return startState(fact.data);
  if (state === undefined) throw new Error(`the first event of a saga is ${fact.type}, not SagaStarted`);
  switch (fact.type) {
    case 'StepStarted':
      return changeStep(startStep(state, fact.data), fact.data.step, (step) => ({
        attempts: fact.data.attempt,
        uncertain: step.uncertain || step.open,
        interruptions: step.interruptions + Number(step.open),
        open: true,
      }));
    case 'StepCompleted':
      return changeStep(state, fact.data.step, () => ({
        open: false,
        completed: true,
        result: fact.data.result,
        error: null,
      }));
    case 'StepFailed':
      return failStep(state, fact.data);
    case 'StepCompletedLate':
      return { ...reopenStep(state, fact.data.step, fact.data.result), phase: 'compensating' };
    case 'CompensationStarted':
      return changeCompensation(state, fact.data.step, () => ({ attempts: fact.data.attempt }));
    case 'CompensationCompleted':
      return changeCompensation(state, fact.data.step, () => ({ completed: true, error: null }));
    case 'CompensationFailed':
      return changeCompensation(state, fact.data.step, ({ failures }) => ({
        failures: failures + 1,
        exhausted: !fact.data.willRetry,
        error: fact.data.error,
      }));
    case 'CompensationRetried':
      return {
        ...changeCompensation(state, fact.data.step, () => ({ failures: 0, exhausted: false })),
        phase: 'compensating',
      };
    case 'SagaCompleted':
      return { ...state, phase: 'completed' };
    case 'SagaCompensated':
      return { ...state, phase: 'compensated' };
    case 'SagaFailed':
      return { ...state, phase: 'failed' };
    case 'SagaCompensationFailed':
      return { ...state, phase: 'compensation-failed' };
  }
}

/** Returns the error of what is tried again or is tried no more; null when nothing is. */
export function describeTrouble({ phase, steps }: SagaState): string | null {
  if (phase === 'running') {
    const step = steps.find(({ error }) => error !== null);
    return step === undefined ? null : `${step.name}: ${step.error}`;
  }
  if (phase !== 'compensating' && phase !== 'compensation-failed') return null;
  const step = steps.find(({ compensation }) => compensation.error !== null);
  return step === undefined ? null : `compensation of ${step.name}: ${step.compensation.error}`;
}

function startState({ saga, sagaVersion, instance, correlationId, trigger }: SagaEventData['SagaStarted']): SagaState {
  const phase = 'running';
  return { saga, version: sagaVersion, instance, correlationId, trigger, phase, steps: [], reason: null };
}

function startStep(state: SagaState, { step, compensation }: SagaEventData['StepStarted']): SagaState {
  if (state.steps.some(({ name }) => name === step)) return state;
  const fresh: StepState = {
    name: step,
    attempts: 0,
    failures: 0,
    open: false,
    completed: false,
    interruptions: 0,
    uncertain: false,
    result: undefined,
    error: null,
    compensation: {
      registered: compensation,
      attempts: 0,
      failures: 0,
      completed: false,
      exhausted: false,
      error: null,
    },
  };
  return { ...state, steps: [...state.steps, fresh] };
}

function failStep(state: SagaState, { step, error, certain, willRetry }: SagaEventData['StepFailed']): SagaState {
  const failed = changeStep(state, step, ({ failures, uncertain }) => ({
    open: false,
    failures: failures + 1,
    uncertain: uncertain || !certain,
    error,
  }));
  return willRetry ? failed : { ...failed, phase: 'compensating', reason: `${step}: ${error}` };
}

/** The step took effect late: earlier compensations of it no longer count. */
function reopenStep(state: SagaState, name: string, result: unknown): SagaState {
  const done = changeStep(state, name, () => ({ completed: true, result, error: null }));
  return changeCompensation(done, name, () => ({ failures: 0, completed: false, exhausted: false }));
}

function changeStep(state: SagaState, name: string, change: (step: StepState) => Partial<StepState>): SagaState {
  return { ...state, steps: state.steps.map((step) => (step.name === name ? { ...step, ...change(step) } : step)) };
}

function changeCompensation(
  state: SagaState,
  name: string,
  change: (compensation: CompensationState) => Partial<CompensationState>,
): SagaState {
  return changeStep(state, name, ({ compensation }) => ({
    compensation: { ...compensation, ...change(compensation) },
  }));
}
