/**
 * Drives the instances of one saga that are due: claims as many as it has slots for, side by side with other processes. An
 * instance that waits takes no slot and no memory.
 */
import { isEvstoreError } from '../domain/errors.js';
import { type EndPhase, endPhases } from '../domain/saga-phase.js';
import { pause } from '../lease/back-off.js';
import type { ClaimedInstance, Holder, InstanceKey, SagaStore } from '../store/store.js';
import { Bell } from './bell.js';
import type { SagaDefinition } from './definition.js';
import { type DriveCrew, drive } from './drive.js';
import { type Boarding, Flight } from './flight.js';
import { Holdings } from './holdings.js';
import { codeOf } from './identity.js';
import { loadInstance, planChange } from './instance.js';
import type { SagaLog } from './log.js';
import type { LateSuccess } from './perform.js';
import { reconcile } from './reconcile.js';
import { Recorder } from './recorder.js';
import { noEnds, type SagaNews } from './report.js';
import { WaitSearch } from './search.js';
import { type Started, StartedInstances } from './started.js';
import { describeTrouble } from './state.js';

export interface WorkerOptions {
  readonly log: SagaLog;
  readonly instances: SagaStore;
  /** All versions of one saga. */
  readonly sagas: readonly SagaDefinition[];
  readonly holder: Holder;
  /** Once aborted, no act begins, and acts that run are told to end. */
  readonly signal: AbortSignal;
  readonly graceMs: number;
  readonly report?: ((news: SagaNews) => void) | undefined;
  /** Instances driven side by side. Default 16. */
  readonly slots?: number | undefined;
}

const defaultSlots = 16;
/** The most instances in memory; those that search the log share a pass over it, and take no slot. */
const mostFlights = 1_000;
/** How often it asks for instances that became due, at most. */
const pollMs = 1_000;
/** All slots are taken: the next instance is due when one is free. */
const waitForSlot = pollMs;

export class SagaWorker {
  readonly #options: WorkerOptions;
  readonly #codes: ReadonlyMap<string, SagaDefinition>;
  readonly #flights = new Map<string, { readonly flight: Flight; readonly landed: Promise<void> }>();
  /** Held, because another claim would end as the first one did. */
  readonly #sick = new Map<string, InstanceKey>();
  readonly #late = new Set<Promise<void>>();
  readonly #holdings: Holdings;
  readonly #started = new StartedInstances();
  readonly #bell = new Bell();
  readonly #halt = new AbortController();
  readonly #crew: DriveCrew;
  readonly #ended: Record<EndPhase, number> = { ...noEnds };
  #failure: { readonly error: unknown } | undefined;
  #isDue = true;
  /** Slots for instances that are being claimed or started. */
  #reserved = 0;
  #claiming: Promise<unknown> = Promise.resolve();

