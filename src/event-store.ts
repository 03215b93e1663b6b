/**
 * The store for programs: values instead of JSON text, single events instead of batches.
 */
import type { AppendResult, EventFilter, ExpectedVersion, NewEvent, RecordedEvent } from './domain/event.js';
import { newEventId } from './domain/uuid.js';
import { validateAppend } from './domain/validate.js';
import type { Event, Projection } from './projection/define/definition.js';
import { toEvent } from './projection/define/event.js';
import { prepareAll } from './projection/define/prepare.js';
import type { Upcaster } from './projection/define/upcaster.js';
import { InlineUpkeep } from './projection/run/inline-upkeep.js';
import { openStoreAt } from './store/open.js';
import type { Engine, Store } from './store/store.js';

export interface OpenOptions {
  /** Postgres schema. Default `public`. */
  readonly schema?: string;
  /** Create the SQLite file and the schema if they are missing, and upgrade an older schema. Default false. */
  readonly create?: boolean;
  /** The application name that the database shows. Default `evstore`. */
  readonly applicationName?: string;
  /** Applied to events of older schema versions when they are read. */
  readonly upcasters?: readonly Upcaster[];
  /**
   * Projections of mode `inline` are registered, and every append writes their rows in its own transaction; a handler that
   * throws fails the append. Other projections are left to their runner.
   */
  readonly projections?: readonly Projection[];
}

/** An event to append. Members that are left out get the defaults of the command line. */
export interface EventInput {
  readonly type: string;
  /** Any JSON value. */
  readonly data: unknown;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** UUID. Choose it yourself to make a retry across processes safe. Default: a new one. */
  readonly id?: string;
  readonly schemaVersion?: number;
  /** RFC 3339, or a Date. */
  readonly createdAt?: string | Date;
}

export interface AppendCondition {
  /** Default `any`. */
  readonly expectedVersion?: ExpectedVersion;
  /** Recorded with each event. Default: the category of the stream. */
  readonly streamType?: string;
  /** Added to the metadata of each event that has none. */
  readonly correlationId?: string;
  readonly causationId?: string;
  /** Allows events over 10 KB, up to 1 MB. */
  readonly allowLarge?: boolean;
  /** How long transient faults are retried, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

export interface StreamRange {
  /** Inclusive, from 1. */
  readonly fromVersion?: number;
  /** Inclusive. */
  readonly toVersion?: number;
  readonly backwards?: boolean;
  readonly limit?: number;
}

export interface LogRange extends EventFilter {
  /** Global position, exclusive. Default 0. */
  readonly after?: number;
  /** Inclusive. */
  readonly to?: number;
  readonly backwards?: boolean;
  readonly limit?: number;
}

