/** One instance: its stream, folded, and the only way to add to it. */
import type { NewEvent } from '../domain/event.js';
import { scanJson } from '../domain/json.js';
import { derivedId, newEventId } from '../domain/uuid.js';
import { validateAppend } from '../domain/validate.js';
import type { Event } from '../projection/define/definition.js';
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

  /** Undefined when it was never started. */
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
        state = evolveSaga(state, { type: event.type, data: JSON.parse(event.data) } as SagaFact);
      }
    }
    return state && new SagaInstance(log, streamId, state, version, lastId);
  }

  get state(): SagaState {
    return this.#state;
  }

  /** For what is caused by the last recorded event. */
  get causes(): Causes {
    return { correlationId: this.#state.correlationId, causationId: this.#lastId };
  }

  /**
   * Adds to the stream as this process knows it. The id is new, not derived: were it the same in two processes, the
   * second would be told its event is there already, and both would believe they drive the instance.
   * @throws E_VERSION_CONFLICT when another process has added to it
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

/**
 * The first event of an instance. Its id comes from the trigger, so starting twice for one trigger starts once.
 * @throws E_VERSION_CONFLICT when another trigger has started the instance
 */
export async function recordStart(
  log: SagaLog,
  saga: { readonly name: string; readonly version: number },
  instance: string,
  trigger: Event,
): Promise<void> {
  const streamId = sagaStreamId(saga.name, instance);
  const { id, type, streamId: triggerStream, globalPosition } = trigger;
  // Other programs may write metadata that is no object, and texts that are refused here.
  const correlationId: unknown = trigger.metadata?.correlationId;
  const correlation = typeof correlationId === 'string' && isStorable(correlationId) ? correlationId : id;
  const data = {
    saga: saga.name,
    sagaVersion: saga.version,
    instance,
    correlationId: correlation,
    trigger: { id, type, streamId: triggerStream, globalPosition },
  };
  const started = toNewEvent({ type: 'SagaStarted', data }, derivedId(`${streamId} started by ${id}`), {
    correlationId: correlation,
    causationId: id,
  });
  await log.append(streamId, validateAppend(streamId, [started], 'none', { allowLarge: true }), 'none');
}

function isStorable(text: string): boolean {
  return text !== '' && scanJson(JSON.stringify(text)) === undefined;
}

function toNewEvent(fact: SagaFact, id: string, causes: Causes): NewEvent {
  return {
    id,
    type: fact.type,
    schemaVersion: 1,
    data: JSON.stringify(fact.data),
    metadata: JSON.stringify(causes),
    streamType: 'saga',
  };
}
