/** Checks that what a file exports is a saga that can run. */
import { EvstoreError } from '../domain/errors.js';
import { normaliseTimestamp, parseDuration } from '../domain/timestamp.js';
import { findMisspelt } from '../projection/define/shape.js';
import { findUpcasterFaults } from '../projection/define/upcaster.js';
import type { Saga, SagaStep } from './definition.js';

/** Checks the shape, not the class: the file may have loaded another copy of evstore. */
export function isSaga(value: unknown): value is Saga {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'saga';
}

/** @throws E_CONFIG naming what is wrong */
export function checkSaga(saga: Saga): Saga {
  const { name, version, steps } = saga;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
    throw wrong('a saga', 'Its name is 1 to 63 lower-case letters, digits and _, beginning with a letter.');
  }
  const who = `saga ${name}`;
  assertSpelt(who, '', saga, sagaKeys);
  if (!Number.isSafeInteger(version) || version < 1) throw wrong(who, 'Its version is a whole number from 1.');
  const types = triggerTypes(saga);
  if (types.length === 0 || types.some((type) => typeof type !== 'string' || type === '')) {
    throw wrong(who, 'startOn names the event types that start it.');
  }
  if (saga.since !== undefined && !isTimestamp(saga.since)) {
    throw wrong(who, 'since is a time such as 2026-01-31T09:30:00Z.');
  }
  if (saga.id !== undefined && typeof saga.id !== 'function') throw wrong(who, 'id is a function of the event.');
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
export function triggerTypes(saga: Saga): readonly string[] {
  return typeof saga.startOn === 'string' ? [saga.startOn] : [...saga.startOn];
}

function isTimestamp(value: unknown): boolean {
  try {
    return typeof value === 'string' && normaliseTimestamp(value) !== '';
  } catch {
    return false;
  }
}

function checkStep(who: string, step: SagaStep): void {
  if (typeof step?.name !== 'string' || !/^[a-z][a-z0-9_-]{0,62}$/.test(step.name)) {
    throw wrong(who, 'The name of a step is lower-case letters, digits, _ and -, beginning with a letter.');
  }
  assertSpelt(who, `In the step ${step.name}, `, step, stepKeys);
  if (typeof step.action !== 'function') throw wrong(who, `The step ${step.name} has no action.`);
  if (step.compensate !== undefined && typeof step.compensate !== 'function') {
    throw wrong(who, `The compensation of the step ${step.name} is not a function.`);
  }
  if (step.retries !== undefined && !(Number.isSafeInteger(step.retries) && step.retries >= 0)) {
    throw wrong(who, `The retries of the step ${step.name} are not a whole number from 0.`);
  }
  for (const duration of [step.timeout, step.backOff]) {
    if (duration === undefined) continue;
    try {
      parseDuration(duration);
    } catch (error) {
      throw wrong(who, `In the step ${step.name}, ${String(duration)} is not a duration such as 30s.`, error);
    }
  }
}

const sagaKeys = ['kind', 'name', 'version', 'startOn', 'since', 'id', 'upcasters', 'roundNumbers', 'steps'];
const stepKeys = ['name', 'timeout', 'retries', 'backOff', 'action', 'compensate'];

/** A compensation that is ignored would be missed when it is needed. */
function assertSpelt(who: string, place: string, value: object, known: readonly string[]): void {
  const [fault] = findMisspelt(value, known);
  if (fault !== undefined) throw wrong(who, `${place === '' ? 'The ' : `${place}the `}${fault}`);
}

function wrong(who: string, why: string, cause?: unknown): EvstoreError {
  return new EvstoreError('E_CONFIG', `the definition of ${who} is wrong`, { why, cause });
}
