/**
 * The store for programs: values instead of JSON text, single events instead of batches.
 */
import {
  checkBoolean,
  checkCondition,
  checkExpectedVersion,
  checkJson,
  checkList,
  checkMembers,
  checkObject,
  checkOneOf,
  checkSignal,
  checkText,
  checkTime,
  checkWholeNumber,
  isList,
} from './domain/arguments.js';
import { EvstoreError } from './domain/errors.js';
import type { AppendResult, EventFilter, ExpectedVersion, NewEvent, RecordedEvent } from './domain/event.js';
import { checkStreamId } from './domain/names.js';
import { newEventId } from './domain/uuid.js';
import { validateAppend } from './domain/validate.js';
import type { Event, Projection } from './projection/define/definition.js';
import { type Reading, toEvent } from './projection/define/event.js';
import { prepareAll } from './projection/define/prepare.js';
import { findUpcasterFaults, type Upcaster } from './projection/define/upcaster.js';
import { describeLeft, InlineUpkeep } from './projection/run/inline-upkeep.js';
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
   * Takes the nearest JavaScript number for a fraction of more digits. Default false: reading `data` or `metadata` of an
   * event that has one throws.
   */
  readonly roundNumbers?: boolean;
  /**
   * Projections of mode `inline` are registered, and every append writes their rows in its own transaction; a handler that
   * throws fails the append. Other projections are left to their runner.
   */
  readonly projections?: readonly Projection[];
  /**
   * What an append does when code of another version or definition made the rows of an inline projection. `warn` leaves the
   * rows to their runner and emits a process warning, once for each projection; `fail` appends nothing. Default `warn`.
   */
  readonly staleInline?: 'warn' | 'fail';
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

/** As `EventFilter`; a time may be a Date, too. */
export interface LogFilter extends Omit<EventFilter, 'since' | 'until'> {
  /** `createdAt` at or after: a Date or RFC 3339, UTC if it has no zone. */
  readonly since?: string | Date;
  /** `createdAt` before. */
  readonly until?: string | Date;
  /** A condition as after `--where`: `data.total >= 100 and type in ('OrderPaid', 'OrderShipped')`. */
  readonly where?: string;
}

export interface LogRange extends LogFilter {
  /** Global position, exclusive. Default 0. */
  readonly after?: number;
  /** Inclusive. */
  readonly to?: number;
  readonly backwards?: boolean;
  readonly limit?: number;
}

export interface SubscribeOptions extends LogFilter {
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
   * Appends to the end of one stream, all events or none. Repeated with the same ids and content, it succeeds without
   * writing again, whatever version is expected.
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
/** The longest that a timer of Node.js, and a setting of Postgres in milliseconds, can be. */
const longestTimeoutMs = 2_147_483_647;

const position = checkWholeNumber(0);
const version = checkWholeNumber(1);
const streamRange = { fromVersion: version, toVersion: version, backwards: checkBoolean, limit: position };
const logFilter = {
  streamId: checkText,
  category: checkText,
  categories: checkList(checkText),
  types: checkList(checkText),
  since: checkTime,
  until: checkTime,
  correlationId: checkText,
  causationId: checkText,
  where: checkCondition,
};
const logRange = { ...logFilter, after: position, to: position, backwards: checkBoolean, limit: position };
const subscribeOptions = { ...logFilter, after: position, signal: checkSignal };
const openOptions = {
  schema: checkText,
  create: checkBoolean,
  applicationName: checkText,
  upcasters: checkList((each) => each as Upcaster),
  roundNumbers: checkBoolean,
  projections: checkList((each) => each as Projection),
  staleInline: checkOneOf('warn', 'fail'),
};
const appendCondition = {
  expectedVersion: checkExpectedVersion,
  streamType: checkText,
  correlationId: checkText,
  causationId: checkText,
  allowLarge: checkBoolean,
  timeoutMs: checkWholeNumber(0, longestTimeoutMs),
};
const eventInput = {
  type: checkText,
  data: checkJson,
  metadata: checkMetadata,
  id: checkText,
  schemaVersion: version,
  createdAt: checkTime,
};
/** An event that was read may be appended again: its place is that of the stream it came from. */
const placeOfEvent = ['globalPosition', 'streamId', 'version', 'streamType'];

/**
 * Opens the store at `sqlite:PATH`, `sqlite::memory:` or `postgres://…`.
 * @throws EvstoreError E_CONNECT, E_NO_SCHEMA, E_SCHEMA_PENDING, E_SCHEMA_NEWER, E_CONFIG, E_FOREIGN_TABLE
 */
export async function openStore(url: string, options: OpenOptions = {}): Promise<EventStore> {
  checkText(url, 'url');
  const {
    projections: given = [],
    upcasters = [],
    roundNumbers,
    staleInline,
    ...place
  } = checkMembers(options, 'options', openOptions);
  const [fault] = findUpcasterFaults(upcasters);
  if (fault !== undefined) throw new EvstoreError('E_INVALID_INPUT', fault);
  const projections = prepareAll(given);
  const store = await openStoreAt(url, place);
  try {
    if (place.create === true) await store.schema.migrate();
    else await store.schema.assertReady();
    return new OpenEventStore(
      store,
      await InlineUpkeep.start(store, projections),
      { upcasters, roundNumbers },
      staleInline,
    );
  } catch (error) {
    await store.close();
    throw error;
  }
}

class OpenEventStore implements EventStore {
  readonly #store: Store;
  readonly #toEvent: (recorded: RecordedEvent) => Event;
  readonly #upkeep: InlineUpkeep;
  readonly #staleInline: 'leave' | 'fail';
  readonly #warned = new Set<string>();
  #guarded = false;

