/** Tests a saga with the engine that runs it in production, over a log in memory. */

import { toEvent } from '../projection/define/event.js';
import type { Saga, SagaStep } from '../saga/definition.js';
import { SagaInstance } from '../saga/instance.js';
import { driveInstance } from '../saga/instance-loop.js';
import { MemoryLog } from '../saga/memory-log.js';
import type { SagaPhase } from '../saga/state.js';
import { checkSaga, triggerTypes } from '../saga/validate.js';
import { type GivenEvent, toNewEvent } from './given.js';

export interface SagaScenario {
  /** Adds events to the log; the last one that starts the saga is the trigger. */
  given(...events: readonly GivenEvent[]): SagaScenario;
  /** Makes the action of this step throw in every attempt. */
  failing(step: string, message?: string): SagaScenario;
  /** Makes the compensation of this step throw in every attempt. */
  failingToCompensate(step: string, message?: string): SagaScenario;
  /** Replaces the action of this step, e.g. when it calls another system. */
  replacing(step: string, action: SagaStep['action']): SagaScenario;
  /** Drives the instance to its end, without the delays before retries. */
  run(): Promise<SagaOutcome>;
}

export interface SagaOutcome {
  readonly phase: SagaPhase;
  /** Steps whose action took effect, in order. */
  readonly completed: readonly string[];
  /** Steps that were compensated, in the order of their compensation. */
  readonly compensated: readonly string[];
  /** What the steps appended, in order. */
  readonly appended: readonly AppendedBySaga[];
  /** Why it was compensated; null if it was not. */
  readonly reason: string | null;
}

export interface AppendedBySaga {
  readonly streamId: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: data is whatever the step appended.
  readonly data: any;
}

export function sagaScenario(saga: Saga): SagaScenario {
  return new Scenario(checkSaga(saga), []);
}

class Scenario implements SagaScenario {
  readonly #saga: Saga;
  readonly #events: readonly GivenEvent[];

  constructor(saga: Saga, events: readonly GivenEvent[]) {
    this.#saga = saga;
    this.#events = events;
  }

  given(...events: readonly GivenEvent[]): SagaScenario {
    return new Scenario(this.#saga, [...this.#events, ...events]);
  }

  failing(step: string, message = `${step} failed`): SagaScenario {
    return this.replacing(step, () => {
      throw new Error(message);
    });
  }

  failingToCompensate(step: string, message = `${step} cannot be undone`): SagaScenario {
    const compensate = (): never => {
      throw new Error(message);
    };
    return this.#with(step, { compensate });
  }

  replacing(step: string, action: SagaStep['action']): SagaScenario {
    return this.#with(step, { action });
  }

  async run(): Promise<SagaOutcome> {
    const log = new MemoryLog();
    for (const [index, event] of this.#events.entries()) {
      await log.append(event.streamId, [toNewEvent(event, index)], 'any');
    }
    const types = triggerTypes(this.#saga);
    const recorded = log.events.findLast(({ type }) => types.includes(type));
    if (recorded === undefined) throw new Error(`no event that was given starts ${this.#saga.name}`);
    const trigger = toEvent(recorded, this.#saga);
    const id = this.#saga.id === undefined ? trigger.streamId : this.#saga.id(trigger);
    const before = log.events.length;
    const instance = await SagaInstance.start(log, this.#saga, id, trigger);
    const steps = this.#saga.steps.map((step) => ({ ...step, backOff: '0ms' }));
    await driveInstance(instance, { log, saga: { ...this.#saga, steps }, signal: new AbortController().signal });
    return describeOutcome(instance, log, before);
  }

  #with(name: string, change: Partial<SagaStep>): Scenario {
    if (!this.#saga.steps.some((step) => step.name === name)) throw new Error(`${this.#saga.name} has no step ${name}`);
    const steps = this.#saga.steps.map((step) => (step.name === name ? { ...step, ...change } : step));
    return new Scenario({ ...this.#saga, steps }, this.#events);
  }
}

function describeOutcome({ state }: SagaInstance, log: MemoryLog, before: number): SagaOutcome {
  const added = log.events.slice(before);
  return {
    phase: state.phase,
    completed: state.steps.filter(({ completed }) => completed).map(({ name }) => name),
    compensated: added
      .filter(({ type, streamType }) => type === 'CompensationCompleted' && streamType === 'saga')
      .map(({ data }) => JSON.parse(data).step),
    appended: added
      .filter(({ streamType }) => streamType !== 'saga')
      .map(({ streamId, type, data }) => ({ streamId, type, data: JSON.parse(data) })),
    reason: state.reason,
  };
}
