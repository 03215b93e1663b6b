/** One instance as a value: the fold of its stream, and the changes that facts make of it. */
import type { NewEvent } from '../domain/event.js';
import { scanJson } from '../domain/json.js';
import { parseJson, writeJson } from '../domain/json-value.js';
import { derivedId, newEventId } from '../domain/uuid.js';
import { validateAppend } from '../domain/validate.js';
import type { Event } from '../projection/define/definition.js';
import type { Holder, InstanceChange, SagaCode } from '../store/store.js';
import { type FactOf, type SagaFact, sagaEventTypes, sagaStreamId } from './events.js';
import type { Causes, SagaLog } from './log.js';
import { rowOf } from './row.js';
import { evolveSaga, type SagaState } from './state.js';

export interface SagaInstance {
  readonly state: SagaState;
  /** Of its stream. */
  readonly version: number;
  /** Of its last event. */
  readonly lastId: string;
}

/** A change that is not recorded yet, and the instance once it is. */
export interface PlannedChange {
  readonly change: InstanceChange;
  readonly after: SagaInstance;
}

const factTypes: ReadonlySet<string> = new Set(sagaEventTypes);

/** Returns undefined when it was never started. */
export async function loadInstance(
  log: Pick<SagaLog, 'readStream'>,
  saga: string,
  instance: string,
): Promise<SagaInstance | undefined> {
  let state: SagaState | undefined;
  let version = 0;
  let lastId = '';
  for await (const { events } of log.readStream(sagaStreamId(saga, instance))) {
    for (const event of events) {
      version = event.version;
      lastId = event.id;
      if (!factTypes.has(event.type)) continue;
      state = evolveSaga(state, { type: event.type, data: parseJson(event.data, true) } as SagaFact);
    }
  }
  return state && { state, version, lastId };
}

/** Metadata for events that the last recorded event causes. */
export function causesOf({ state, lastId }: SagaInstance): Causes {
  return { correlationId: state.correlationId, causationId: lastId };
}

/** Returns the fact that starts an instance. */
export function startedBy(
  { saga, version, definition }: SagaCode,
  instance: string,
  trigger: Event,
): FactOf<'SagaStarted'> {
  const { id, type, streamId, globalPosition } = trigger;
  // Other programs may write metadata that is not an object, and texts that are refused here.
  const found: unknown = trigger.metadata?.correlationId;
  const correlationId = typeof found === 'string' && isStorable(found) ? found : id;
  return {
    type: 'SagaStarted',
    data: {
      saga,
      sagaVersion: version,
      definition,
      instance,
      correlationId,
      trigger: { id, type, streamId, globalPosition },
    },
  };
}

/**
 * Plans the first change of an instance. The id of its first event comes from the trigger, so that a trigger that
 * is read twice starts it once.
 * @throws E_INVALID_INPUT when the id of the instance cannot be stored
 */
export function planStart(
  started: FactOf<'SagaStarted'>,
  facts: readonly SagaFact[],
  holder: Holder | null,
): PlannedChange {
  const { saga, instance, correlationId, trigger } = started.data;
  const id = derivedId(`${sagaStreamId(saga, instance)} started by ${trigger.id}`);
  const first = toNewEvent(started, id, { correlationId, causationId: trigger.id });
  const begun = { state: evolveSaga(undefined, started), version: 1, lastId: id };
  const more = toNewEvents(begun, facts);
  return plan(begun.state, 0, [first, ...more], facts, holder);
}

/** @param holder who holds it afterwards; null releases it, undefined leaves it */
export function planChange(
  instance: SagaInstance,
  facts: readonly SagaFact[],
  holder: Holder | null | undefined,
): PlannedChange {
  return plan(instance.state, instance.version, toNewEvents(instance, facts), facts, holder);
}

function plan(
  before: SagaState,
  version: number,
  events: readonly NewEvent[],
  facts: readonly SagaFact[],
  holder: Holder | null | undefined,
): PlannedChange {
  const state = facts.reduce<SagaState>(evolveSaga, before);
  const streamId = sagaStreamId(state.saga, state.instance);
  const valid = validateAppend(streamId, events, version === 0 ? 'none' : version, { allowLarge: true });
  const lastId = events.at(-1)?.id ?? '';
  return {
    change: { streamId, version, events: valid, row: rowOf(state), ...(holder !== undefined && { holder }) },
    after: { state, version: version + events.length, lastId },
  };
}

/**
 * Each event is caused by the one before it. Their ids are random: if two processes derived the same id, the second record
 * would count as a repetition of the first, and both would drive the instance.
 */
function toNewEvents({ state, lastId }: SagaInstance, facts: readonly SagaFact[]): readonly NewEvent[] {
  let causationId = lastId;
  return facts.map((fact) => {
    const id = newEventId();
    const cause = fact.type === 'EventReceived' ? fact.data.event.id : causationId;
    causationId = id;
    return toNewEvent(fact, id, { correlationId: state.correlationId, causationId: cause });
  });
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