  constructor(store: Store, upkeep: InlineUpkeep, reading: Reading, staleInline: OpenOptions['staleInline']) {
    this.#store = store;
    this.#staleInline = staleInline === 'fail' ? 'fail' : 'leave';
    this.#upkeep = upkeep;
    this.#toEvent = (recorded) => toEvent(recorded, reading);
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
    checkText(streamId, 'streamId');
    const checked = checkMembers(condition, 'condition', appendCondition);
    const { expectedVersion: expected = 'any', allowLarge = false, timeoutMs } = checked;
    const made = isList(events, 'events')
      ? checkList((event, name) => toNewEvent(event, name, `${name}.`, checked))(events, 'events')
      : [toNewEvent(events, 'event', '', checked)];
    const valid = validateAppend(streamId, made, expected, { allowLarge });
    const { inline } = this.#upkeep;
    const result = await this.#store.log.append(streamId, valid, expected, {
      inline,
      staleInline: this.#staleInline,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    this.#upkeep.appended();
    for (const name of result.inlineLeft ?? []) this.#warnOnce(name);
    return result;
  }

  #warnOnce(projection: string): void {
    if (this.#warned.has(projection)) return;
    this.#warned.add(projection);
    process.emitWarning(describeLeft(projection), { type: 'EvstoreWarning', code: 'EVSTORE_STALE_INLINE' });
  }

  async *readStream(streamId: string, range: StreamRange = {}): AsyncGenerator<Event> {
    const checked = checkMembers(range, 'range', streamRange);
    checkStreamId(checkText(streamId, 'streamId'));
    for await (const batch of this.#store.log.readStream(streamId, checked)) yield* batch.events.map(this.#toEvent);
  }

  async *readAll(range: LogRange = {}): AsyncGenerator<Event> {
    const checked = checkMembers(range, 'range', logRange);
    await this.#assertGuards();
    for await (const batch of this.#store.log.readAll(checked)) yield* batch.events.map(this.#toEvent);
  }

  async *subscribe(options: SubscribeOptions = {}): AsyncGenerator<Event> {
    const { after = 0, signal, ...filter } = checkMembers(options, 'options', subscribeOptions);
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

type Condition = Pick<AppendCondition, 'correlationId' | 'causationId' | 'streamType'>;

function toNewEvent(input: unknown, name: string, prefix: string, condition: Condition): NewEvent {
  const event = checkMembers(input, name, eventInput, { prefix, ignored: placeOfEvent });
  const { type, data, id = newEventId(), schemaVersion = 1, createdAt } = event;
  for (const [member, value] of Object.entries({ type, data })) {
    if (value === undefined) throw new EvstoreError('E_INVALID_INPUT', `${prefix}${member} is missing`);
  }
  const { correlationId, causationId, streamType } = condition;
  const added = {
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
  };
  const metadata = checkJson({ ...added, ...event.metadata }, `${prefix}metadata`);
  return {
    ...{ id, type: type as string, schemaVersion, data: data as string, metadata },
    ...(streamType !== undefined && { streamType }),
    ...(createdAt !== undefined && { createdAt }),
  };
}

/** A Map has no members, and would be lost. */
function checkMetadata(value: unknown, name: string): Readonly<Record<string, unknown>> {
  checkJson(value, name);
  return { ...checkObject(value, name) };
}

/** A function, because the flag changes while the reader waits, and the compiler would take a comparison as settled. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}
