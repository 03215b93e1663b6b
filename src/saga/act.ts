/** One attempt at a step or at its compensation: recorded, done, and its end recorded. */
import { setTimeout as wait } from 'node:timers/promises';
import { EvstoreError } from '../domain/errors.js';
import type { Event } from '../projection/define/definition.js';
import { toEvent } from '../projection/define/event.js';
import { type StepAct, timeoutMsOf, willRetryAction, willRetryCompensation } from './decide.js';
import type { ActionContext, Saga } from './definition.js';
import type { SagaInstance } from './instance.js';
import { appendOnceAs, type SagaLog } from './log.js';
import { type LateSuccess, perform } from './perform.js';
import type { SagaState, StepState } from './state.js';

/** A step that had run out of time, and may yet go through. */
export interface LateStep {
  readonly step: string;
  readonly success: Promise<LateSuccess | undefined>;
}

/** How long an action that ran out of time may take to notice, before its compensation begins. */
export const graceMs = 5_000;

/** Where an act takes place. */
interface Scene {
  readonly log: SagaLog;
  readonly saga: Saga;
}

/** What comes back is what may still go through. */
export async function doAction(
  instance: SagaInstance,
  { step, attempt }: StepAct,
  { log, saga }: Scene,
): Promise<LateStep | undefined> {
  const trigger = await readTrigger(log, saga, instance.state);
  const idempotencyKey = keyOf(instance.state, step.name);
  const compensation = step.compensate !== undefined;
  await instance.record({
    type: 'StepStarted',
    data: { step: step.name, attempt, idempotencyKey, compensation },
  });
  const context = contextOf(instance, log, trigger, idempotencyKey, attempt);
  const outcome = await perform((signal) => step.action({ ...context, signal }), timeoutMsOf(step));
  if (outcome.kind === 'done') {
    await instance.record({ type: 'StepCompleted', data: { step: step.name, attempt, result: outcome.result } });
    return undefined;
  }
  const { error, timedOut, certain, late } = outcome;
  const willRetry = willRetryAction(step, findStep(instance.state, step.name).failures, certain);
  await instance.record({
    type: 'StepFailed',
    data: { step: step.name, attempt, error, timedOut, certain, willRetry },
  });
  return late && awaitGrace(instance, step.name, late);
}

export async function doCompensation(
  instance: SagaInstance,
  { step, attempt }: StepAct,
  { log, saga }: Scene,
): Promise<void> {
  const { state } = instance;
  const trigger = await readTrigger(log, saga, state);
  const { completed: certain, result } = findStep(state, step.name);
  const idempotencyKey = `${keyOf(state, step.name)}/compensate`;
  await instance.record({ type: 'CompensationStarted', data: { step: step.name, attempt, idempotencyKey } });
  const context = {
    ...contextOf(instance, log, trigger, idempotencyKey, attempt),
    result,
    certain,
    reason: state.reason ?? '',
  };
  const outcome = await perform((signal) => step.compensate?.({ ...context, signal }), timeoutMsOf(step));
  if (outcome.kind === 'done') {
    await instance.record({ type: 'CompensationCompleted', data: { step: step.name, attempt } });
    return;
  }
  const { error, timedOut } = outcome;
  const willRetry = willRetryCompensation(step, findStep(instance.state, step.name).compensation.failures);
  await instance.record({ type: 'CompensationFailed', data: { step: step.name, attempt, error, timedOut, willRetry } });
}

/** A step went through after its saga had begun to undo it: it is undone, again if it was already. */
export async function recordLateSuccess(instance: SagaInstance, step: string, { result }: LateSuccess): Promise<void> {
  if (!findStep(instance.state, step).compensation.registered) return;
  await instance.record({ type: 'StepCompletedLate', data: { step, result } });
}

async function awaitGrace(
  instance: SagaInstance,
  step: string,
  success: Promise<LateSuccess | undefined>,
): Promise<LateStep | undefined> {
  const stop = new AbortController();
  const graceOver = wait(graceMs, 'over' as const, { signal: stop.signal }).catch(() => 'over' as const);
  const first = await Promise.race([success, graceOver]);
  stop.abort();
  if (first === 'over') return { step, success };
  if (first !== undefined) await recordLateSuccess(instance, step, first);
  return undefined;
}

async function readTrigger(log: SagaLog, { name, upcasters }: Saga, state: SagaState): Promise<Event> {
  const { instance, trigger } = state;
  const event = await log.find(trigger.id);
  if (event !== undefined) return toEvent(event, upcasters);
  throw new EvstoreError('E_CORRUPT', `the event that started ${name} ${instance} is not in the store`, {
    why: `It is the ${trigger.type} with the id ${trigger.id}.`,
  });
}

function contextOf(
  instance: SagaInstance,
  log: SagaLog,
  trigger: Event,
  idempotencyKey: string,
  attempt: number,
): Omit<ActionContext, 'signal'> {
  const { state, causes } = instance;
  const completed = state.steps.filter((step) => step.completed);
  return {
    trigger,
    results: Object.fromEntries(completed.map(({ name, result }) => [name, result])),
    idempotencyKey,
    attempt,
    correlationId: state.correlationId,
    append: appendOnceAs(idempotencyKey, log, causes),
  };
}

function keyOf({ saga, instance }: SagaState, step: string): string {
  return `${saga}/${instance}/${step}`;
}

function findStep({ steps }: SagaState, name: string): StepState {
  const found = steps.find((step) => step.name === name);
  if (found === undefined) throw new EvstoreError('E_BUG', `the step ${name} was never started`);
  return found;
}
