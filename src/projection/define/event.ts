/**
 * Turns stored events into those that handlers get. The payload is parsed once, when it is first read; if it is never read,
 * it is not parsed. `__proto__` in a payload is a key like any other, as in JSON.parse.
 */
import { EvstoreError } from '../../domain/errors.js';
import type { JsonText, RecordedEvent } from '../../domain/event.js';
import { parseJson, RoundedNumber } from '../../domain/json-value.js';
import type { Event } from './definition.js';
import { findUpcasts, type Upcaster } from './upcaster.js';
import { isPromise } from './values.js';

/** How the user's definition reads events. */
export interface Reading {
  readonly upcasters?: readonly Upcaster[] | undefined;
  readonly roundNumbers?: boolean | undefined;
}

const none: readonly Upcaster[] = [];

/**
 * An event for handlers, which are called for each event of a log: `data` and `metadata` are accessors of the class, because
 * it takes five times as long to make an object with accessors of its own. A copy by spreading lacks them; one by JSON has
 * them.
 */
export class HandledEvent implements Event {
  readonly id: string;
  readonly streamId: string;
  readonly streamType: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly version: number;
  readonly globalPosition: number;
  readonly createdAt: string;
  readonly #recorded: RecordedEvent;
  readonly #upcasts: readonly Upcaster[];
  readonly #rounds: boolean;
  #data: unknown;
  #metadata: Readonly<Record<string, unknown>> | undefined;

  /** @throws E_HANDLER when no upcaster leads from its schema version to the last */
  constructor(recorded: RecordedEvent, { upcasters = none, roundNumbers = false }: Reading = {}) {
    const upcasts = upcasters.length === 0 ? none : findUpcasts(upcasters, recorded);
    this.id = recorded.id;
    this.streamId = recorded.streamId;
    this.streamType = recorded.streamType;
    this.type = recorded.type;
    this.schemaVersion = upcasts.at(-1)?.to ?? recorded.schemaVersion;
    this.version = recorded.version;
    this.globalPosition = recorded.globalPosition;
    this.createdAt = recorded.createdAt;
    this.#recorded = recorded;
    this.#upcasts = upcasts;
    this.#rounds = roundNumbers;
  }

  // biome-ignore lint/suspicious/noExplicitAny: data is whatever the user's events hold.
  get data(): any {
    if (this.#data === undefined) {
      this.#data = this.#parse(this.#recorded.data);
      for (const upcaster of this.#upcasts) this.#data = upcast(upcaster, this.#data);
    }
    return this.#data;
  }

  get metadata(): Readonly<Record<string, unknown>> {
    this.#metadata ??= this.#parse(this.#recorded.metadata) as Readonly<Record<string, unknown>>;
    return this.#metadata;
  }

  /** @throws RoundedNumber, with the position of the event */
  #parse(text: JsonText): unknown {
    try {
      return parseJson(text, this.#rounds);
    } catch (error) {
      throw error instanceof RoundedNumber ? Object.assign(error, { globalPosition: this.globalPosition }) : error;
    }
  }

  toJSON(): Event {
    return { ...this, data: this.data, metadata: this.metadata };
  }
}

/**
 * Returns an event whose properties are all its own, so that it can be copied and compared.
 * @throws E_HANDLER as `HandledEvent`
 */
export function toEvent(recorded: RecordedEvent, reading: Reading = {}): Event {
  const event = new HandledEvent(recorded, reading);
  return {
    ...event,
    get data() {
      return event.data;
    },
    get metadata() {
      return event.metadata;
    },
  } as Event;
}

/** @throws E_HANDLER for a promise, in which a handler would find nothing */
function upcast({ up, type, from }: Upcaster, data: unknown): unknown {
  const upcasted: unknown = up(data as Readonly<Record<string, unknown>>);
  if (!isPromise(upcasted)) return upcasted;
  throw new EvstoreError('E_HANDLER', `the upcaster of ${type} from version ${from} returned a promise`, {
    why: 'An upcaster cannot be async.',
  });
}
