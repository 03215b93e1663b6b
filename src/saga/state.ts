/** The state of an instance: a pure fold of its events. */
import type { SagaPhase } from '../domain/saga-phase.js';
import type { FactOf, SagaEventData, SagaFact, TriggerReference } from './events.js';
import { changeCompensation, changeStep, type StepState, type Wait, withStep } from './step-state.js';

/** When a process has to act on it. */
export type Due = { readonly inMs: number } | { readonly at: string };

export interface SagaState {
  readonly saga: string;
  /** Version of the definition that started it. */
  readonly version: number;
  readonly definition: string;
  readonly instance: string;
  readonly correlationId: string;
  readonly trigger: TriggerReference;
  readonly phase: SagaPhase;
  /** In the order they were started. */
  readonly steps: readonly StepState[];
  /** Why it is or was compensated. */
  readonly reason: string | null;
  /** Counted from the last fact that changed it; null when only an event or an operator moves the instance. */
  readonly due: Due | null;
  /** Ids of the events that its waits received: none is received twice. */
  readonly received: readonly string[];
}

/** Applies one event. The state is undefined before the first one. */
export function evolveSaga(state: SagaState | undefined, fact: SagaFact): SagaState {
  if (fact.type === 'SagaStarted') return startState(fact.data);
  if (state === undefined) throw new Error(`the first event of a saga is ${fact.type}, not SagaStarted`);
  switch (fact.type) {
    case 'StepStarted':
      return go(startAction(state, fact.data));
    case 'StepRecorded':
      return changeStep(state, fact.data.step, ({ recorded }) => ({ recorded: { ...recorded, ...fact.data.values } }));
    case 'StepCompleted':
      return go(completeStep(state, fact.data.step, fact.data.result));
    case 'StepFailed':
      return failStep(state, fact.data);
    case 'StepInterrupted':
      return go(changeStep(state, fact.data.step, () => ({ open: false, uncertain: true })));
    case 'StepCompletedLate':
      return go(reopenStep(state, fact.data.step, fact.data.result), 'compensating');
    case 'StepRetried':
      return go(changeStep(state, fact.data.step, () => ({ retryPending: false })));
    case 'WaitStarted':
      return pauseFor(state, fact.data.step, waitOf(fact.data), now);
    case 'WaitSearched':
      return searchWait(state, fact.data);
    case 'EventReceived':
      return receive(state, fact.data);
    case 'WaitTimedOut':
      return timeOut(state, fact.data);
    case 'SleepStarted': {
      const due = 'until' in fact.data ? { at: fact.data.until } : { inMs: fact.data.forMs };
      return pauseFor(state, fact.data.step, { kind: 'time' }, due);
    }
    case 'SleepEnded':
      return go(completeStep(state, fact.data.step, null));
    case 'CancelRequested':
      return { ...go(endWait(state), 'compensating'), reason: `cancelled: ${fact.data.reason}` };
    default:
      return evolveBackward(state, fact);
  }
}

function evolveBackward(state: SagaState, fact: Exclude<SagaFact, ForwardFact>): SagaState {
  switch (fact.type) {
    case 'CompensationStarted':
      return go(
        changeCompensation(state, fact.data.step, () => ({ attempts: fact.data.attempt, retryPending: false })),
      );
    case 'CompensationCompleted':
      return go(changeCompensation(state, fact.data.step, () => ({ completed: true, error: null })));
    case 'CompensationFailed': {
      const { step, error, retryInMs } = fact.data;
      const failed = changeCompensation(state, step, ({ failures }) => ({
        failures: failures + 1,
        retryPending: retryInMs !== null,
        exhausted: retryInMs === null,
        error,
      }));
      return { ...failed, due: { inMs: retryInMs ?? 0 } };
    }
    case 'CompensationInterrupted':
      return go(state);
    case 'CompensationRetried': {
      const change = { failures: 0, retryPending: false, exhausted: false };
      return go(
        changeCompensation(state, fact.data.step, () => change),
        'compensating',
      );
    }
    case 'SagaCompleted':
      return end(state, 'completed');
    case 'SagaCompensated':
      return end(state, 'compensated');
    case 'SagaFailed':
      return end(state, 'failed');
    case 'SagaCompensationFailed':
      return end(state, 'compensation-failed');
  }
}

type ForwardFact = FactOf<
  | 'SagaStarted'
  | 'StepStarted'
  | 'StepRecorded'
  | 'StepCompleted'
  | 'StepFailed'
  | 'StepInterrupted'
  | 'StepCompletedLate'
  | 'StepRetried'
  | 'WaitStarted'
  | 'WaitSearched'
  | 'EventReceived'
  | 'WaitTimedOut'
  | 'SleepStarted'
  | 'SleepEnded'
  | 'CancelRequested'
>;

/** Returns the step that runs or waits; undefined between steps and once it compensates. */
export function currentStep({ phase, steps }: SagaState): StepState | undefined {
  if (phase !== 'running' && phase !== 'waiting') return undefined;
  return steps.find(({ completed }) => !completed);
}

