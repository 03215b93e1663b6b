/**
 * Reads the log for one saga: starts an instance for each trigger, and delivers events to the instances that wait for them.
 * First both are recorded, then the checkpoint moves.
 */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { EventBatch, RecordedEvent } from '../domain/event.js';
import { checkStreamId } from '../domain/names.js';
import { normaliseTimestamp } from '../domain/timestamp.js';
import type { Event } from '../projection/define/definition.js';
import { toEvent } from '../projection/define/event.js';
import { type ErrorHandling, stateOf, stopAtOnce, toSetAside } from '../projection/define/set-aside.js';
import { describeValue } from '../projection/define/values.js';
import type { SagaStore, SetAside } from '../store/store.js';
import type { ReadingPlace } from './checkpoint.js';
import type { SagaDefinition, WaitStep } from './definition.js';
import { Delivery, type ReadEvent, type Start } from './delivery.js';
import { type FactOf, sagaCategory, sagaStreamId } from './events.js';
import { describeError } from './failures.js';
import { Gaps } from './gaps.js';
import { codeOf } from './identity.js';
import { planStart, startedBy } from './instance.js';
import { planNext } from './plan.js';
import { matchOf } from './search.js';
import { evolveSaga } from './state.js';
import { triggerTypes, waitedTypes } from './validate.js';
import type { SagaWorker } from './worker.js';

export class SagaReader {
  /** Starts new instances. */
  readonly #newest: SagaDefinition;
  readonly #sagas: readonly SagaDefinition[];
  readonly #instances: SagaStore;
  readonly #worker: SagaWorker;
  readonly #delivery: Delivery;
  readonly #handling: ErrorHandling;
  readonly #triggers: ReadonlySet<string>;
  readonly #since: string | undefined;

  /** @param sagas all versions of one saga */
  constructor(sagas: readonly SagaDefinition[], instances: SagaStore, worker: SagaWorker, handling: ErrorHandling) {
    this.#sagas = sagas;
    this.#newest = newestOf(sagas);
    this.#instances = instances;
    this.#worker = worker;
    this.#delivery = new Delivery(instances, worker);
    this.#handling = handling;
    this.#triggers = new Set(triggerTypes(this.#newest));
    const { since } = this.#newest;
    this.#since = since === undefined ? undefined : normaliseTimestamp(since);
  }

