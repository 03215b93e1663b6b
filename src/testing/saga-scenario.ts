/** Tests a saga with the engine that runs it in production, over a store in memory whose clock no one waits for. */

import type { RecordedEvent } from '../domain/event.js';
import { endPhases, type SagaPhase } from '../domain/saga-phase.js';
import { toEvent } from '../projection/define/event.js';
import type { ReadingPlace } from '../saga/checkpoint.js';
import type { ActionStep, SagaDefinition } from '../saga/definition.js';
import { loadInstance } from '../saga/instance.js';
import { MemoryLog } from '../saga/memory-log.js';
import { MemorySagaStore } from '../saga/memory-saga-store.js';
import { SagaReader } from '../saga/reader.js';
import type { SagaState } from '../saga/state.js';
import { checkSaga, triggerTypes } from '../saga/validate.js';
import { SagaWorker } from '../saga/worker.js';
import { type GivenEvent, toNewEvent } from './given.js';

export interface SagaScenario {
  /** Adds events to the log; the last one that starts the saga is the trigger. */
  given(...events: readonly GivenEvent[]): SagaScenario;
  /** Adds events that come one by one, whenever the saga waits for an event. Without one, its time runs out. */
  receiving(...events: readonly GivenEvent[]): SagaScenario;
  /** Makes the action of this step throw in every attempt. */
  failing(step: string, message?: string): SagaScenario;
  /** Makes the action of this step take effect and then throw, in every attempt, as when answers are lost. */
  unknown(step: string, message?: string): SagaScenario;
  /** Makes the action of this step take longer than its timeout, in every attempt. */
  timingOut(step: string): SagaScenario;
  /** Stops the process after the action of this step took effect and before that is recorded, in the first attempt. */
  interrupted(step: string): SagaScenario;
  /** Makes the compensation of this step throw in every attempt. */
  failingToCompensate(step: string, message?: string): SagaScenario;
  /** Replaces the action of this step, e.g. when it calls another system. */
  replacing(step: string, action: ActionStep['action']): SagaScenario;
  /** Drives the instance until it ends, or waits for ever. Waits, sleeps and back-offs take no time. */
  run(): Promise<SagaOutcome>;
}

export interface SagaOutcome {
  readonly phase: SagaPhase;
  /** Steps that were completed, in order. */
  readonly completed: readonly string[];
  /** Steps that were compensated, in the order of their compensation. */
  readonly compensated: readonly string[];
  /** What the steps appended, in order. */
  readonly appended: readonly AppendedBySaga[];
  /** Why it was compensated; null if it was not. */
  readonly reason: string | null;
  /** The types of the events in its own stream, in order. */
  readonly history: readonly string[];
  /** How long it took by the clock of the scenario, in milliseconds. */
  readonly tookMs: number;
}

export interface AppendedBySaga {
  readonly streamId: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: data is whatever the step appended.
  readonly data: any;
}

export function sagaScenario(saga: SagaDefinition): SagaScenario {
  return new Scenario(checkSaga(saga), [], []);
}

/** How long an action that is told to end may take, of real time; it is rarely used up. */
const graceMs = 1_000;

class Scenario implements SagaScenario {
  readonly #saga: SagaDefinition;
  readonly #events: readonly GivenEvent[];
  readonly #coming: readonly GivenEvent[];
  readonly #interrupted: string | undefined;

  constructor(
    saga: SagaDefinition,
    events: readonly GivenEvent[],
    coming: readonly GivenEvent[],
    interrupted?: string | undefined,
  ) {
    this.#saga = saga;
    this.#events = events;
    this.#coming = coming;
    this.#interrupted = interrupted;
  }

