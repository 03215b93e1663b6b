/** One attempt at a step or at its compensation: record it, do it, record how it ended. */
import { setTimeout as wait } from 'node:timers/promises';
import { EvstoreError } from '../domain/errors.js';
import { scanJson } from '../domain/json.js';
import { JsonValueFault, parseJson, writeJson } from '../domain/json-value.js';
import type { Event } from '../projection/define/definition.js';
import { type StepAct, timeoutMsOf, willRetryAction, willRetryCompensation } from './decide.js';
import type { ActionContext } from './definition.js';
import type { SagaInstance } from './instance.js';
import { appendOnceAs, type SagaLog } from './log.js';
import type { SagaState, StepState } from './state.js';

/** A step that timed out and may still take effect. */
export interface LateStep {
  readonly step: string;
  readonly success: Promise<LateSuccess | undefined>;
}

/** How long an action that timed out may take to notice, before its compensation begins. */
export const graceMs = 5_000;

interface Scene {
  readonly log: SagaLog;
  /** The event that started the instance. */
  readonly trigger: Event;
}

/** Returns the step if it may still take effect. */
export async function doAction(
  instance: SagaInstance,
  { step, attempt }: StepAct,
  { log, trigger }: Scene,
): Promise<LateStep | undefined> {
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
  { log, trigger }: Scene,
): Promise<void> {
  const { state } = instance;
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

/** Records that a step took effect after its saga had begun to compensate: it is compensated, if need be again. */
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

type Outcome =
  /** What it returned, as it will be read back from JSON. */
  | { readonly kind: 'done'; readonly result: unknown }
  | {
      readonly kind: 'failed';
      readonly error: string;
      readonly timedOut: boolean;
      /** False when it may have taken effect. */
      readonly certain: boolean;
      /** Of an act that timed out: settles when the act does, with its result if it succeeded. */
      readonly late?: Promise<LateSuccess | undefined>;
    };

interface LateSuccess {
  readonly result: unknown;
}

/** In bytes of JSON: results are kept in the saga's stream. */
const maxResultBytes = 262_144;
const maxErrorCharacters = 1_000;
/** The longest delay that a timer takes. */
const maxTimerMs = 2_147_483_647;

/** Runs one action or compensation of the user's, within its time. */
async function perform(act: (signal: AbortSignal) => unknown, timeoutMs: number): Promise<Outcome> {
  const controller = new AbortController();
  const running = (async () => act(controller.signal))();
  const ended = running.then(toDone, (error) => failed(describeError(error), true));
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<'time up'>((resolve) => {
    timer = setTimeout(() => resolve('time up'), Math.min(timeoutMs, maxTimerMs));
  });
  const first = await Promise.race([ended, timeUp]);
  clearTimeout(timer);
  if (first !== 'time up') return first;
  controller.abort(new Error(`the step took longer than ${timeoutMs} ms`));
  const late = ended.then((outcome) => (outcome.kind === 'done' ? { result: outcome.result } : undefined));
  return { ...failed(`took longer than ${timeoutMs} ms`, false), timedOut: true, late };
}

/** The message of whatever was thrown, in a form every store takes. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text
    .slice(0, maxErrorCharacters)
    .replaceAll('\0', '\u{fffd}')
    .replace(/\p{Surrogate}/gu, '\u{fffd}');
}

function toDone(value: unknown): Outcome {
  try {
    const text = value === undefined ? 'null' : writeJson(value);
    if (text === undefined) return failed(`its result is a ${typeof value}, which JSON cannot express`, false);
    if (Buffer.byteLength(text) > maxResultBytes) {
      return failed(`its result is larger than ${maxResultBytes} bytes of JSON`, false);
    }
    const fault = scanJson(text);
    if (fault !== undefined) return failed(`its result cannot be stored: ${fault.reason}`, false);
    return { kind: 'done', result: parseJson(text) };
  } catch (error) {
    if (error instanceof JsonValueFault) return failed(`its result takes ${error.message}`, false);
    return failed(`its result is not JSON: ${describeError(error)}`, false);
  }
}

function failed(error: string, certain: boolean): Outcome & { kind: 'failed' } {
  return { kind: 'failed', error, timedOut: false, certain };
}
