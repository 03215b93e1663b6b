/** One spell of a saga: triggers → instances → driven to their ends, under one lease. */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { normaliseTimestamp } from '../domain/timestamp.js';
import type { Event } from '../projection/define/definition.js';
import { toEvent } from '../projection/define/event.js';
import { graceMs, type LateStep, recordLateSuccess } from './act.js';
import type { Saga } from './definition.js';
import { recordStart, SagaInstance } from './instance.js';
import { driveInstance } from './instance-loop.js';
import { describeError } from './perform.js';
import type { EndPhase, SagaReport, SagaRun } from './run-sagas.js';
import type { SagaSubscription } from './subscription.js';
import { triggerTypes } from './validate.js';

/** Instances driven at the same time. */
const concurrency = 16;
/** How long one wait for new events lasts before the log is read again. */
const waitMs = 5_000;

export const noEnds: Readonly<Record<EndPhase, number>> = {
  completed: 0,
  compensated: 0,
  failed: 0,
  'compensation-failed': 0,
};

export class SagaRunner {
  readonly #saga: Saga;
  readonly #run: SagaRun;
  readonly #subscription: SagaSubscription;
  readonly #ended: Record<EndPhase, number> = { ...noEnds };
  readonly #running = new Map<string, Promise<void>>();
  readonly #late = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #failure: { readonly error: unknown } | undefined;
  #left = 0;

  constructor(saga: Saga, run: SagaRun, subscription: SagaSubscription) {
    this.#saga = saga;
    this.#run = run;
    this.#subscription = subscription;
    this.#signal = AbortSignal.any([run.signal, this.#stop.signal, subscription.lost]);
  }

  async run(): Promise<SagaReport> {
    const { store, once } = this.#run;
    try {
      const { safeHead } = await store.log.head();
      do {
        await this.#readTriggers(once ? safeHead : undefined);
        if (once) break;
        await store.log.waitForAppend(this.#subscription.readTo, { timeoutMs: waitMs, signal: this.#signal });
      } while (!this.#signal.aborted);
    } catch (error) {
      this.#fail(error);
    }
    await Promise.all(this.#running.values());
    await Promise.race([Promise.all(this.#late), settleAfter(this.#late.size === 0 ? 0 : graceMs)]);
    if (this.#subscription.lost.aborted) this.#fail(superseded(this.#saga.name));
    await this.#subscription.save().catch((error: unknown) => this.#fail(error));
    await this.#subscription.close();
    const { name } = this.#saga;
    return {
      saga: name,
      position: this.#subscription.mark,
      ended: this.#ended,
      left: this.#left,
      error: this.#failure === undefined ? null : toEvstoreError(name, this.#failure.error),
    };
  }

  async #readTriggers(to: number | undefined): Promise<void> {
    const { since } = this.#saga;
    const range = {
      after: this.#subscription.readTo,
      types: triggerTypes(this.#saga),
      ...(since !== undefined && { since: normaliseTimestamp(since) }),
      ...(to !== undefined && { to }),
    };
    for await (const batch of this.#run.store.log.readAll(range)) {
      for (const recorded of batch.events) {
        if (this.#signal.aborted) return;
        await this.#take(toEvent(recorded, this.#saga.upcasters));
      }
      if (this.#signal.aborted) return;
      this.#subscription.read(batch.upTo);
      await this.#subscription.save();
    }
  }

  /** Returns when there is room for the next one. */
  async #take(trigger: Event): Promise<void> {
    const instance = instanceOf(this.#saga, trigger);
    await this.#running.get(instance);
    while (this.#running.size >= concurrency) await Promise.race(this.#running.values());
    this.#subscription.begin(trigger);
    const task = this.#handle(instance, trigger)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#running.delete(instance));
    this.#running.set(instance, task);
  }

  async #handle(id: string, trigger: Event): Promise<void> {
    const { log } = this.#run.store;
    const instance = (await SagaInstance.load(log, this.#saga.name, id)) ?? (await this.#start(id, trigger));
    if (await this.#drive(instance)) {
      this.#subscription.end(trigger);
      await this.#subscription.save();
    }
  }

  async #start(id: string, trigger: Event): Promise<SagaInstance> {
    const { log } = this.#run.store;
    await recordStart(log, this.#saga, id, trigger);
    const instance = await SagaInstance.load(log, this.#saga.name, id);
    if (instance === undefined) throw new EvstoreError('E_BUG', `the saga instance ${id} was started and is not there`);
    return instance;
  }

  /** True when the instance has ended. */
  async #drive(instance: SagaInstance): Promise<boolean> {
    const { saga, instance: id, phase: before } = instance.state;
    const end = await driveInstance(instance, { log: this.#run.store.log, saga: this.#saga, signal: this.#signal });
    if (end.kind === 'stopped') return false;
    if (end.kind === 'foreign') {
      this.#left += 1;
      this.#run.report?.({ kind: 'left', saga, instance: id, why: end.why });
      return false;
    }
    const { phase } = instance.state;
    if (phase !== before && phase !== 'running' && phase !== 'compensating') {
      this.#ended[phase] += 1;
      this.#run.report?.({ kind: 'ended', saga, instance: id, phase });
    }
    if (end.late !== undefined) this.#awaitLate(id, end.late);
    return true;
  }

  /** An action that ran out of time long ago may still go through: then it is undone again. */
  #awaitLate(id: string, { step, success }: LateStep): void {
    const undone = success
      .then(async (result) => {
        const instance = result && (await SagaInstance.load(this.#run.store.log, this.#saga.name, id));
        if (result === undefined || instance === undefined) return;
        await recordLateSuccess(instance, step, result);
        await this.#drive(instance);
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#late.delete(undone));
    this.#late.add(undone);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stop.abort();
  }
}

export function toEvstoreError(saga: string, error: unknown): EvstoreError {
  if (isEvstoreError(error)) return error;
  return new EvstoreError('E_BUG', `saga ${saga} stopped: ${String(error)}`, { cause: error });
}

function instanceOf(saga: Saga, trigger: Event): string {
  try {
    const id: unknown = saga.id === undefined ? trigger.streamId : saga.id(trigger);
    if (typeof id === 'string' && id !== '') return id;
    throw new TypeError(`id returned ${JSON.stringify(id) ?? typeof id}, not a text`);
  } catch (error) {
    if (isEvstoreError(error)) throw error;
    const { type, globalPosition } = trigger;
    throw new EvstoreError('E_HANDLER', `saga ${saga.name} cannot tell the instance of event ${globalPosition}`, {
      why: `For ${type}: ${describeError(error)}.`,
      details: { saga: saga.name, globalPosition, type },
      cause: error,
    });
  }
}

function superseded(saga: string): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `another process runs the saga ${saga} now`, {
    why: 'This one did not renew its lease in time.',
  });
}

function settleAfter(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
