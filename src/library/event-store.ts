/**
 * The store for programs: values instead of JSON text, single events instead of batches.
 */
import type { Aggregate } from '../aggregate/definition.js';
import { type HandleResult, handleCommand } from '../aggregate/handle.js';
import { SnapshotKeeper } from '../aggregate/keep-snapshot.js';
import { type LoadedAggregate, loadAggregate } from '../aggregate/load-state.js';
import { type PreparedAggregate, prepareAggregate } from '../aggregate/prepare.js';
import { checkList, checkMembers, checkText, isList } from '../domain/arguments.js';
import { EvstoreError } from '../domain/errors.js';
import type { AppendResult, RecordedEvent } from '../domain/event.js';
import { checkStreamId } from '../domain/names.js';
import { validateAppend } from '../domain/validate.js';
import type { Columns, Event, Projection, StoredEvent, TableProjection } from '../projection/define/definition.js';
import { type Reading, toEvent } from '../projection/define/event.js';
import { prepareAll } from '../projection/define/prepare.js';
import { findUpcasterFaults } from '../projection/define/upcaster.js';
import { describeLeft, InlineUpkeep } from '../projection/run/inline-upkeep.js';
import { openStoreAt } from '../store/open.js';
import type { Engine, Store } from '../store/store.js';
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
import type {
  AppendCondition,
  AsText,
  HandleOptions,
  LogRange,
  OpenOptions,
  StreamRange,
  SubscribeOptions,
} from './event-store-options.js';
import { type NamedSubscribeOptions, type SubscribedBatch, subscribeByName } from './named-subscription.js';
import { OpenRows, type ReadModelRows } from './read-model-rows.js';
import { type EventText, toEventText } from './text-events.js';
import { type WaitForOptions, waitForProjection } from './wait-for.js';

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
  /**
   * Reads a stream, oldest event first. A stream that does not exist has no events. With `text: true` events are as they
   * are stored: `data` and `metadata` are JSON text, and no upcaster is applied.
   */
  readStream(streamId: string, range: StreamRange & AsText): AsyncIterable<EventText>;
  readStream(streamId: string, range?: StreamRange): AsyncIterable<StoredEvent>;
  /** Reads the whole log in order, up to the safe head. `text: true` as in `readStream`. */
  readAll(range: LogRange & AsText): AsyncIterable<EventText>;
  readAll(range?: LogRange): AsyncIterable<StoredEvent>;
  /**
   * With a name, yields batches of events, and stores the position after each: a process that starts again continues
   * there. The position moves when the loop asks for the next batch, or by `batch.acknowledge()`. So finish the work of a
   * batch before that. Each event is delivered at least once: when the process dies, or the loop ends early, the batch that
   * was not acknowledged comes again. Of several processes with one name one gets the batches, and the others wait for it.
   * @throws EvstoreError E_SUPERSEDED when another process took over while this one was suspended, E_DIVERGED when the log
   * is not the one in which the position was stored
   */
  subscribe(options: NamedSubscribeOptions): AsyncIterable<SubscribedBatch>;
  /** Like `readAll`, then yields every event as it commits, gap-free and in order, until the signal aborts. */
  subscribe(options?: SubscribeOptions): AsyncIterable<StoredEvent>;
  /**
   * Reads the rows of a projection that `defineProjection` made, by key, from its live table. Columns have the values that
   * handlers see.
   */
  rows<C extends Columns, Key extends keyof C & string>(projection: TableProjection<C, Key>): ReadModelRows<C, Key>;
  /**
   * Waits until a projection contains an event, a position, or all that is in the log now. Returns the position that it
   * has reached.
   * @param projection itself, or its name, or that of a saga, a reaction or a named subscription as `lag` shows it
   * @throws EvstoreError E_TIMEOUT when it takes longer than 5 seconds, or `timeoutMs`; E_NOT_FOUND for a name or event
   * that is not in the store
   */
  waitFor(projection: string | Projection, options?: WaitForOptions): Promise<number>;
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
  if (place.readOnly === true) assertNoWrites(place.create, projections);
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

  readStream(streamId: string, range: StreamRange & AsText): AsyncGenerator<EventText>;
  readStream(streamId: string, range?: StreamRange): AsyncGenerator<Event>;
  async *readStream(streamId: string, range: StreamRange & Partial<AsText> = {}): AsyncGenerator<Event | EventText> {
    const { text = false, ...checked } = checkMembers(range, 'range', streamRange);
    checkStreamId(checkText(streamId, 'streamId'));
    const convert: (recorded: RecordedEvent) => Event | EventText = text ? toEventText : this.#toEvent;
    for await (const batch of this.#store.log.readStream(streamId, checked)) yield* batch.events.map(convert);
  }

  readAll(range: LogRange & AsText): AsyncGenerator<EventText>;
  readAll(range?: LogRange): AsyncGenerator<Event>;
  async *readAll(range: LogRange & Partial<AsText> = {}): AsyncGenerator<Event | EventText> {
    const { text = false, ...checked } = checkMembers(range, 'range', logRange);
    await this.#assertGuards();
    const convert: (recorded: RecordedEvent) => Event | EventText = text ? toEventText : this.#toEvent;
    for await (const batch of this.#store.log.readAll(checked)) yield* batch.events.map(convert);
  }

  subscribe(options: NamedSubscribeOptions): AsyncGenerator<SubscribedBatch>;
  subscribe(options?: SubscribeOptions): AsyncGenerator<Event>;
  subscribe(options: SubscribeOptions | NamedSubscribeOptions = {}): AsyncGenerator<SubscribedBatch | Event> {
    return isNamed(options) ? subscribeByName(this.#store, options, this.#toEvent) : this.#follow(options);
  }

  async *#follow(options: SubscribeOptions): AsyncGenerator<Event> {
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

  rows<C extends Columns, Key extends keyof C & string>(projection: TableProjection<C, Key>): ReadModelRows<C, Key> {
    return new OpenRows(this.#store, projection) as ReadModelRows<C, Key>;
  }

  waitFor(projection: string | Projection, options: WaitForOptions = {}): Promise<number> {
    return waitForProjection(this.#store, projection, options);
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

/** Reading it may throw for a hostile object: then the check of the options names what is wrong. */
function isNamed(options: SubscribeOptions | NamedSubscribeOptions): options is NamedSubscribeOptions {
  try {
    return (options as { readonly name?: unknown }).name !== undefined;
  } catch {
    return false;
  }
}

/** @throws E_INVALID_INPUT */
function assertNoWrites(create: boolean | undefined, projections: readonly unknown[]): void {
  const writes = create === true ? 'create' : projections.length > 0 ? 'projections' : undefined;
  if (writes === undefined) return;
  throw new EvstoreError('E_INVALID_INPUT', `options has readOnly together with ${writes}, which writes`);
}

/** A function, because the flag changes while the reader waits, and the compiler would take a comparison as settled. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}

function warn(message: string, code: string): void {
  process.emitWarning(message, { type: 'EvstoreWarning', code });
}
