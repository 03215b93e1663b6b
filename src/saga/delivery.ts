/** Delivers events to the instances that wait for them. */
import type { RecordedEvent } from '../domain/event.js';
import type { Event } from '../projection/define/definition.js';
import type { InstanceRecord, SagaStore } from '../store/store.js';
import type { SagaDefinition, WaitStep } from './definition.js';
import { loadInstance, planChange, type SagaInstance } from './instance.js';
import { matchOf, receivedBy } from './search.js';
import { currentStep } from './state.js';
import type { SagaWorker } from './worker.js';

/** What an event is to a saga. */
export interface ReadEvent {
  readonly recorded: RecordedEvent;
  /** The instance that it starts. */
  readonly start: Start | undefined;
  /** The keys that it belongs to, one for each step that waits for its type. */
  readonly keys: readonly string[];
}

export interface Start {
  readonly instance: string;
  readonly trigger: Event;
  /** Of the data of the trigger, in characters. */
  readonly size: number;
}

/** Keys in one question, and instances that are read side by side. */
const mostKeys = 500;
const sideBySide = 16;

export class Delivery {
  readonly #instances: Pick<SagaStore, 'findWaiting'>;
  readonly #worker: SagaWorker;

  constructor(instances: Pick<SagaStore, 'findWaiting'>, worker: SagaWorker) {
    this.#instances = instances;
    this.#worker = worker;
  }

  /** @param events in the order of the log; an instance gets at most one of them, and finds the others when it waits again */
  async deliver(saga: string, events: readonly ReadEvent[]): Promise<void> {
    const keys = [...new Set(events.flatMap((event) => event.keys))];
    for (let at = 0; at < keys.length; at += mostKeys) {
      const found = await this.#instances.findWaiting(saga, keys.slice(at, at + mostKeys));
      for (let first = 0; first < found.length; first += sideBySide) {
        const group = found.slice(first, first + sideBySide);
        await Promise.all(group.map((record) => this.#deliverTo(record, events)));
      }
    }
  }

  /** Another process may deliver the event, or the time may end, at the same moment: the first record wins. */
  async #deliverTo(record: InstanceRecord, events: readonly ReadEvent[]): Promise<void> {
    try {
      await this.#tryToDeliver(record, events);
    } catch (error) {
      if (!this.#worker.suffers({ saga: record.saga, instance: record.instance }, error)) throw error;
    }
  }

  async #tryToDeliver({ saga, instance }: InstanceRecord, events: readonly ReadEvent[]): Promise<void> {
    const { crew } = this.#worker;
    for (;;) {
      const loaded = await loadInstance(crew.log, saga, instance);
      const code = loaded && this.#worker.find(loaded.state);
      const fact = loaded && code && (await this.#findEvent(code, loaded, events));
      if (loaded === undefined || fact === undefined) return;
      const outcome = await crew.recorder.record(planChange(loaded, [fact], undefined).change);
      if (outcome.kind !== 'conflict') return this.#worker.wake();
    }
  }

  async #findEvent(saga: SagaDefinition, { state }: SagaInstance, events: readonly ReadEvent[]) {
    const current = currentStep(state);
    const wait = current?.wait;
    const step = saga.steps.find((each): each is WaitStep => each.kind === 'event' && each.name === current?.name);
    if (wait?.kind !== 'event' || step === undefined) return undefined;
    const { key, searchedTo } = wait;
    const first = events
      .filter(({ recorded: { globalPosition } }) => globalPosition > state.trigger.globalPosition)
      .filter(({ recorded, keys }) => keys.includes(key) && !state.received.includes(recorded.id))
      .map(({ recorded }) => matchOf(saga, step, recorded))
      .find((match) => match?.key === key)?.event;
    if (first === undefined || searchedTo !== null) return first && receivedBy(step.name, first);
    // The log was not searched yet: an earlier event goes before this one.
    const { received, trigger } = state;
    const query = { saga, step, key, after: trigger.globalPosition, received };
    const { event } = await this.#worker.crew.search.find(query);
    return event && receivedBy(step.name, event);
  }
}
