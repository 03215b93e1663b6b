/**
 * The store for programs: values instead of JSON text, single events instead of batches.
 */
import type { Aggregate } from './aggregate/definition.js';
import { type HandleResult, handleCommand } from './aggregate/handle.js';
import { SnapshotKeeper } from './aggregate/keep-snapshot.js';
import { type LoadedAggregate, loadAggregate } from './aggregate/load-state.js';
import { type PreparedAggregate, prepareAggregate } from './aggregate/prepare.js';
import { checkList, checkMembers, checkText, isList } from './domain/arguments.js';
import { EvstoreError } from './domain/errors.js';
import type { AppendResult, EventFilter, ExpectedVersion, RecordedEvent } from './domain/event.js';
import { checkStreamId } from './domain/names.js';
import type { EventType } from './domain/stored-events.js';
import { validateAppend } from './domain/validate.js';
import {
  appendCondition,
  type CheckedCondition,
  handleOptions,
  logRange,
  openOptions,
  streamRange,
  subscribeOptions,
  toNewEvent,
} from './event-arguments.js';
import type { EventInput, TypedInput } from './event-input.js';
import type { Event, Projection, StoredEvent } from './projection/define/definition.js';
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

export interface HandleOptions extends Omit<AppendCondition, 'expectedVersion'> {
  /** How often to decide before a version conflict is thrown. Default 20. */
  readonly attempts?: number;
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
export interface LogFilter extends Omit<EventFilter, 'since' | 'until' | 'types'> {
  readonly types?: readonly EventType[];
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
  append<const Type extends string>(
    streamId: string,
    events: TypedInput<Type> | readonly TypedInput<Type>[],
    condition?: AppendCondition,
  ): Promise<AppendResult>;
  /**
   * Returns the state of an aggregate: the stream `CATEGORY-ID`, folded. It reads a snapshot and the events since, if the
   * aggregate has snapshots, and writes nothing.
   * @throws EvstoreError E_CONFIG for a wrong definition, E_HANDLER when `evolve` throws
   */
  load<State>(aggregate: Aggregate<State>, id: string): Promise<LoadedAggregate<State>>;
  /**
   * Loads the aggregate, decides, and appends what was decided at the version that was loaded. When another writer was
   * faster, it loads and decides again, with new ids. No event is appended for an empty decision. What `decide` throws is
   * thrown unchanged. Afterwards it stores a snapshot if one is due; if that fails, it emits a process warning.
   * @throws EvstoreError as `load` and `append`; E_VERSION_CONFLICT when other writers were faster each time
   */
  handle<State, Command>(
    aggregate: Aggregate<State, Command>,
    id: string,
    command: NoInfer<Command>,
    options?: HandleOptions,
  ): Promise<HandleResult>;
  /** Reads a stream, oldest event first. A stream that does not exist has no events. */
  readStream(streamId: string, range?: StreamRange): AsyncIterable<StoredEvent>;
  /** Reads the whole log in order, up to the safe head. */
  readAll(range?: LogRange): AsyncIterable<StoredEvent>;
  /** Like `readAll`, then yields every event as it commits, gap-free and in order, until the signal aborts. */
  subscribe(options?: SubscribeOptions): AsyncIterable<StoredEvent>;
  close(): Promise<void>;
}

/** How long one wait for new events lasts before the subscription reads again, in milliseconds. */
const waitMs = 5_000;
const defaultAttempts = 20;

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
  readonly #reading: Reading;
  readonly #toEvent: (recorded: RecordedEvent) => Event;
  readonly #keeper: SnapshotKeeper;
  readonly #aggregates = new WeakMap<object, PreparedAggregate>();
  readonly #upkeep: InlineUpkeep;
  readonly #staleInline: 'leave' | 'fail';
  readonly #warned = new Set<string>();
  #guarded = false;

  constructor(store: Store, upkeep: InlineUpkeep, reading: Reading, staleInline: OpenOptions['staleInline']) {
    this.#store = store;
    this.#staleInline = staleInline === 'fail' ? 'fail' : 'leave';
    this.#upkeep = upkeep;
    this.#keeper = new SnapshotKeeper(store, (message) => warn(message, 'EVSTORE_SNAPSHOT'));
    this.#reading = reading;
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
    return this.#append(streamId, events, isList(events, 'events') ? 'events' : 'event', checked);
  }

  /** @param name how errors name the events */
  async #append(streamId: string, events: unknown, name: string, condition: CheckedCondition): Promise<AppendResult> {
    const { expectedVersion: expected = 'any', allowLarge = false, timeoutMs } = condition;
    const made = Array.isArray(events)
      ? checkList((event, each) => toNewEvent(event, each, `${each}.`, condition))(events, name)
      : [toNewEvent(events, name, '', condition)];
    const valid = validateAppend(streamId, made, expected, { allowLarge });
    const { inline } = this.#upkeep;
    const result = await this.#store.log.append(streamId, valid, expected, {
      inline,
      staleInline: this.#staleInline,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    this.#upkeep.appended();
    for (const left of result.inlineLeft ?? []) this.#warnOnce(left);
    return result;
  }

  #warnOnce(projection: string): void {
    if (this.#warned.has(projection)) return;
    this.#warned.add(projection);
    warn(describeLeft(projection), 'EVSTORE_STALE_INLINE');
  }

  async load<State>(aggregate: Aggregate<State>, id: string): Promise<LoadedAggregate<State>> {
    return loadAggregate<State>(this.#store, this.#prepare(aggregate), checkText(id, 'id'));
  }

  async handle<State, Command>(
    aggregate: Aggregate<State, Command>,
    id: string,
    command: NoInfer<Command>,
    options: HandleOptions = {},
  ): Promise<HandleResult> {
    const prepared = this.#prepare(aggregate);
    checkText(id, 'id');
    const { attempts = defaultAttempts, ...condition } = checkMembers(options, 'options', handleOptions);
    const append = (streamId: string, events: readonly unknown[], expectedVersion: number) =>
      this.#append(streamId, events, 'decision', { ...condition, expectedVersion });
    return handleCommand({
      store: this.#store,
      aggregate: prepared,
      id,
      command,
      attempts,
      append,
      keeper: this.#keeper,
    });
  }

  #prepare(aggregate: Aggregate): PreparedAggregate {
    const known = this.#aggregates.get(aggregate);
    if (known !== undefined) return known;
    const prepared = prepareAggregate(aggregate, { reading: this.#reading });
    this.#aggregates.set(aggregate, prepared);
    return prepared;
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

/** A function, because the flag changes while the reader waits, and the compiler would take a comparison as settled. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}

function warn(message: string, code: string): void {
  process.emitWarning(message, { type: 'EvstoreWarning', code });
}
