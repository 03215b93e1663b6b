/**
 * Drives one instance until it waits or has ended: plan, record, act, record again. Each act is recorded before it is done,
 * so that the process that resumes it knows what may have happened.
 */
import type { InstanceKey } from '../store/store.js';
import type { CompensationContext } from './contexts.js';
import { retryInMs, timeoutMsOf } from './decide.js';
import type { ActionStep } from './definition.js';
import type { SagaFact } from './events.js';
import { kindOf } from './failures.js';
import type { Crew, Flight } from './flight.js';
import { causesOf } from './instance.js';
import { appendOnceAs } from './log.js';
import { type LateSuccess, type Outcome, perform, toStored } from './perform.js';
import { contextOf, type Deed, keyOf, type Plan, planNext } from './plan.js';
import { reconcile } from './reconcile.js';
import { receivedBy, type WaitSearch } from './search.js';
import { evolveSaga } from './state.js';
import type { StepState } from './step-state.js';

export interface DriveCrew extends Crew {
  readonly search: WaitSearch;
  /** Told when an instance begins to search, and so leaves its slot. */
  readonly searching: () => void;
  /** Once aborted, no act begins. */
  readonly halt: AbortSignal;
  /** Tells acts that run to end. */
  readonly stop: AbortSignal;
  /** How long they may take to end. */
  readonly graceMs: number;
  /** An action that no one waits for any more may still take effect. */
  readonly late: (key: InstanceKey, step: string, attempt: number, success: Promise<LateSuccess | undefined>) => void;
}

export type DriveEnd =
  /** Recorded, and released with the record. */
  | { readonly kind: 'recorded' }
  /** There was nothing to do. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'lost' }
  /** This code cannot drive it. */
  | { readonly kind: 'foreign'; readonly why: string };

export async function drive(flight: Flight, crew: DriveCrew): Promise<DriveEnd> {
  let { deed } = flight;
  let isRecorded = deed !== undefined;
  let pending: readonly SagaFact[] = [];
  for (;;) {
    if (deed === undefined) {
      const plan = await advance(flight, pending, crew);
      isRecorded = plan.facts.length > 0;
      if (flight.lost.aborted) return { kind: 'lost' };
      if (plan.foreign !== undefined) return { kind: 'foreign', why: plan.foreign };
      if (plan.deed === undefined) return { kind: isRecorded ? 'recorded' : 'idle' };
      deed = plan.deed;
    }
    pending = await doDeed(flight, deed, crew);
    deed = undefined;
  }
}

/** Records what an act left and what follows from it, whatever happened to the instance meanwhile. */
async function advance(flight: Flight, left: readonly SagaFact[], crew: DriveCrew): Promise<Plan> {
  let pending = left;
  for (;;) {
    const plan = await planAfter(flight, pending, crew);
    if (plan.facts.length === 0) return plan;
    if (await flight.record(plan.facts, plan.deed === undefined ? null : crew.holder, crew)) return plan;
    pending = pending.flatMap((fact) => reconcile(flight.instance.state, fact) ?? []);
  }
}

async function planAfter(flight: Flight, pending: readonly SagaFact[], crew: DriveCrew): Promise<Plan> {
  const state = await flight.withResults(pending.reduce(evolveSaga, flight.instance.state), crew);
  // One that has left its slot is claimed again once a slot is free.
  const hasToLand = crew.halt.aborted || flight.lost.aborted || (flight.isSearching && pending.length > 0);
  if (hasToLand) return { facts: pending, state, deed: undefined };
  const isDue = flight.isDue && pending.length === 0;
  const plan = planNext(state, flight.saga, await flight.trigger(crew), isDue);
  return { ...plan, facts: [...pending, ...plan.facts] };
}