  /**
   * Reads up to a position, or to the safe head.
   * @throws E_HANDLER at an event that the user's code cannot take, when the policy is to stop
   */
  async read(place: ReadingPlace, to: number | undefined, signal: AbortSignal): Promise<void> {
    const range = { after: place.position, ...rangeOf(this.#sagas), ...(to !== undefined && { to }) };
    for await (const batch of this.#worker.crew.log.readAll(range)) {
      if (signal.aborted) return;
      await this.#take(batch, place);
    }
  }

  /**
   * Begins to read at a place: delivers first what earlier readers passed without the code of instances that waited.
   * @throws as `read` does
   */
  async begin(place: ReadingPlace, signal: AbortSignal): Promise<void> {
    const { log } = this.#worker.crew;
    const codes = this.#sagas.map(codeOf);
    const gaps = await Gaps.load(log, this.#newest.name);
    const after = gaps.startFor(codes);
    const types = this.#sagas.flatMap(waitedTypes);
    if (after !== undefined && after < place.position && types.length > 0) {
      for await (const { events } of log.readAll({ after, to: place.position, types })) {
        if (signal.aborted) return;
        const { taken, aside, stop } = this.#lookAtAll(events);
        await this.deliver(taken);
        await place.setAside(aside);
        this.#tellAside(aside);
        if (stop !== undefined) throw stop;
      }
    }
    await gaps.close(codes);
    await gaps.open(this.#instances, codes, place.position);
  }

  async #take({ events, upTo }: EventBatch, place: ReadingPlace): Promise<void> {
    const { taken, aside, stop } = this.#lookAtAll(events);
    await this.start(taken);
    await this.deliver(taken);
    const end = stop === undefined ? upTo : (events[taken.length + aside.length]?.globalPosition ?? upTo + 1) - 1;
    const seen = events.filter(({ globalPosition }) => globalPosition <= end);
    await place.move(end, seen, aside);
    this.#tellAside(aside);
    if (stop !== undefined) throw stop;
  }

  /** Ends at the event that the reading stops at. */
  #lookAtAll(events: readonly RecordedEvent[]) {
    const { policy = stopAtOnce } = this.#handling;
    const taken: ReadEvent[] = [];
    const aside: SetAside[] = [];
    let stop: EvstoreError | undefined;
    for (const event of events) {
      try {
        taken.push(this.#look(event));
      } catch (error) {
        stop = toNamed(this.#newest, event, error);
        if (policy.onError === 'stop') break;
        aside.push(toSetAside(event, stateOf[policy.onError], { error: stop, attempts: 1 }));
        stop = undefined;
      }
    }
    return { taken, aside, stop };
  }

  #tellAside(aside: readonly SetAside[]): void {
    for (const each of aside) this.#handling.tellAside?.(each, sagaCategory(this.#newest.name));
  }

  /** Takes one event that was set aside. @throws E_HANDLER */
  async takeAgain(event: RecordedEvent): Promise<void> {
    let taken: readonly ReadEvent[];
    try {
      taken = [this.#look(event)];
    } catch (error) {
      throw toNamed(this.#newest, event, error);
    }
    await this.start(taken);
    await this.deliver(taken);
  }

  /** @throws what the user's functions throw */
  #look(recorded: RecordedEvent): ReadEvent {
    const isTrigger =
      this.#triggers.has(recorded.type) && (this.#since === undefined || recorded.createdAt >= this.#since);
    const keys = this.#sagas.flatMap((saga) =>
      saga.steps
        .filter((step): step is WaitStep => step.kind === 'event')
        .flatMap((step) => matchOf(saga, step, recorded)?.key ?? []),
    );
    const trigger = isTrigger ? toEvent(recorded, this.#newest) : undefined;
    const size = recorded.data.length;
    const start = trigger && { instance: instanceOf(this.#newest, trigger), trigger, size };
    return { recorded, start, keys: [...new Set(keys)] };
  }

  /** A trigger whose instance exists starts nothing: it was read before, or its id names an instance of another trigger. */
  async start(taken: readonly ReadEvent[]): Promise<void> {
    const code = codeOf(this.#newest);
    const starts = new Map<string, Start>();
    for (const { start } of taken)
      if (start !== undefined && !starts.has(start.instance)) starts.set(start.instance, start);
    let free = await this.#worker.reserveNext(starts.size);
    const started = [...starts.values()].map((start) => {
      free -= 1;
      return this.#begin(startedBy(code, start.instance, start.trigger), start, free >= 0);
    });
    await Promise.all(started);
  }

  /** @param isOurs begins its first step at once; otherwise the instance is due for any process */
  async #begin(fact: FactOf<'SagaStarted'>, { trigger, size }: Start, isOurs: boolean): Promise<void> {
    const { crew } = this.#worker;
    const saga = this.#newest;
    const plan = isOurs ? planNext(evolveSaga(undefined, fact), saga, trigger, false) : undefined;
    const deed = plan?.deed;
    const { change, after } = planStart(fact, plan?.facts ?? [], deed === undefined ? null : crew.holder);
    try {
      const { kind } = await crew.recorder.record(change);
      if (kind !== 'recorded') this.#worker.wake();
      else if (deed === undefined) this.#worker.offer({ instance: after, trigger }, size);
      else this.#worker.board({ saga, instance: after, trigger, isDue: false, deed });
    } finally {
      this.#worker.giveBack(isOurs ? 1 : 0);
    }
  }

  async deliver(taken: readonly ReadEvent[]): Promise<void> {
    const wanted = taken.filter(({ keys }) => keys.length > 0);
    if (wanted.length > 0) await this.#delivery.deliver(this.#newest.name, wanted);
  }
}

/** Which events a saga of several versions reads. */
export function rangeOf(sagas: readonly SagaDefinition[]): {
  readonly types: readonly string[];
  readonly since?: string;
} {
  const newest = newestOf(sagas);
  const waited = sagas.flatMap(waitedTypes);
  const types = [...new Set([...triggerTypes(newest), ...waited])];
  // An event that is waited for counts whatever the time that its writer gave it.
  const { since } = newest;
  return { types, ...(since !== undefined && waited.length === 0 && { since: normaliseTimestamp(since) }) };
}

export function newestOf(sagas: readonly SagaDefinition[]): SagaDefinition {
  const [newest] = [...sagas].sort((a, b) => b.version - a.version);
  if (newest === undefined) throw new EvstoreError('E_BUG', 'a run of no saga');
  return newest;
}

function instanceOf(saga: SagaDefinition, trigger: Event): string {
  const id: unknown = saga.id === undefined ? trigger.streamId : saga.id(trigger);
  if (typeof id === 'string' && id !== '') {
    checkStreamId(sagaStreamId(saga.name, id));
    return id;
  }
  throw new TypeError(`id returned ${describeValue(id)}, not a text`);
}

function toNamed({ name }: SagaDefinition, event: RecordedEvent, error: unknown): EvstoreError {
  if (isEvstoreError(error) && error.code === 'E_HANDLER') return error;
  const { type, globalPosition } = event;
  return new EvstoreError('E_HANDLER', `saga ${name} cannot take event ${globalPosition}`, {
    why: `For ${type}: ${describeError(error)}.`,
    details: { saga: name, globalPosition, type },
    cause: error,
  });
}
