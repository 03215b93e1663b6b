/** Reports on instances, read from their streams. */
import { EvstoreError } from '../domain/errors.js';
import { shellWord } from '../domain/shell-word.js';
import type { Store } from '../store/store.js';
import { sagaCategory, sagaStreamId } from './events.js';
import { SagaInstance } from './instance.js';
import type { SagaPhase, SagaState, StepState } from './state.js';

export interface InstanceReport {
  readonly saga: string;
  readonly instance: string;
  readonly state: SagaPhase;
  /** Version of the definition that started it. */
  readonly version: number;
  readonly correlationId: string;
  /** Why it is or was compensated; null if it was not. */
  readonly reason: string | null;
  /** In the order they were started. */
  readonly steps: readonly StepReport[];
}

export interface StepReport {
  readonly name: string;
  /** `unknown`: it may have taken effect. `stuck`: its compensation keeps failing. */
  readonly state: 'running' | 'completed' | 'failed' | 'unknown' | 'compensated' | 'stuck';
  readonly attempts: number;
  readonly compensations: number;
}

export interface ListOptions {
  /** All sagas if undefined. */
  readonly saga: string | undefined;
  readonly state: SagaPhase | undefined;
  /** The maximum number, most recently changed first. */
  readonly limit: number;
}

/** Lists instances, most recently changed first. Reads the stream of each. */
export async function listInstances(store: Store, options: ListOptions): Promise<readonly InstanceReport[]> {
  const found: InstanceReport[] = [];
  for (const saga of options.saga === undefined ? await listSagas(store) : [options.saga]) {
    const prefix = `${sagaCategory(saga)}-`;
    for (const { streamId } of await store.log.streams({ category: sagaCategory(saga), sort: 'recent' })) {
      if (found.length >= options.limit) return found;
      if (!streamId.startsWith(prefix)) continue;
      const instance = await SagaInstance.load(store.log, saga, streamId.slice(prefix.length));
      if (instance === undefined) continue;
      if (options.state === undefined || instance.state.phase === options.state) found.push(describe(instance.state));
    }
  }
  return found;
}

/** @throws E_NOT_FOUND */
export async function inspectInstance(store: Store, saga: string, id: string): Promise<InstanceReport> {
  const instance = await SagaInstance.load(store.log, saga, id);
  if (instance !== undefined) return describe(instance.state);
  throw new EvstoreError('E_NOT_FOUND', `saga ${saga} has no instance ${id}`, {
    why: `The stream ${sagaStreamId(saga, id)} has no events.`,
    next: `evstore saga list ${shellWord(saga)}`,
  });
}

export function describe(state: SagaState): InstanceReport {
  const { saga, instance, phase, version, correlationId, reason, steps } = state;
  return { saga, instance, state: phase, version, correlationId, reason, steps: steps.map(describeStep) };
}

async function listSagas({ projections }: Store): Promise<readonly string[]> {
  const prefix = sagaCategory('');
  const ids = (await projections.checkpoints()).map(({ subscriptionId }) => subscriptionId);
  return ids
    .filter((id) => id.startsWith(prefix))
    .map((id) => id.slice(prefix.length))
    .sort();
}

function describeStep(step: StepState): StepReport {
  const { name, attempts, compensation } = step;
  return { name, state: stateOf(step), attempts, compensations: compensation.attempts };
}

function stateOf({ open, completed, uncertain, compensation }: StepState): StepReport['state'] {
  if (compensation.exhausted) return 'stuck';
  if (compensation.completed) return 'compensated';
  if (completed) return 'completed';
  if (open) return 'running';
  return uncertain ? 'unknown' : 'failed';
}
