/** Decides what an instance does next, from its state and its definition. Pure. */
import { parseDuration } from '../domain/timestamp.js';
import type { Saga, SagaStep } from './definition.js';
import type { SagaFact } from './events.js';
import type { SagaState, StepState } from './state.js';

/** Run a step's action or its compensation. */
export interface StepAct {
  readonly kind: 'action' | 'compensation';
  readonly step: SagaStep;
  readonly attempt: number;
  /** How long to wait first. */
  readonly delayMs: number;
}

export type Act =
  | StepAct
  /** Record an event that follows from the state. */
  | { readonly kind: 'record'; readonly fact: SagaFact }
  /** It has ended. */
  | { readonly kind: 'nothing' }
  /** The code cannot drive it: another version, or other steps under the same version. */
  | { readonly kind: 'foreign'; readonly why: string };

const defaultTimeout = '5m';
const defaultRetries = 3;
const defaultBackOff = '200ms';
const longestBackOffMs = 60_000;
/** A step is not started again after more interruptions than this: it may be what kills the process. */
const maxInterruptions = 10;

export function decide(state: SagaState, saga: Saga): Act {
  if (state.phase !== 'running' && state.phase !== 'compensating') return { kind: 'nothing' };
  const foreign = findDifference(state, saga);
  if (foreign !== undefined) return { kind: 'foreign', why: foreign };
  return state.phase === 'running' ? decideForward(state, saga) : decideBackward(state, saga);
}

/** Returns whether a failed action is retried. An action that may have taken effect is not. */
export function willRetryAction(step: SagaStep, failuresBefore: number, certain: boolean): boolean {
  return certain && failuresBefore < retriesOf(step);
}

export function willRetryCompensation(step: SagaStep, failuresBefore: number): boolean {
  return failuresBefore < retriesOf(step);
}

export function timeoutMsOf(step: SagaStep): number {
  return parseDuration(step.timeout ?? defaultTimeout);
}

function decideForward(state: SagaState, saga: Saga): Act {
  const current = state.steps.find((step) => !step.completed);
  const step = saga.steps[current === undefined ? state.steps.length : state.steps.indexOf(current)];
  if (step === undefined) return { kind: 'record', fact: { type: 'SagaCompleted', data: {} } };
  if (current?.open && current.interruptions >= maxInterruptions) return giveUp(current);
  const delayMs = current === undefined || current.open ? 0 : backOffMs(step, current.failures);
  return { kind: 'action', step, attempt: (current?.attempts ?? 0) + 1, delayMs };
}

function giveUp({ name, attempts, interruptions }: StepState): Act {
  const error = `interrupted ${interruptions + 1} times`;
  const failure = { step: name, attempt: attempts, error, timedOut: false, certain: false, willRetry: false };
  return { kind: 'record', fact: { type: 'StepFailed', data: failure } };
}

/** Compensates, last in first out, every step that took effect or may have. */
function decideBackward(state: SagaState, saga: Saga): Act {
  const reason = state.reason ?? '';
  const last = state.steps.findLast(needsCompensation);
  const step = saga.steps.find(({ name }) => name === last?.name);
  if (last === undefined || step === undefined) {
    const undone = state.steps.some(({ compensation }) => compensation.completed);
    return { kind: 'record', fact: { type: undone ? 'SagaCompensated' : 'SagaFailed', data: { reason } } };
  }
  const { attempts, failures, exhausted } = last.compensation;
  if (exhausted) {
    return { kind: 'record', fact: { type: 'SagaCompensationFailed', data: { step: step.name, reason } } };
  }
  return { kind: 'compensation', step, attempt: attempts + 1, delayMs: backOffMs(step, failures) };
}

function needsCompensation({ completed, uncertain, open, compensation }: StepState): boolean {
  return compensation.registered && !compensation.completed && (completed || uncertain || open);
}

function findDifference(state: SagaState, saga: Saga): string | undefined {
  if (state.version !== saga.version) {
    return `it was started by version ${state.version} of the saga, and the code has version ${saga.version}`;
  }
  const index = state.steps.findIndex((step, place) => step.name !== saga.steps[place]?.name);
  const other = state.steps[index];
  if (other !== undefined) return `its step ${index + 1} is ${other.name}, and the code has another there`;
  const orphan = state.steps.find(
    ({ compensation }, place) => compensation.registered && saga.steps[place]?.compensate === undefined,
  );
  return orphan && `its step ${orphan.name} needs a compensation, and the code has none`;
}

function backOffMs(step: SagaStep, failures: number): number {
  if (failures === 0) return 0;
  return Math.min(parseDuration(step.backOff ?? defaultBackOff) * 2 ** (failures - 1), longestBackOffMs);
}

function retriesOf(step: SagaStep): number {
  return step.retries ?? defaultRetries;
}
