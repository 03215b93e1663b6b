/** An instance that this process drives now. */
import { EvstoreError } from '../domain/errors.js';
import type { Event } from '../projection/define/definition.js';
import { toEvent } from '../projection/define/event.js';
import type { Holder, InstanceKey } from '../store/store.js';
import type { SagaDefinition } from './definition.js';
import type { SagaFact } from './events.js';
import { loadInstance, planChange, type SagaInstance } from './instance.js';
import type { SagaLog } from './log.js';
import type { Deed } from './plan.js';
import { reconcile } from './reconcile.js';
import type { Recorder } from './recorder.js';
import type { SagaState } from './state.js';

export interface Crew {
  readonly log: SagaLog;
  readonly recorder: Recorder;
  readonly holder: Holder;
  /** Asks the store whether this process still holds the instance. */
  readonly holds: (key: InstanceKey) => Promise<boolean>;
}

export interface Boarding {
  readonly saga: SagaDefinition;
  readonly instance: SagaInstance;
  /** Where the caller has it; otherwise it is read from the log. */
  readonly trigger?: Event | undefined;
  /** The time that it waits for is over. */
  readonly isDue: boolean;
  /** Recorded already, and to be done first. */
  readonly deed?: Deed | undefined;
}

export class Flight {
  readonly saga: SagaDefinition;
  readonly key: InstanceKey;
  deed: Deed | undefined;
  isDue: boolean;
  /** It waits for a pass over the log, which takes no slot. */
  isSearching = false;
  #instance: SagaInstance;
  #trigger: Event | undefined;
  readonly #lost = new AbortController();
  readonly #results = new Map<string, unknown>();

  constructor({ saga, instance, trigger, isDue, deed }: Boarding) {
    this.saga = saga;
    this.key = { saga: instance.state.saga, instance: instance.state.instance };
    this.#instance = instance;
    this.#trigger = trigger;
    this.isDue = isDue;
    this.deed = deed;
  }

  get instance(): SagaInstance {
    return this.#instance;
  }

  /** Aborted when another process has taken the instance. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  lose(): void {
    const { saga, instance } = this.key;
    this.#lost.abort(new EvstoreError('E_SUPERSEDED', `another process drives ${saga} ${instance}`));
  }

  /** @throws E_CORRUPT when it is not in the log */
  async trigger({ log }: Crew): Promise<Event> {
    this.#trigger ??= await this.#read(this.#instance.state.trigger.id, 'trigger', log);
    return this.#trigger;
  }

  /** Returns the state with the results that its facts had no room for. @throws E_CORRUPT when one is not in the log */
  async withResults(state: SagaState, { log }: Crew): Promise<SagaState> {
    if (state.steps.every(({ resultIn }) => resultIn === null)) return state;
    const steps = state.steps.map(async (step) => {
      const { resultIn: id } = step;
      if (id === null) return step;
      if (!this.#results.has(id)) this.#results.set(id, (await this.#read(id, `event of step ${step.name}`, log)).data);
      return { ...step, result: this.#results.get(id), resultIn: null };
    });
    return { ...state, steps: await Promise.all(steps) };
  }

  async #read(id: string, what: string, log: SagaLog): Promise<Event> {
    const event = await log.find(id);
    if (event !== undefined) return toEvent(event, this.saga);
    throw new EvstoreError('E_CORRUPT', `the ${what} of ${this.saga.name} ${this.key.instance} is not in the store`, {
      why: `Its id is ${id}.`,
    });
  }

  /** Returns false when the stream has moved on: then nothing was recorded, and the instance is read again. */
  async record(facts: readonly SagaFact[], holder: Holder | null | undefined, crew: Crew): Promise<boolean> {
    const planned = planChange(this.#instance, facts, this.lost.aborted ? undefined : holder);
    const outcome = await crew.recorder.record(planned.change);
    this.isDue = false;
    if (outcome.kind !== 'conflict') {
      this.#instance = planned.after;
      return true;
    }
    await this.#reload(crew);
    return false;
  }

  /** Records what an attempt stores before its end. @throws E_SUPERSEDED */
  async recordWithin(fact: SagaFact, crew: Crew): Promise<void> {
    for (;;) {
      const fitting = reconcile(this.#instance.state, fact);
      if (fitting === undefined || (await this.record([fitting], crew.holder, crew))) return;
    }
  }

  async #reload(crew: Crew): Promise<void> {
    const { saga, instance } = this.key;
    const loaded = await loadInstance(crew.log, saga, instance);
    if (loaded === undefined) throw new EvstoreError('E_CORRUPT', `the stream of ${saga} ${instance} is gone`);
    this.#instance = loaded;
    if (!this.lost.aborted && !(await crew.holds(this.key))) this.lose();
  }
}
