/** One instance: the fold of its stream, and the only way to append to it. */
import type { NewEvent } from '../domain/event.js';
import { scanJson } from '../domain/json.js';
import { parseJson, writeJson } from '../domain/json-value.js';
import { derivedId, newEventId } from '../domain/uuid.js';
import { validateAppend } from '../domain/validate.js';
import type { Event } from '../projection/define/definition.js';
import type { Saga } from './definition.js';
import { type SagaFact, sagaStreamId } from './events.js';
import type { Causes, SagaLog } from './log.js';
import { evolveSaga, type SagaState } from './state.js';

const factTypes: ReadonlySet<string> = new Set([
  'SagaStarted',
  'StepStarted',
  'StepCompleted',
  'StepFailed',
  'StepCompletedLate',
  'CompensationStarted',
  'CompensationCompleted',
  'CompensationFailed',
  'CompensationRetried',
  'SagaCompleted',
  'SagaCompensated',
  'SagaFailed',
  'SagaCompensationFailed',
] satisfies readonly SagaFact['type'][]);

export class SagaInstance {
  readonly #log: SagaLog;
  readonly #streamId: string;
  #state: SagaState;
  #version: number;
  #lastId: string;

  private constructor(log: SagaLog, streamId: string, state: SagaState, version: number, lastId: string) {
    this.#log = log;
    this.#streamId = streamId;
    this.#state = state;
    this.#version = version;
    this.#lastId = lastId;
  }

  /**
   * Starts an instance, or loads it when this trigger has started it before: the id of the first event comes from the
   * trigger.
   * @throws E_VERSION_CONFLICT when another trigger has started the instance
   */
  static async start(log: SagaLog, saga: NamedSaga, instance: string, trigger: Event): Promise<SagaInstance> {
    const streamId = sagaStreamId(saga.name, instance);
    const fact = startedBy(saga, instance, trigger);
    const { correlationId } = fact.data;
    const causes = { correlationId, causationId: trigger.id };
    const event = toNewEvent(fact, derivedId(`${streamId} started by ${trigger.id}`), causes);
    const events = validateAppend(streamId, [event], 'none', { allowLarge: true });
    const { deduplicated, version } = await log.append(streamId, events, 'none');
    const known = deduplicated ? await SagaInstance.load(log, saga.name, instance) : undefined;
    return known ?? new SagaInstance(log, streamId, evolveSaga(undefined, fact), version, event.id);
  }

  /** Returns undefined when it was never started. */
  static async load(log: SagaLog, saga: string, instance: string): Promise<SagaInstance | undefined> {
    const streamId = sagaStreamId(saga, instance);
    let state: SagaState | undefined;
    let version = 0;
    let lastId = '';
    for await (const { events } of log.readStream(streamId)) {
      for (const event of events) {
        version = event.version;
        lastId = event.id;
        if (!factTypes.has(event.type)) continue;
        state = evolveSaga(state, { type: event.type, data: parseJson(event.data, true) } as SagaFact);
      }
    }
    return state && new SagaInstance(log, streamId, state, version, lastId);
  }

  get state(): SagaState {
    return this.#state;
  }

  /** Metadata for events that the last recorded event causes. */
  get causes(): Causes {
    return { correlationId: this.#state.correlationId, causationId: this.#lastId };
  }

  /**
   * Appends at the version that this process knows. The id is random: if two processes derived the same id, the second
   * append would be deduplicated, and both would drive the instance.
   * @throws E_VERSION_CONFLICT when another process has appended to it
   */
  async record(fact: SagaFact): Promise<void> {
    const event = toNewEvent(fact, newEventId(), this.causes);
    const result = await this.#log.append(
      this.#streamId,
      validateAppend(this.#streamId, [event], this.#version, { allowLarge: true }),
      this.#version,
    );
    this.#version = result.version;
    this.#lastId = event.id;
    this.#state = evolveSaga(this.#state, fact);
  }
}

type NamedSaga = Pick<Saga, 'name' | 'version'>;

function startedBy(saga: NamedSaga, instance: string, trigger: Event): SagaFact & { readonly type: 'SagaStarted' } {
  const { id, type, streamId, globalPosition } = trigger;
  // Other programs may write metadata that is not an object, and texts that are refused here.
  const found: unknown = trigger.metadata?.correlationId;
  const correlationId = typeof found === 'string' && isStorable(found) ? found : id;
  return {
    type: 'SagaStarted',
    data: {
      saga: saga.name,
      sagaVersion: saga.version,
      instance,
      correlationId,
      trigger: { id, type, streamId, globalPosition },
    },
  };
}

function isStorable(text: string): boolean {
  return text !== '' && scanJson(JSON.stringify(text)) === undefined;
}

function toNewEvent(fact: SagaFact, id: string, causes: Causes): NewEvent {
  return {
    id,
    type: fact.type,
    schemaVersion: 1,
    data: writeJson(fact.data) ?? 'null',
    metadata: JSON.stringify(causes),
    streamType: 'saga',
  };
}
