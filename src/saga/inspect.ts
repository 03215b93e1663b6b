/** Reports on instances, read from their streams. */
import { EvstoreError } from '../domain/errors.js';
import type { SagaPhase } from '../domain/saga-phase.js';
import { shellWord } from '../domain/shell-word.js';
import { findSimilar } from '../domain/similar.js';
import type { Store } from '../store/store.js';
import { sagaCategory, sagaStreamId, type TriggerReference } from './events.js';
import { loadInstance } from './instance.js';
import { describeTrouble, type SagaState } from './state.js';
import type { StepState } from './step-state.js';
import { readTimeline, type StepTimes } from './timeline.js';

/** Of the instances of a saga, to find the one that was meant. */
const mostNames = 1_000;

export interface InstanceReport {
  readonly saga: string;
  readonly instance: string;
  readonly state: SagaPhase;
  /** Version of the definition that started it. */
  readonly version: number;
  readonly correlationId: string;
  /** Why it is or was compensated; null if it was not. */
  readonly reason: string | null;
  /** What it is held up by: the error of a compensation or step that fails, named. Null for one that is not. */
  readonly error: string | null;
  /** In the order they were started. */
  readonly steps: readonly StepReport[];
}

export interface StepReport {
  readonly name: string;
  /** `unknown`: it may have taken effect. `stuck`: its compensation keeps failing. */
  readonly state: 'running' | 'waiting' | 'completed' | 'failed' | 'unknown' | 'compensated' | 'stuck';
  readonly attempts: number;
  readonly compensations: number;
  /** Of the last attempt that failed, of the step or then of its compensation; null when it succeeded. */
  readonly error: string | null;
  readonly compensationError: string | null;
}

export interface StepDetail extends StepReport, StepTimes {}

export interface InstanceDetail extends InstanceReport {
  /** RFC 3339. */
  readonly startedAt: string | null;
  /** The event that started it. */
  readonly trigger: TriggerReference | null;
  readonly steps: readonly StepDetail[];
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
  const { saga, state, limit } = options;
  const records = await store.sagas.list({ saga, phases: state && [state], limit });
  const found = await Promise.all(records.map((each) => loadInstance(store.log, each.saga, each.instance)));
  return found.flatMap((instance) => (instance === undefined ? [] : [describe(instance.state)]));
}

/** @throws E_NOT_FOUND with the name that was probably meant */
export async function inspectInstance(store: Store, saga: string, id: string): Promise<InstanceDetail> {
  const instance = await loadInstance(store.log, saga, id);
  if (instance !== undefined) {
    const { startedAt, steps: times } = await readTimeline(store, saga, id);
    const report = describe(instance.state);
    const unknown = { startedAt: null, endedAt: null, compensatedAt: null };
    const steps = report.steps.map((step) => ({ ...step, ...(times.get(step.name) ?? unknown) }));
    return { ...report, startedAt, trigger: instance.state.trigger ?? null, steps };
  }
  await assertSagaKnown(store, saga);
  const prefix = `${sagaCategory(saga)}-`;
  const streams = await store.log.streams({ category: sagaCategory(saga), limit: mostNames });
  const ids = streams.flatMap(({ streamId }) => (streamId.startsWith(prefix) ? [streamId.slice(prefix.length)] : []));
  const meant = findSimilar(id, ids);
  throw new EvstoreError('E_NOT_FOUND', `saga ${saga} has no instance ${id}`, {
    why: meant === undefined ? `The stream ${sagaStreamId(saga, id)} has no events.` : `Did you mean ${meant}?`,
    next:
      meant === undefined
        ? `evstore saga list ${shellWord(saga)}`
        : `evstore saga show ${shellWord(saga)} ${shellWord(meant)}`,
  });
}

/** @throws E_NOT_FOUND for a saga that never ran on this store */
export async function assertSagaKnown(store: Store, name: string): Promise<void> {
  const known = await listSagas(store);
  if (known.includes(name)) return;
  if ((await store.log.streams({ category: sagaCategory(name), limit: 1 })).length > 0) return;
  throw unknownSaga(`no saga is called '${name}'`, name, known, 'No saga has run on this store.');
}

/** @param none what to say where there are no others */
export function unknownSaga(what: string, name: string, known: readonly string[], none: string): EvstoreError {
  const meant = findSimilar(name, known);
  const others = known.length === 0 ? none : `There are: ${known.join(', ')}.`;
  return new EvstoreError('E_NOT_FOUND', what, {
    why: meant === undefined ? others : `Did you mean ${meant}?`,
    next: meant === undefined ? 'evstore saga list' : `evstore saga list ${shellWord(meant)}`,
    details: { saga: name, known },
  });
}

export function describe(state: SagaState): InstanceReport {
  const { saga, instance, phase, version, correlationId, reason, steps } = state;
  const error = describeTrouble(state);
  return { saga, instance, state: phase, version, correlationId, reason, error, steps: steps.map(describeStep) };
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
  const { name, attempts, error, compensation } = step;
  const compensations = compensation.attempts;
  return { name, state: stateOf(step), attempts, compensations, error, compensationError: compensation.error };
}

function stateOf({ open, completed, uncertain, wait, compensation }: StepState): StepReport['state'] {
  if (compensation.exhausted) return 'stuck';
  if (compensation.completed) return 'compensated';
  if (completed) return 'completed';
  if (open) return 'running';
  if (wait !== null) return 'waiting';
  return uncertain ? 'unknown' : 'failed';
}