  given(...events: readonly GivenEvent[]): SagaScenario {
    return new Scenario(this.#saga, [...this.#events, ...events], this.#coming, this.#interrupted);
  }

  receiving(...events: readonly GivenEvent[]): SagaScenario {
    return new Scenario(this.#saga, this.#events, [...this.#coming, ...events], this.#interrupted);
  }

  failing(step: string, message = `${step} failed`): SagaScenario {
    return this.replacing(step, () => {
      throw new Error(message);
    });
  }

  unknown(step: string, message = `the answer to ${step} was lost`): SagaScenario {
    return this.#change(step, ({ action }) => ({
      action: async (context) => {
        await action(context);
        throw new Error(message);
      },
    }));
  }

  timingOut(step: string): SagaScenario {
    return this.#change(step, () => ({ timeout: '0ms', action: ({ signal }) => untilAborted(signal) }));
  }

  interrupted(step: string): SagaScenario {
    const { name } = findAction(this.#saga, step);
    return new Scenario(this.#saga, this.#events, this.#coming, name);
  }

  failingToCompensate(step: string, message = `${step} cannot be undone`): SagaScenario {
    const compensate = (): never => {
      throw new Error(message);
    };
    return this.#change(step, () => ({ compensate }));
  }

  replacing(step: string, action: ActionStep['action']): SagaScenario {
    return this.#change(step, () => ({ action }));
  }

  async run(): Promise<SagaOutcome> {
    const stage = new Stage(this.#saga, this.#events, this.#coming, this.#interrupted);
    return stage.play();
  }

  #change(name: string, change: (step: ActionStep) => Partial<ActionStep>): SagaScenario {
    const changed = changeAction(this.#saga, name, change);
    return new Scenario(changed, this.#events, this.#coming, this.#interrupted);
  }
}

/** One run of a scenario. */
class Stage {
  readonly #saga: SagaDefinition;
  readonly #coming: GivenEvent[];
  readonly #log: MemoryLog;
  readonly #instances: MemorySagaStore;
  readonly #given: number;
  readonly #interrupted: string | undefined;
  readonly #instance: string;
  readonly #place: ReadingPlace;
  #now: number;
  #stop = new AbortController();

  constructor(
    saga: SagaDefinition,
    events: readonly GivenEvent[],
    coming: readonly GivenEvent[],
    interrupted: string | undefined,
  ) {
    this.#saga = saga;
    this.#coming = [...coming];
    this.#interrupted = interrupted;
    this.#now = 0;
    this.#log = new MemoryLog(() => this.#now);
    this.#instances = new MemorySagaStore(this.#log, () => this.#now);
    for (const event of events) this.#add(event);
    this.#given = this.#log.events.length;
    const types = triggerTypes(saga);
    const trigger = this.#log.events.findLast(({ type }) => types.includes(type));
    if (trigger === undefined) throw new Error(`no event that was given starts ${saga.name}`);
    this.#now = Date.parse(this.#log.events.at(-1)?.createdAt ?? '');
    const event = toEvent(trigger, saga);
    this.#instance = saga.id === undefined ? event.streamId : saga.id(event);
    this.#place = placeBefore(trigger);
  }

  async play(): Promise<SagaOutcome> {
    const startedAt = this.#now;
    for (;;) {
      const nextInMs = await this.#runOnce();
      if (this.#stop.signal.aborted) {
        this.#stop = new AbortController();
        continue;
      }
      const record = await this.#instances.find({ saga: this.#saga.name, instance: this.#instance });
      const coming = record?.waitKey === null ? undefined : this.#coming.shift();
      if (coming !== undefined) this.#add(coming);
      else if (nextInMs === null || endPhases.some((phase) => phase === record?.phase)) break;
      else this.#now += nextInMs;
    }
    const instance = await loadInstance(this.#log, this.#saga.name, this.#instance);
    if (instance === undefined) throw new Error(`${this.#saga.name} ${this.#instance} was not started`);
    return describeOutcome(instance.state, this.#log.events.slice(this.#given), this.#now - startedAt);
  }

  /** Returns until the instance is due, in milliseconds; null for never. */
  async #runOnce(): Promise<number | null> {
    const interrupted = this.#interrupted;
    const saga = interrupted === undefined ? this.#saga : interrupt(this.#saga, interrupted, this.#stop);
    let problem: string | undefined;
    const worker = new SagaWorker({
      log: this.#log,
      instances: this.#instances,
      sagas: [saga],
      holder: { owner: 'scenario', process: null, ttlMs: 60_000 },
      signal: this.#stop.signal,
      graceMs,
      report: (news) => {
        if (news.kind === 'left') problem = news.why;
      },
    });
    const reader = new SagaReader([saga], this.#instances, worker, {});
    await reader.read(this.#place, undefined, this.#stop.signal);
    const nextInMs = await worker.run({ after: Promise.resolve(), withinMs: 0 });
    if (worker.failure !== undefined) throw worker.failure;
    if (problem !== undefined) throw new Error(problem);
    return nextInMs;
  }

  #add(event: GivenEvent): void {
    const made = toNewEvent(event, this.#log.events.length);
    const isLater = event.createdAt === '' && this.#now > 0;
    const createdAt = isLater ? { createdAt: new Date(this.#now).toISOString() } : {};
    this.#log.appendNow(event.streamId, [{ ...made, ...createdAt }], 'any');
  }
}

function placeBefore({ globalPosition }: RecordedEvent): ReadingPlace {
  let position = globalPosition - 1;
  return {
    get position() {
      return position;
    },
    move: async (to) => {
      position = to;
    },
    setAside: async () => {},
  };
}

function interrupt(saga: SagaDefinition, name: string, stop: AbortController): SagaDefinition {
  return changeAction(saga, name, ({ action }) => ({
    action: async (context) => {
      const result: unknown = await action(context);
      if (context.attempt > 1) return result;
      stop.abort(new Error('the process was told to stop'));
      return untilAborted(context.signal);
    },
  }));
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function changeAction(
  saga: SagaDefinition,
  name: string,
  change: (step: ActionStep) => Partial<ActionStep>,
): SagaDefinition {
  const action = findAction(saga, name);
  return { ...saga, steps: saga.steps.map((step) => (step === action ? { ...step, ...change(step) } : step)) };
}

function findAction({ name: saga, steps }: SagaDefinition, name: string): ActionStep {
  const found = steps.find((step) => step.name === name);
  if (found === undefined) throw new Error(`${saga} has no step ${name}`);
  if (found.kind !== 'action') throw new Error(`the step ${name} of ${saga} has no action`);
  return found;
}

function describeOutcome(state: SagaState, added: readonly RecordedEvent[], tookMs: number): SagaOutcome {
  const own = added.filter(({ streamType }) => streamType === 'saga');
  return {
    phase: state.phase,
    completed: state.steps.filter(({ completed }) => completed).map(({ name }) => name),
    compensated: own
      .filter(({ type }) => type === 'CompensationCompleted')
      .map(({ data }) => (JSON.parse(data) as { step: string }).step),
    appended: added
      .filter(({ streamType, metadata }) => streamType !== 'saga' && isOfSaga(metadata, own))
      .map(({ streamId, type, data }) => ({ streamId, type, data: JSON.parse(data) as unknown })),
    reason: state.reason,
    history: own.map(({ type }) => type),
    tookMs,
  };
}

/** What a step appends is caused by the event that announced the step. */
function isOfSaga(metadata: string, own: readonly RecordedEvent[]): boolean {
  const { causationId } = JSON.parse(metadata) as { causationId?: string };
  return own.some(({ id }) => id === causationId);
}
