/** Checks that what a file exports is a saga that can run. */
import { EvstoreError } from '../domain/errors.js';
import { normaliseTimestamp, parseDuration } from '../domain/timestamp.js';
import { findMisspelt } from '../projection/define/shape.js';
import { findUpcasterFaults } from '../projection/define/upcaster.js';
import type { ActionStep, SagaDefinition, SagaStep, WaitStep } from './definition.js';

/** Checks the shape, not the class: the file may have loaded another copy of evstore. */
export function isSaga(value: unknown): value is SagaDefinition {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'saga';
}

/** @throws E_CONFIG naming what is wrong */
export function checkSaga<Saga extends SagaDefinition>(saga: Saga): Saga {
  const { name, version, steps } = saga;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
    throw wrong('a saga', 'Its name is 1 to 63 lower-case letters, digits and _, beginning with a letter.');
  }
  const who = `saga ${name}`;
  assertSpelt(who, '', saga, sagaKeys);
  if (!Number.isSafeInteger(version) || version < 1) throw wrong(who, 'Its version is a whole number from 1.');
  if (!areTexts(saga.startOn)) throw wrong(who, 'startOn names the event types that start it.');
  if (saga.since !== undefined && !isTimestamp(saga.since)) {
    throw wrong(who, 'since is a time such as 2026-01-31T09:30:00Z.');
  }
  if (saga.id !== undefined && typeof saga.id !== 'function') throw wrong(who, 'id is a function of the event.');
  if (saga.classify !== undefined && typeof saga.classify !== 'function') {
    throw wrong(who, 'classify is a function of the error.');
  }
  const [fault] = findUpcasterFaults(saga.upcasters);
  if (fault !== undefined) throw wrong(who, `Its ${fault}.`);
  if (!Array.isArray(steps) || steps.length === 0) throw wrong(who, 'It has at least one step.');
  for (const step of steps) checkStep(who, step);
  const names = steps.map((step) => step.name);
  const twice = names.find((step, index) => names.indexOf(step) !== index);
  if (twice !== undefined) throw wrong(who, `Two of its steps are named ${twice}.`);
  return saga;
}

/** The event types that start an instance. */
export function triggerTypes({ startOn }: SagaDefinition): readonly string[] {
  return textsOf(startOn);
}

/** The event types that its steps wait for. */
export function waitedTypes({ steps }: SagaDefinition): readonly string[] {
  return [...new Set(steps.flatMap((step) => (step.kind === 'event' ? textsOf(step.type) : [])))];
}

export function textsOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : [...value];
}

function areTexts(value: unknown): boolean {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.length > 0 && texts.every((text) => typeof text === 'string' && text !== '');
}

function isTimestamp(value: unknown): boolean {
  try {
    return typeof value === 'string' && normaliseTimestamp(value) !== '';
  } catch {
    return false;
  }
}

function checkStep(who: string, step: SagaStep): void {
  const { name } = step;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_-]{0,62}$/.test(name)) {
    throw wrong(who, 'The name of a step is lower-case letters, digits, _ and -, beginning with a letter.');
  }
  if (!Object.hasOwn(stepKeys, step.kind))
    throw wrong(who, `The step ${name} was not added by step, waitFor or sleep.`);
  assertSpelt(who, `In the step ${name}, `, step, stepKeys[step.kind]);
  for (const [key, value] of Object.entries(step)) {
    if (!['action', 'compensate', 'match', 'key'].includes(key) || value === undefined) continue;
    if (typeof value !== 'function') throw wrong(who, `The ${key} of the step ${name} is not a function.`);
  }
  if (step.kind === 'sleep') checkDurations(who, name, typeof step.time === 'function' ? [] : [step.time]);
  else if (step.kind === 'event') checkWait(who, step);
  else checkAction(who, step);
}

function checkWait(who: string, { name, type, onTimeout, timeout }: WaitStep): void {
  if (!areTexts(type)) throw wrong(who, `The type of the step ${name} names the event types that it waits for.`);
  if (onTimeout !== undefined && onTimeout !== 'compensate' && onTimeout !== 'continue') {
    throw wrong(who, `The onTimeout of the step ${name} is compensate or continue.`);
  }
  checkDurations(who, name, [timeout]);
}

function checkAction(who: string, { name, action, retries, timeout, backOff }: ActionStep): void {
  if (action === undefined) throw wrong(who, `The step ${name} has no action.`);
  if (retries !== undefined && !(Number.isSafeInteger(retries) && retries >= 0)) {
    throw wrong(who, `The retries of the step ${name} are not a whole number from 0.`);
  }
  checkDurations(who, name, [timeout, backOff]);
}

function checkDurations(who: string, step: string, durations: readonly (string | undefined)[]): void {
  for (const duration of durations) {
    if (duration === undefined) continue;
    try {
      parseDuration(duration);
    } catch (error) {
      throw wrong(who, `In the step ${step}, ${String(duration)} is not a duration such as 30s.`, error);
    }
  }
}

const sagaKeys = [
  ...['kind', 'name', 'version', 'startOn', 'since', 'id', 'upcasters', 'roundNumbers', 'classify', 'steps'],
  ...['step', 'waitFor', 'sleep', 'file'],
];
const stepKeys: Readonly<Record<SagaStep['kind'], readonly string[]>> = {
  action: ['kind', 'name', 'timeout', 'retries', 'backOff', 'action', 'compensate'],
  event: ['kind', 'name', 'type', 'match', 'key', 'timeout', 'onTimeout'],
  sleep: ['kind', 'name', 'time'],
};

/** A compensation that is ignored would be missed when it is needed. */
function assertSpelt(who: string, place: string, value: object, known: readonly string[]): void {
  const [fault] = findMisspelt(value, known);
  if (fault !== undefined) throw wrong(who, `${place === '' ? 'The ' : `${place}the `}${fault}`);
}

function wrong(who: string, why: string, cause?: unknown): EvstoreError {
  return new EvstoreError('E_CONFIG', `the definition of ${who} is wrong`, { why, cause });
}