export interface SubscribeOptions extends EventFilter {
  /** Global position, exclusive. Default 0: from the beginning. */
  readonly after?: number;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

export interface EventStore {
  readonly engine: Engine;
  /** The URL without its password. */
  readonly location: string;
  /**
   * Appends to the end of one stream, all events or none. Repeated with the same ids, it succeeds without writing again.
   * @throws EvstoreError E_VERSION_CONFLICT, E_ID_CONFLICT, E_PARTIAL_DUPLICATE, E_INVALID_INPUT, E_OUTCOME_UNKNOWN,
   * E_HANDLER when an inline projection cannot take the events
   */
  append(
    streamId: string,
    events: EventInput | readonly EventInput[],
    condition?: AppendCondition,
  ): Promise<AppendResult>;
  /** Reads a stream, oldest event first. A stream that does not exist has no events. */
  readStream(streamId: string, range?: StreamRange): AsyncIterable<Event>;
  /** Reads the whole log in order, up to the safe head. */
  readAll(range?: LogRange): AsyncIterable<Event>;
  /** Like `readAll`, then yields every event as it commits, gap-free and in order, until the signal aborts. */
  subscribe(options?: SubscribeOptions): AsyncIterable<Event>;
  close(): Promise<void>;
}

/** How long one wait for new events lasts before the subscription reads again, in milliseconds. */
const waitMs = 5_000;

/**
 * Opens the store at `sqlite:PATH`, `sqlite::memory:` or `postgres://…`.
 * @throws EvstoreError E_CONNECT, E_NO_SCHEMA, E_SCHEMA_PENDING, E_SCHEMA_NEWER, E_CONFIG, E_FOREIGN_TABLE
 */
export async function openStore(url: string, options: OpenOptions = {}): Promise<EventStore> {
  const projections = prepareAll(options.projections ?? []);
  const store = await openStoreAt(url, options);
  try {
    if (options.create === true) await store.schema.migrate();
    else await store.schema.assertReady();
    return new OpenEventStore(store, await InlineUpkeep.start(store, projections), options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

class OpenEventStore implements EventStore {
  readonly #store: Store;
  readonly #toEvent: (recorded: RecordedEvent) => Event;
  readonly #upkeep: InlineUpkeep;
  #guarded = false;

  constructor(store: Store, upkeep: InlineUpkeep, { upcasters = [] }: OpenOptions) {
    this.#store = store;
    this.#upkeep = upkeep;
    this.#toEvent = (recorded) => toEvent(recorded, upcasters);
  }

  get engine(): Engine {
    return this.#store.engine;
  }

  get location(): string {
    return this.#store.location;
  }

  async append(
    streamId: string,
    events: EventInput | readonly EventInput[],
    condition: AppendCondition = {},
  ): Promise<AppendResult> {
    const expected = condition.expectedVersion ?? 'any';
    const inputs: readonly EventInput[] = Array.isArray(events) ? events : [events];
    const made = inputs.map((input) => toNewEvent(input, condition));
    const valid = validateAppend(streamId, made, expected, { allowLarge: condition.allowLarge ?? false });
    const { timeoutMs } = condition;
    const { inline } = this.#upkeep;
    const result = await this.#store.log.append(streamId, valid, expected, {
      inline,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    this.#upkeep.appended();
    return result;
  }

  async *readStream(streamId: string, range: StreamRange = {}): AsyncGenerator<Event> {
    for await (const batch of this.#store.log.readStream(streamId, range)) yield* batch.events.map(this.#toEvent);
  }

  async *readAll(range: LogRange = {}): AsyncGenerator<Event> {
    await this.#assertGuards();
    for await (const batch of this.#store.log.readAll(range)) yield* batch.events.map(this.#toEvent);
  }

  async *subscribe({ after = 0, signal, ...filter }: SubscribeOptions = {}): AsyncGenerator<Event> {
    await this.#assertGuards();
    let position = after;
    let told: { readonly safeHead?: number } = {};
    while (!isAborted(signal)) {
      for await (const batch of this.#store.log.readAll({ ...filter, ...told, after: position })) {
        for (const event of batch.events) {
          if (isAborted(signal)) return;
          yield this.#toEvent(event);
        }
        position = batch.upTo;
      }
      const wait = { timeoutMs: waitMs, ...(signal && { signal }) };
      told = { safeHead: await this.#store.log.waitForAppend(position, wait) };
    }
  }

  async close(): Promise<void> {
    await this.#upkeep.close();
    await this.#store.close();
  }

  async #assertGuards(): Promise<void> {
    if (this.#guarded) return;
    await this.#store.schema.assertGuards();
    this.#guarded = true;
  }
}

function toNewEvent(input: EventInput, condition: AppendCondition): NewEvent {
  const { correlationId, causationId, streamType } = condition;
  const metadata = {
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
    ...input.metadata,
  };
  return {
    id: input.id ?? newEventId(),
    type: input.type,
    schemaVersion: input.schemaVersion ?? 1,
    // A value that JSON cannot express (a function, undefined) gives no text, which the validation refuses.
    data: JSON.stringify(input.data) ?? '',
    metadata: JSON.stringify(metadata),
    ...(streamType !== undefined && { streamType }),
    ...(input.createdAt !== undefined && { createdAt: toText(input.createdAt) }),
  };
}

/** A function, because the flag changes while the reader waits, and the compiler would take a comparison as settled. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}

function toText(moment: string | Date): string {
  return typeof moment === 'string' ? moment : moment.toISOString();
}