  constructor(options: WorkerOptions) {
    const { log, instances, sagas, holder, signal, graceMs } = options;
    this.#options = options;
    this.#codes = new Map(sagas.map((saga) => [placeOf(codeOf(saga)), saga]));
    this.#holdings = new Holdings(instances, holder, sagas.map(codeOf));
    this.#crew = {
      log,
      holder,
      recorder: new Recorder(instances),
      search: new WaitSearch(log),
      holds: (key) => this.#holdings.holds(key),
      halt: AbortSignal.any([signal, this.#halt.signal]),
      stop: signal,
      graceMs,
      searching: () => this.wake(),
      late: (key, step, attempt, success) => this.#awaitLate(key, step, attempt, success),
    };
  }

  get crew(): DriveCrew {
    return this.#crew;
  }

  get ended(): Readonly<Record<EndPhase, number>> {
    return this.#ended;
  }

  /** Instances that it met and cannot drive. */
  get left(): number {
    return this.#sick.size;
  }

  get failure(): unknown {
    return this.#failure?.error;
  }

  /** Instances in memory. */
  get held(): number {
    return this.#flights.size + this.#sick.size;
  }

  /** Reserves at most `wanted` slots, and returns how many. The caller boards or returns each. */
  reserve(wanted = Number.POSITIVE_INFINITY): number {
    const slots = this.#options.slots ?? defaultSlots;
    const acting = [...this.#flights.values()].filter(({ flight }) => !flight.isSearching).length;
    const free = Math.min(slots - acting, mostFlights - this.#flights.size) - this.#reserved;
    const reserved = this.#crew.halt.aborted ? 0 : Math.max(0, Math.min(free, wanted));
    this.#reserved += reserved;
    return reserved;
  }

  /** As `reserve`, once the claim that is asked for now has taken its slots. */
  async reserveNext(wanted: number): Promise<number> {
    await this.#claiming;
    return this.reserve(wanted);
  }

  giveBack(slots: number): void {
    this.#reserved -= slots;
    if (slots > 0) this.#bell.ring();
  }

  /** Returns the code that started an instance; undefined when it is not loaded. */
  find(code: { readonly version: number; readonly definition: string }): SagaDefinition | undefined {
    return this.#codes.get(placeOf(code));
  }

  /** Instances may have become due. */
  wake(): void {
    this.#isDue = true;
    this.#bell.ring();
  }

  /** No act begins any more; those that run are finished and recorded. */
  halt(): void {
    this.#halt.abort();
    this.#bell.ring();
  }

  /** Keeps an instance that was just started, so that a claim of this process need not read it. @param size of the data of its trigger */
  offer(started: Started, size: number): void {
    this.#started.keep(started, size);
    this.wake();
  }

  /** Drives an instance that this process holds already. */
  board(boarding: Boarding): void {
    const flight = new Flight(boarding);
    const name = flight.key.instance;
    const landed = this.#fly(flight)
      .catch((error: unknown) => this.#fail(flight.key, error))
      .finally(() => {
        this.#flights.delete(name);
        this.wake();
      });
    this.#flights.set(name, { flight, landed });
  }

  /**
   * Returns when the signal aborts or something fails, or, with `finish`, once that has settled and no instance is due
   * within so many milliseconds. Never throws.
   * @returns until the next instance is due, in milliseconds; null when none is
   */
  async run(finish?: { readonly after: Promise<unknown>; readonly withinMs: number }): Promise<number | null> {
    const endBeat = this.#holdings.keep(() => this.#beat());
    let isFinishing = false;
    const over = () => {
      isFinishing = true;
      this.wake();
    };
    finish?.after.then(over, over);
    let nextInMs: number | null = null;
    try {
      await this.#holdings.releaseEnded();
      while (!this.#crew.halt.aborted) {
        const [wasFinishing, wasIdle] = [isFinishing, this.#flights.size === 0];
        const claiming = this.#claimDue();
        this.#claiming = claiming.catch(() => {});
        nextInMs = await claiming;
        // An instance that has landed meanwhile may be due again.
        const isIdle = wasIdle && this.#flights.size === 0 && !this.#isDue;
        const isOver = nextInMs === null || nextInMs > (finish?.withinMs ?? 0);
        if (wasFinishing && isIdle && isOver && !(await this.#settleLate())) break;
        if (!this.#isDue || nextInMs === waitForSlot) {
          await this.#bell.wait(Math.min(pollMs, nextInMs ?? pollMs), this.#crew.halt);
        }
      }
    } catch (error) {
      this.#failWith(error);
    }
    const mayBeDue = await this.#land();
    endBeat();
    return mayBeDue ? 0 : nextInMs;
  }

  /** Returns once the instances that it drives wait or have ended. Never throws. */
  async settle(): Promise<void> {
    const endBeat = this.#holdings.keep(() => this.#beat());
    await Promise.all([...this.#flights.values()].map(({ landed }) => landed));
    await this.#land();
    endBeat();
  }

  async #claimDue(): Promise<number | null> {
    const limit = this.reserve();
    if (limit === 0) return waitForSlot;
    this.#isDue = false;
    try {
      const { instances, nextInMs } = await this.#holdings.claim(limit);
      if (instances.length === limit) this.#isDue = true;
      await Promise.all(instances.map((claimed) => this.#take(claimed)));
      return nextInMs;
    } finally {
      this.#reserved -= limit;
    }
  }

  async #take(claimed: ClaimedInstance): Promise<void> {
    const { saga, instance, streamVersion } = claimed;
    const key = { saga, instance };
    if (this.#flights.has(instance) || this.#sick.has(instance)) return;
    try {
      const started = this.#started.take(instance, streamVersion);
      const loaded = started?.instance ?? (await loadInstance(this.#crew.log, saga, instance));
      const code = loaded && this.find(loaded.state);
      if (loaded === undefined || code === undefined) return this.#leave(key, 'its row does not fit its stream');
      const isDue = loaded.version === streamVersion;
      this.board({ saga: code, instance: loaded, trigger: started?.trigger, isDue });
    } catch (error) {
      this.#fail(key, error);
    }
  }

  async #fly(flight: Flight): Promise<void> {
    const { phase: before, steps } = flight.instance.state;
    const wasDue = flight.isDue;
    const end = await drive(flight, this.#crew);
    if (end.kind === 'foreign') return this.#leave(flight.key, end.why);
    if (end.kind === 'idle') {
      const isStuck = wasDue && !this.#crew.halt.aborted;
      if (isStuck) return this.#leave(flight.key, `it is ${before} at step ${steps.at(-1)?.name}, and nothing is due`);
      await this.#holdings.release(flight.key);
    }
    if (end.kind === 'recorded') this.#tellEnd(flight);
  }

  #tellEnd({ instance: { state } }: Flight): void {
    const end = endPhases.find((each) => each === state.phase);
    if (end === undefined) return;
    this.#ended[end] += 1;
    const error = describeTrouble(state) ?? state.reason;
    this.#options.report?.({ kind: 'ended', saga: state.saga, instance: state.instance, phase: end, error });
  }

  /** The effect of an action that no one waits for is recorded, and compensated if need be: again, if it was. */
  #awaitLate(key: InstanceKey, step: string, attempt: number, success: Promise<LateSuccess | undefined>): void {
    const recorded = success
      .then(async (late) => {
        if (late === undefined) return;
        const data = { step, attempt, result: late.result };
        for (;;) {
          const instance = await loadInstance(this.#crew.log, key.saga, key.instance);
          const fact = instance && reconcile(instance.state, { type: 'StepCompleted', data });
          if (instance === undefined || fact === undefined) return;
          const { change } = planChange(instance, [fact], undefined);
          if ((await this.#crew.recorder.record(change)).kind !== 'conflict') return this.wake();
        }
      })
      .catch((error: unknown) => this.#failWith(error))
      .finally(() => this.#late.delete(recorded));
    this.#late.add(recorded);
  }

  /** Only this instance suffers from what is wrong with it; what is wrong with the store stops the worker. */
  #fail(key: InstanceKey, error: unknown): void {
    if (!this.suffers(key, error)) this.#failWith(error);
  }

  /** Returns true, and leaves the instance alone, when the error is about it and not about the store. */
  suffers(key: InstanceKey, error: unknown): boolean {
    if (isEvstoreError(error) && !['E_CORRUPT', 'E_HANDLER', 'E_INVALID_INPUT'].includes(error.code)) return false;
    this.#leave(key, error instanceof Error ? error.message : String(error));
    return true;
  }

  #failWith(error: unknown): void {
    this.#failure ??= { error };
    this.halt();
  }

  #leave(key: InstanceKey, why: string): void {
    this.#sick.set(key.instance, key);
    this.#options.report?.({ kind: 'left', ...key, why });
  }

  async #beat(): Promise<void> {
    if (await this.#holdings.releaseEnded()) this.wake();
    const flights = [...this.#flights.values()].map(({ flight }) => flight);
    const lost = await this.#holdings.findLost([...flights.map(({ key }) => key), ...this.#sick.values()]);
    for (const flight of flights.filter(({ key }) => lost.includes(key))) {
      const isStill = this.#flights.get(flight.key.instance)?.flight === flight;
      // One that lands meanwhile was released with its last record.
      if (isStill && !(await this.#holdings.holds(flight.key))) flight.lose();
    }
  }

  /** Waits a while for actions that no one waits for any more. Returns true when one of them has ended. */
  async #settleLate(): Promise<boolean> {
    const before = this.#late.size;
    if (before === 0) return false;
    const over = new AbortController();
    await Promise.race([Promise.all(this.#late), pause(this.#options.graceMs, over.signal)]);
    over.abort();
    return this.#late.size < before;
  }

  /** Returns true when an action ended late, and so may have left its instance to be compensated. */
  async #land(): Promise<boolean> {
    this.#halt.abort();
    await Promise.all([...this.#flights.values()].map(({ landed }) => landed));
    const mayBeDue = await this.#settleLate();
    await this.#holdings.release().catch(() => {});
    return mayBeDue;
  }
}

function placeOf({ version, definition }: { readonly version: number; readonly definition: string }): string {
  return `${version} ${definition}`;
}