/** Returns the facts to record about it. */
async function doDeed(flight: Flight, deed: Deed, crew: DriveCrew): Promise<readonly SagaFact[]> {
  if (deed.kind === 'search') {
    const { step, key, after, otherwise } = deed;
    const { received } = flight.instance.state;
    flight.isSearching = true;
    crew.searching();
    const { event, upTo } = await crew.search.find({ saga: flight.saga, step, key, after, received });
    return [event === undefined ? otherwise(upTo) : receivedBy(step.name, event)];
  }
  const { step, attempt } = deed;
  const outcome = await doAct(flight, deed, crew);
  const { late } = outcome.kind === 'done' ? {} : outcome;
  if (late !== undefined && deed.kind === 'action') crew.late(flight.key, step.name, attempt, late);
  return [deed.kind === 'action' ? actionFact(flight, deed, outcome) : compensationFact(flight, deed, outcome)];
}

type StepDeed = Exclude<Deed, { readonly kind: 'search' }>;

async function doAct(flight: Flight, { kind, step, attempt }: StepDeed, crew: DriveCrew): Promise<Outcome> {
  const context = await contextFor(flight, step, attempt, kind, crew);
  const act = kind === 'action' ? step.action : step.compensate;
  return perform((signal) => act?.({ ...context, signal }), {
    timeoutMs: timeoutMsOf(step),
    graceMs: crew.graceMs,
    stop: AbortSignal.any([crew.stop, flight.lost]),
    kindOf: (error) => kindOf(error, flight.saga.classify),
  });
}

async function contextFor(
  flight: Flight,
  { name }: ActionStep,
  attempt: number,
  kind: StepDeed['kind'],
  crew: DriveCrew,
): Promise<Omit<CompensationContext, 'signal'>> {
  const state = await flight.withResults(flight.instance.state, crew);
  const { completed: certain, result, recorded } = findStep(flight, name);
  const idempotencyKey = `${keyOf(state, name)}${kind === 'action' ? '' : '/compensate'}`;
  let recording: Promise<void> = Promise.resolve();
  return {
    ...contextOf(state, await flight.trigger(crew)),
    idempotencyKey,
    attempt,
    recorded,
    record: (values) => {
      const stored = toStored(values, 'what is recorded') as Readonly<Record<string, unknown>>;
      const fact: SagaFact = { type: 'StepRecorded', data: { step: name, values: stored } };
      recording = recording.then(() => flight.recordWithin(fact, crew));
      return recording;
    },
    append: appendOnceAs(idempotencyKey, crew.log, causesOf(flight.instance)),
    result,
    certain,
    reason: state.reason ?? '',
  };
}

function actionFact(flight: Flight, { step, attempt }: StepDeed, outcome: Outcome): SagaFact {
  const at = { step: step.name, attempt };
  if (outcome.kind === 'done') return { type: 'StepCompleted', data: { ...at, result: outcome.result } };
  if (outcome.kind === 'interrupted') return { type: 'StepInterrupted', data: { ...at, reason: outcome.reason } };
  const { error, timedOut, isCertain: certain, isFinal } = outcome;
  const again = retryInMs(step, findStep(flight, step.name).failures, isFinal);
  return { type: 'StepFailed', data: { ...at, error, timedOut, certain, retryInMs: again } };
}

function compensationFact(flight: Flight, { step, attempt }: StepDeed, outcome: Outcome): SagaFact {
  const at = { step: step.name, attempt };
  if (outcome.kind === 'done') return { type: 'CompensationCompleted', data: at };
  if (outcome.kind === 'interrupted') {
    return { type: 'CompensationInterrupted', data: { ...at, reason: outcome.reason } };
  }
  const { error, timedOut, isFinal } = outcome;
  const again = retryInMs(step, findStep(flight, step.name).compensation.failures, isFinal);
  return { type: 'CompensationFailed', data: { ...at, error, timedOut, retryInMs: again } };
}

function findStep({ instance }: Flight, name: string): StepState {
  const found = instance.state.steps.find((step) => step.name === name);
  if (found === undefined) throw new Error(`the step ${name} was never started`);
  return found;
}