/** Returns the error of what is tried again or is tried no more; null when nothing is. */
export function describeTrouble({ phase, steps }: SagaState): string | null {
  if (phase === 'running' || phase === 'waiting') {
    const step = steps.find(({ error }) => error !== null);
    return step === undefined ? null : `${step.name}: ${step.error}`;
  }
  if (phase !== 'compensating' && phase !== 'compensation-failed') return null;
  const step = steps.find(({ compensation }) => compensation.error !== null);
  return step === undefined ? null : `compensation of ${step.name}: ${step.compensation.error}`;
}

const now: Due = { inMs: 0 };

/** A process has to act at once. Facts of a step do not turn back an instance that is being compensated. */
function go(state: SagaState, phase: 'running' | 'compensating' = 'running'): SagaState {
  return { ...state, phase: state.phase === 'compensating' ? 'compensating' : phase, due: now };
}

function end(state: SagaState, phase: SagaPhase): SagaState {
  return { ...state, phase, due: null };
}

function startState(data: SagaEventData['SagaStarted']): SagaState {
  const { saga, sagaVersion: version, definition, instance, correlationId, trigger } = data;
  const start = { phase: 'running', steps: [], reason: null, due: now, received: [] } as const;
  return { saga, version, definition, instance, correlationId, trigger, ...start };
}

function startAction(state: SagaState, { step, attempt, compensation }: SagaEventData['StepStarted']): SagaState {
  return changeStep(withStep(state, step, compensation), step, ({ open, uncertain, interruptions }) => ({
    attempts: attempt,
    uncertain: uncertain || open,
    interruptions: interruptions + Number(open),
    open: true,
    retryPending: false,
  }));
}

function completeStep(state: SagaState, step: string, result: unknown): SagaState {
  return changeStep(state, step, () => ({
    open: false,
    completed: true,
    result,
    error: null,
    wait: null,
    retryPending: false,
  }));
}

/** A step that waits fails before it has begun when the user's function throws. */
function failStep(state: SagaState, { step, error, certain, retryInMs }: SagaEventData['StepFailed']): SagaState {
  const failed = changeStep(withStep(state, step, false), step, ({ failures, uncertain }) => ({
    open: false,
    failures: failures + 1,
    uncertain: uncertain || !certain,
    retryPending: retryInMs !== null,
    error,
  }));
  if (state.phase === 'compensating') return go(failed);
  if (retryInMs !== null) return { ...failed, phase: 'waiting', due: { inMs: retryInMs } };
  return { ...go(failed, 'compensating'), reason: `${step}: ${error}` };
}

/** The step took effect late: earlier compensations of it no longer count. */
function reopenStep(state: SagaState, step: string, result: unknown): SagaState {
  const change = { failures: 0, completed: false, exhausted: false, retryPending: false };
  const completed = completeStep(state, step, result);
  return changeCompensation(completed, step, ({ attempts }) => ({ ...change, voidAttempts: attempts }));
}

function waitOf({ types, key, timeoutMs }: SagaEventData['WaitStarted']): Wait {
  return { kind: 'event', types, key, timeoutMs, searchedTo: null };
}

function pauseFor(state: SagaState, step: string, wait: Wait, due: Due): SagaState {
  const waiting = changeStep(withStep(state, step, false), step, ({ attempts }) => ({
    attempts: attempts + 1,
    retryPending: false,
    wait,
  }));
  return { ...waiting, phase: state.phase === 'compensating' ? 'compensating' : 'waiting', due };
}

function searchWait(state: SagaState, { step, upTo }: SagaEventData['WaitSearched']): SagaState {
  const wait = state.steps.find(({ name }) => name === step)?.wait;
  if (wait?.kind !== 'event') return state;
  const searched = changeStep(state, step, () => ({ wait: { ...wait, searchedTo: upTo } }));
  return { ...searched, due: wait.timeoutMs === null ? null : { inMs: wait.timeoutMs } };
}

function receive(state: SagaState, { step, event, ...rest }: SagaEventData['EventReceived']): SagaState {
  const completed = completeStep(state, step, rest.data);
  const stored = changeStep(completed, step, () => ({ resultIn: 'data' in rest ? null : event.id }));
  return go({ ...stored, received: [...state.received, event.id] });
}

/** The step that waits does not wait any more. */
function endWait(state: SagaState): SagaState {
  const step = currentStep(state);
  if (step === undefined || step.wait === null) return state;
  return changeStep(state, step.name, () => ({ wait: null, error: 'cancelled' }));
}

function timeOut(state: SagaState, { step, continues }: SagaEventData['WaitTimedOut']): SagaState {
  if (continues) return go(completeStep(state, step, null));
  const error = `the event did not come in time`;
  const late = changeStep(state, step, () => ({ wait: null, error }));
  return { ...go(late, 'compensating'), reason: state.reason ?? `${step}: ${error}` };
}
