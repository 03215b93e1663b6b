/** Decides what an instance does next, from its state and its definition. Pure. */
import { parseDuration } from '../domain/timestamp.js';
import type { ActionStep, SagaDefinition, SagaStep, SleepStep, WaitStep } from './definition.js';
import type { SagaFact } from './events.js';
import { currentStep, type SagaState } from './state.js';
import type { StepState } from './step-state.js';

export type Act =
  /** Run the action of a step, or its compensation. */
  | { readonly kind: 'action' | 'compensation'; readonly step: ActionStep; readonly attempt: number }
  /** Record that it waits; the user's functions tell for what. */
  | { readonly kind: 'wait'; readonly step: WaitStep }
  | { readonly kind: 'sleep'; readonly step: SleepStep }
  /** Look in the log, beyond `after`, for the event that it waits for. Without one, record the other fact. */
  | {
      readonly kind: 'search';
      readonly step: WaitStep;
      readonly key: string;
      readonly after: number;
      readonly otherwise: (upTo: number) => SagaFact;
    }
  /** Record an event that follows from the state. */
  | { readonly kind: 'record'; readonly fact: SagaFact }
  /** It has ended, or waits. */
  | { readonly kind: 'nothing' }
  /** The code cannot drive it: another version, or other steps under the same version. */
  | { readonly kind: 'foreign'; readonly why: string };

const defaultTimeout = '5m';
const defaultRetries = 3;
const defaultBackOff = '200ms';
const longestBackOffMs = 60_000;
/** A step is not started again after more interruptions than this: it may be what kills the process. */
const maxInterruptions = 10;

/** @param isDue the time that the state waits for is over */
export function decide(state: SagaState, saga: SagaDefinition, isDue: boolean): Act {
  if (state.phase === 'compensating') return decideBackward(state, saga, isDue);
  if (state.phase !== 'running' && state.phase !== 'waiting') return { kind: 'nothing' };
  const current = currentStep(state);
  const place = current === undefined ? state.steps.length : state.steps.indexOf(current);
  const step = saga.steps[place];
  if (current !== undefined && step?.name !== current.name) return foreign(current.name, place);
  if (step === undefined) return { kind: 'record', fact: { type: 'SagaCompleted', data: {} } };
  if (current?.retryPending && !isDue) return { kind: 'nothing' };
  if (step.kind === 'action') return decideAction(step, current);
  return decideWait(state, step, current, isDue);
}

/** Returns after how many milliseconds a failed attempt is retried; null when it is not. */
export function retryInMs(step: SagaStep, failuresBefore: number, isFinal: boolean): number | null {
  const { retries = defaultRetries, backOff = defaultBackOff } = step.kind === 'action' ? step : {};
  if (isFinal || failuresBefore >= retries) return null;
  return Math.min(parseDuration(backOff) * 2 ** failuresBefore, longestBackOffMs);
}

export function timeoutMsOf(step: ActionStep): number {
  return parseDuration(step.timeout ?? defaultTimeout);
}

function decideAction(step: ActionStep, current: StepState | undefined): Act {
  if (current?.open && current.interruptions >= maxInterruptions) return giveUp(current);
  return { kind: 'action', step, attempt: (current?.attempts ?? 0) + 1 };
}

function giveUp({ name, attempts, interruptions }: StepState): Act {
  const error = `interrupted ${interruptions + 1} times`;
  const failure = { step: name, attempt: attempts, error, timedOut: false, certain: false, retryInMs: null };
  return { kind: 'record', fact: { type: 'StepFailed', data: failure } };
}

function decideWait(state: SagaState, step: WaitStep | SleepStep, current: StepState | undefined, isDue: boolean): Act {
  const { name } = step;
  const wait = current?.wait ?? null;
  if (step.kind === 'sleep') {
    if (wait === null) return { kind: 'sleep', step };
    return isDue ? { kind: 'record', fact: { type: 'SleepEnded', data: { step: name } } } : { kind: 'nothing' };
  }
  if (wait?.kind !== 'event') return { kind: 'wait', step };
  const { key, searchedTo } = wait;
  if (searchedTo === null) {
    const otherwise = (upTo: number): SagaFact => ({ type: 'WaitSearched', data: { step: name, upTo } });
    return { kind: 'search', step, key, after: state.trigger.globalPosition, otherwise };
  }
  if (!isDue || state.due === null) return { kind: 'nothing' };
  // An event that came in time counts, even if no process has read the log since.
  const continues = step.onTimeout === 'continue';
  const otherwise = (upTo: number): SagaFact => ({ type: 'WaitTimedOut', data: { step: name, upTo, continues } });
  return { kind: 'search', step, key, after: searchedTo, otherwise };
}

/** Compensates, last in first out, every step that took effect or may have. */
function decideBackward(state: SagaState, saga: SagaDefinition, isDue: boolean): Act {
  const reason = state.reason ?? '';
  const last = state.steps.findLast(needsCompensation);
  if (last === undefined) {
    const undone = state.steps.some(({ compensation }) => compensation.completed);
    return { kind: 'record', fact: { type: undone ? 'SagaCompensated' : 'SagaFailed', data: { reason } } };
  }
  const { attempts, exhausted, retryPending } = last.compensation;
  const place = state.steps.indexOf(last);
  const step = saga.steps[place];
  if (step?.name !== last.name || step.kind !== 'action' || step.compensate === undefined)
    return foreign(last.name, place);
  if (exhausted) {
    return { kind: 'record', fact: { type: 'SagaCompensationFailed', data: { step: step.name, reason } } };
  }
  if (retryPending && !isDue) return { kind: 'nothing' };
  return { kind: 'compensation', step, attempt: attempts + 1 };
}

function needsCompensation({ completed, uncertain, open, compensation }: StepState): boolean {
  return compensation.registered && !compensation.completed && (completed || uncertain || open);
}

function foreign(name: string, place: number): Act {
  return { kind: 'foreign', why: `its step ${place + 1} is ${name}, and the code has another there` };
}
