/** Retries a compensation that kept failing. */
import { EvstoreError } from '../domain/errors.js';
import { shellWord } from '../domain/shell-word.js';
import type { Saga } from './definition.js';
import { SagaInstance } from './instance.js';
import { type DriveEnd, driveInstance } from './instance-loop.js';
import type { SagaLog } from './log.js';

/**
 * Returns a parked instance, and the step whose compensation kept failing.
 * @throws E_NOT_FOUND when there is no such instance, E_USAGE when it is not parked
 */
export async function findParked(
  log: SagaLog,
  saga: Saga,
  id: string,
): Promise<{ readonly instance: SagaInstance; readonly step: string }> {
  const instance = await SagaInstance.load(log, saga.name, id);
  if (instance === undefined)
    throw new EvstoreError('E_NOT_FOUND', `saga ${saga.name} has no instance ${id}`, {
      next: `evstore saga list ${saga.name}`,
    });
  const { phase, steps } = instance.state;
  const stuck = steps.find(({ compensation }) => compensation.exhausted);
  if (phase !== 'compensation-failed' || stuck === undefined) {
    throw new EvstoreError('E_USAGE', `${saga.name} ${id} is ${phase}: it has no compensation to retry`, {
      next: `evstore saga show ${saga.name} ${shellWord(id)}`,
    });
  }
  return { instance, step: stuck.name };
}

/**
 * Resumes a parked instance where it stopped and drives it to its end.
 * @throws E_NOT_FOUND when there is no such instance, E_USAGE when it is not parked
 */
export async function retryCompensation(
  log: SagaLog,
  saga: Saga,
  id: string,
  signal: AbortSignal,
): Promise<{ readonly instance: SagaInstance; readonly end: DriveEnd }> {
  const { instance, step } = await findParked(log, saga, id);
  await instance.record({ type: 'CompensationRetried', data: { step } });
  return { instance, end: await driveInstance(instance, { log, saga, signal }) };
}
