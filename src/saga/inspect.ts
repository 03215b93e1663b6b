/** Reports on instances, read from their streams. */
import { EvstoreError } from '../domain/errors.js';
import type { SagaPhase } from '../domain/saga-phase.js';
import { shellWord } from '../domain/shell-word.js';
import { findSimilar } from '../domain/similar.js';
import type { InstanceCount, InstanceRecord, Store } from '../store/store.js';
import { sagaCategory, sagaStreamId, type TriggerReference } from './events.js';
import { listSagas } from './health.js';
import { loadInstance } from './instance.js';
import { currentStep, describeTrouble, type SagaState } from './state.js';
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

export interface InstanceWait {
  readonly step: string;
  /** `retry`: the next attempt of the step or of its compensation. */
  readonly kind: 'event' | 'time' | 'retry';
  /** Of the events that end it, and their key; null for another kind. */
  readonly types: readonly string[] | null;
  readonly key: string | null;
  /** RFC 3339; null for ever. */
  readonly until: string | null;
}

export interface InstanceDetail extends InstanceReport {
  /** RFC 3339. */
  readonly startedAt: string | null;
  /** The event that started it. */
  readonly trigger: TriggerReference | null;
  /** Null when it waits for nothing. */
  readonly waitsFor: InstanceWait | null;
  /** The process that holds it. */
  readonly owner: string | null;
  readonly steps: readonly StepDetail[];
}

/** What the row of an instance says. */
export interface InstanceSummary {
  readonly saga: string;
  readonly instance: string;
  readonly state: SagaPhase;
  readonly version: number;
  readonly correlationId: string;
  readonly reason: string | null;
  readonly error: string | null;
  /** The step that it is at, and its attempt; null once it has ended. */
  readonly step: string | null;
  readonly attempt: number;
  /** RFC 3339: when it was started, came to its step and last moved. */
  readonly startedAt: string;
  readonly since: string;
  readonly movedAt: string;
  /** When a process has to act on it; null when only an event or an operator moves it. */
  readonly dueAt: string | null;
  /** Under which an event finds it; null when it waits for none. */
  readonly waitKey: string | null;
  /** The process that holds it. */
  readonly owner: string | null;
}

export interface StateCount {
  readonly saga: string;
  readonly state: SagaPhase;
  readonly instances: number;
}

export interface InstanceList {
  readonly instances: readonly InstanceSummary[];
  /** Of all instances of the sagas that were asked for, whatever their state. */
  readonly counts: readonly StateCount[];
}

export interface ListOptions {
  /** All sagas if undefined. */
  readonly saga: string | undefined;
  readonly state: SagaPhase | undefined;
  /** Only those that have not moved for so many milliseconds. */
  readonly olderThanMs?: number | undefined;
  /** The maximum number, most recently changed first. */
  readonly limit: number;
}

/** Lists instances, the last moved first. Reads their rows, and no stream. */
export async function listInstances({ sagas }: Pick<Store, 'sagas'>, options: ListOptions): Promise<InstanceList> {
  const { saga, state, olderThanMs: notMovedForMs, limit } = options;
  const [records, counts] = await Promise.all([
    sagas.list({ saga, phases: state && [state], notMovedForMs, limit }),
    sagas.count(saga),
  ]);
  return { instances: records.map(summarise), counts: countStates(counts) };
}

/** Adds up versions and definitions. */
export function countStates(counts: readonly InstanceCount[]): readonly StateCount[] {
  const states = new Map<string, StateCount>();
  for (const { saga, phase: state, instances } of counts) {
    const place = JSON.stringify([saga, state]);
    states.set(place, { saga, state, instances: (states.get(place)?.instances ?? 0) + instances });
  }
  return [...states.values()];
}

export function summarise(record: InstanceRecord): InstanceSummary {
  const { saga, instance, phase: state, sagaVersion: version, correlationId, reason, error } = record;
  const { step, attempt, startedAt, since, movedAt, dueAt, waitKey, owner } = record;
  const known = { saga, instance, state, version, correlationId, reason, error };
  return { ...known, step, attempt, startedAt, since, movedAt, dueAt, waitKey, owner };
}

/** @throws E_NOT_FOUND with the name that was probably meant */
export async function inspectInstance(store: Store, saga: string, id: string): Promise<InstanceDetail> {
  const [instance, record] = await Promise.all([
    loadInstance(store.log, saga, id),
    store.sagas.find({ saga, instance: id }),
  ]);
  if (instance === undefined) throw await notFound(store, saga, id, 'show');
  const { startedAt, steps: times } = await readTimeline(store, saga, id);
  const { state } = instance;
  const report = describe(state);
  const unknown = { startedAt: null, endedAt: null, compensatedAt: null };
  const steps = report.steps.map((step) => ({ ...step, ...(times.get(step.name) ?? unknown) }));
  const waitsFor = waitOf(state, record?.dueAt ?? null);
  return { ...report, startedAt, trigger: state.trigger ?? null, steps, waitsFor, owner: record?.owner ?? null };
}

function waitOf(state: SagaState, dueAt: string | null): InstanceWait | null {
  if (state.phase !== 'waiting' && state.phase !== 'compensating') return null;
  const current = currentStep(state);
  const undone = state.steps.findLast(({ compensation }) => compensation.retryPending);
  const step = current ?? undone;
  if (step === undefined) return null;
  const none = { step: step.name, types: null, key: null, until: dueAt };
  if (current === undefined || step.retryPending) return { ...none, kind: 'retry' };
  if (step.wait?.kind === 'time') return { ...none, kind: 'time' };
  if (step.wait === null) return null;
  const { types, key } = step.wait;
  return { ...none, kind: 'event', types, key, until: step.wait.searchedTo === null ? null : dueAt };
}

/** Asserts that there is such an instance. @throws E_NOT_FOUND with the name that was probably meant */
export async function assertInstance(store: Store, saga: string, id: string, command: string): Promise<void> {
  if ((await loadInstance(store.log, saga, id)) === undefined) throw await notFound(store, saga, id, command);
}

async function notFound(store: Store, saga: string, id: string, command: string): Promise<EvstoreError> {
  await assertSagaKnown(store, saga);
  const prefix = `${sagaCategory(saga)}-`;
  const streams = await store.log.streams({ prefix, limit: mostNames });
  const meant = findSimilar(
    id,
    streams.map(({ streamId }) => streamId.slice(prefix.length)),
  );
  return new EvstoreError('E_NOT_FOUND', `saga ${saga} has no instance ${id}`, {
    why: meant === undefined ? `The stream ${sagaStreamId(saga, id)} has no events.` : `Did you mean ${meant}?`,
    next:
      meant === undefined
        ? `evstore saga list ${shellWord(saga)}`
        : `evstore saga ${command} ${shellWord(saga)} ${shellWord(meant)}`,
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
