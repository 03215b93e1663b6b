/**
 * Plans what to record next, and what to do once it is recorded. Pure but for the user's functions that tell what to wait
 * for.
 */
import { normaliseTimestamp, parseDuration } from '../domain/timestamp.js';
import type { Event } from '../projection/define/definition.js';
import { describeValue } from '../projection/define/values.js';
import type { StepContext } from './contexts.js';
import { type Act, decide, retryInMs } from './decide.js';
import type { SagaDefinition, SleepStep, WaitStep } from './definition.js';
import type { SagaFact } from './events.js';
import { describeError, kindOf } from './failures.js';
import { currentStep, evolveSaga, type SagaState } from './state.js';
import { textsOf } from './validate.js';

export type Deed = Extract<Act, { readonly kind: 'action' | 'compensation' | 'search' }>;

export interface Plan {
  /** What follows from the state, and the announcement of the deed. */
  readonly facts: readonly SagaFact[];
  /** After these facts. */
  readonly state: SagaState;
  /** What to do once they are recorded; undefined when the instance has ended or waits. */
  readonly deed: Deed | undefined;
  /** Why the code cannot drive it. */
  readonly foreign?: string;
}

/** The key that waits are found by, in bytes: it is in an index. */
const longestKey = 1_024;

export function planNext(state: SagaState, saga: SagaDefinition, trigger: Event, isDue: boolean): Plan {
  const facts: SagaFact[] = [];
  let next = state;
  for (;;) {
    const act = decide(next, saga, isDue && facts.length === 0);
    if (act.kind === 'nothing') return { facts, state: next, deed: undefined };
    if (act.kind === 'foreign') return { facts, state: next, deed: undefined, foreign: act.why };
    if (act.kind === 'search') return { facts, state: next, deed: act };
    const fact = factOf(act, next, saga, trigger);
    facts.push(fact);
    next = evolveSaga(next, fact);
    if (act.kind === 'action' || act.kind === 'compensation') return { facts, state: next, deed: act };
  }
}

export function keyOf({ saga, instance }: SagaState, step: string): string {
  return `${saga}/${instance}/${step}`;
}

export function contextOf(state: SagaState, trigger: Event): StepContext {
  const { steps, instance, correlationId } = state;
  const completed = steps.filter((step) => step.completed);
  const results = Object.fromEntries(completed.map(({ name, result }) => [name, result]));
  return { trigger, results, instance, correlationId };
}

function factOf(
  act: Exclude<Act, { readonly kind: 'search' | 'nothing' | 'foreign' }>,
  state: SagaState,
  saga: SagaDefinition,
  trigger: Event,
): SagaFact {
  switch (act.kind) {
    case 'record':
      return act.fact;
    case 'action': {
      const { step, attempt } = act;
      const idempotencyKey = keyOf(state, step.name);
      const compensation = step.compensate !== undefined;
      return { type: 'StepStarted', data: { step: step.name, attempt, idempotencyKey, compensation } };
    }
    case 'compensation': {
      const { step, attempt } = act;
      const idempotencyKey = `${keyOf(state, step.name)}/compensate`;
      return { type: 'CompensationStarted', data: { step: step.name, attempt, idempotencyKey } };
    }
    default:
      return tryToWait(act.step, state, saga, trigger);
  }
}

/** A function of the user's that throws fails the step, as an action that certainly took no effect. */
function tryToWait(step: WaitStep | SleepStep, state: SagaState, saga: SagaDefinition, trigger: Event): SagaFact {
  try {
    return step.kind === 'sleep' ? toSleep(step, state, trigger) : toWait(step, state, trigger);
  } catch (error) {
    const current = currentStep(state);
    const { isFinal } = kindOf(error, saga.classify);
    const failure = { error: describeError(error), timedOut: false, certain: true };
    const again = retryInMs(step, current?.failures ?? 0, isFinal);
    const attempt = (current?.attempts ?? 0) + 1;
    return { type: 'StepFailed', data: { step: step.name, attempt, ...failure, retryInMs: again } };
  }
}

function toWait({ name, type, key, timeout }: WaitStep, state: SagaState, trigger: Event): SagaFact {
  const found: unknown = key === undefined ? state.instance : key(contextOf(state, trigger));
  if (typeof found !== 'string' || found === '' || Buffer.byteLength(found) > longestKey) {
    throw new TypeError(`key returned ${describeValue(found)}, not a text of 1 to ${longestKey} bytes`);
  }
  const timeoutMs = timeout === undefined ? null : parseDuration(timeout);
  return { type: 'WaitStarted', data: { step: name, types: textsOf(type), key: found, timeoutMs } };
}

function toSleep({ name, time }: SleepStep, state: SagaState, trigger: Event): SagaFact {
  const found: unknown = typeof time === 'function' ? time(contextOf(state, trigger)) : time;
  if (found instanceof Date) return { type: 'SleepStarted', data: { step: name, until: found.toISOString() } };
  if (typeof found !== 'string') throw new TypeError(`the time to sleep is ${describeValue(found)}`);
  if (/^\s*\d+(\.\d+)?[a-z]+\s*$/.test(found)) {
    return { type: 'SleepStarted', data: { step: name, forMs: parseDuration(found) } };
  }
  return { type: 'SleepStarted', data: { step: name, until: normaliseTimestamp(found) } };
}
