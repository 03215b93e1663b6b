/** Runs one saga under one lease: finds its triggers, starts an instance for each, drives it to its end. */

import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { groupDigits } from '../domain/numbers.js';
import { normaliseTimestamp } from '../domain/timestamp.js';
import type { Event } from '../projection/define/definition.js';
import { toEvent } from '../projection/define/event.js';
import { describeValue } from '../projection/define/values.js';
import type { SagaCheckpoint } from './checkpoint.js';
import type { Saga } from './definition.js';
import { SagaInstance } from './instance.js';
import { driveInstance } from './instance-loop.js';
import { type EndPhase, noEnds, type SagaReport, type SagaRun } from './report.js';
import { describeTrouble } from './state.js';
import { describeError, graceMs, type LateStep, recordLateSuccess } from './step.js';
import { triggerTypes } from './validate.js';

/** Instances driven at the same time. */
const concurrency = 16;
/** How long one wait for new events lasts before the log is read again. */
const waitMs = 5_000;

/** The report of a runner, and what stopped it. */
type Outcome = Omit<SagaReport, 'error'> & { readonly failure: unknown };

export class SagaRunner {
  readonly #saga: Saga;
  readonly #run: SagaRun;
  readonly #checkpoint: SagaCheckpoint;
  readonly #ended: Record<EndPhase, number> = { ...noEnds };
  readonly #running = new Map<string, Promise<void>>();
  readonly #late = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #failure: { readonly error: unknown } | undefined;
  #left = 0;

  /** @param run its signal aborts when the lease is lost, too */
  constructor(saga: Saga, run: SagaRun, checkpoint: SagaCheckpoint) {
    this.#saga = saga;
    this.#run = run;
    this.#checkpoint = checkpoint;
    this.#signal = AbortSignal.any([run.signal, this.#stop.signal]);
  }

  /** Returns when the end is reached, the signal aborts, or something fails. Never throws. */
  async run(): Promise<Outcome> {
    const { store, once } = this.#run;
    try {
      const { safeHead } = await store.log.head();
      do {
        await this.#readTriggers(once ? safeHead : undefined);
        if (once) break;
        await store.log.waitForAppend(this.#checkpoint.readTo, { timeoutMs: waitMs, signal: this.#signal });
      } while (!this.#signal.aborted);
    } catch (error) {
      this.#fail(error);
    }
    await Promise.all(this.#running.values());
    await Promise.race([Promise.all(this.#late), settleAfter(this.#late.size === 0 ? 0 : graceMs)]);
    await this.#checkpoint.save().catch((error: unknown) => this.#fail(error));
    return {
      saga: this.#saga.name,
      position: this.#checkpoint.position,
      ended: this.#ended,
      left: this.#left,
      failure: this.#failure?.error,
    };
  }

  async #readTriggers(to: number | undefined): Promise<void> {
    const { since } = this.#saga;
    const range = {
      after: this.#checkpoint.readTo,
      types: triggerTypes(this.#saga),
      ...(since !== undefined && { since: normaliseTimestamp(since) }),
      ...(to !== undefined && { to }),
    };
    for await (const batch of this.#run.store.log.readAll(range)) {
      for (const recorded of batch.events) {
        if (this.#signal.aborted) return;
        await this.#take(toEvent(recorded, this.#saga));
      }
      if (this.#signal.aborted) return;
      this.#checkpoint.read(batch.upTo);
      await this.#checkpoint.save();
    }
  }

  /** Returns when there is room for the next one. */
  async #take(trigger: Event): Promise<void> {
    const instance = instanceOf(this.#saga, trigger);
    await this.#running.get(instance);
    while (this.#running.size >= concurrency) await Promise.race(this.#running.values());
    this.#checkpoint.begin(trigger);
    const task = this.#handle(instance, trigger)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#running.delete(instance));
    this.#running.set(instance, task);
  }

  async #handle(id: string, trigger: Event): Promise<void> {
    const { log } = this.#run.store;
    const known = await SagaInstance.load(log, this.#saga.name, id);
    const instance = known ?? (await SagaInstance.start(log, this.#saga, id, trigger));
    if (await this.#drive(instance, trigger)) {
      this.#checkpoint.end(trigger);
      await this.#checkpoint.save();
    }
  }

  /** Returns true when the instance has ended. */
  async #drive(instance: SagaInstance, trigger: Event): Promise<boolean> {
    const { saga, instance: id, phase: before } = instance.state;
    const { log } = this.#run.store;
    const end = await driveInstance(instance, { log, saga: this.#saga, signal: this.#signal, trigger });
    if (end.kind === 'stopped') return false;
    if (end.kind === 'foreign') {
      this.#left += 1;
      this.#run.report?.({ kind: 'left', saga, instance: id, why: end.why });
      return false;
    }
    const { phase } = instance.state;
    if (phase !== before && phase !== 'running' && phase !== 'compensating') {
      this.#ended[phase] += 1;
      const error = describeTrouble(instance.state) ?? instance.state.reason;
      this.#run.report?.({ kind: 'ended', saga, instance: id, phase, error });
    }
    if (end.late !== undefined) this.#awaitLate(id, trigger, end.late);
    return true;
  }

  /** An action that timed out may still take effect: then it is compensated again. */
  #awaitLate(id: string, trigger: Event, { step, success }: LateStep): void {
    const undone = success
      .then(async (result) => {
        const instance = result && (await SagaInstance.load(this.#run.store.log, this.#saga.name, id));
        if (result === undefined || instance === undefined) return;
        await recordLateSuccess(instance, step, result);
        await this.#drive(instance, trigger);
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

function instanceOf(saga: Saga, trigger: Event): string {
  try {
    const id: unknown = saga.id === undefined ? trigger.streamId : saga.id(trigger);
    if (typeof id === 'string' && id !== '') return id;
    throw new TypeError(`id returned ${describeValue(id)}, not a text`);
  } catch (error) {
    if (isEvstoreError(error)) throw error;
    const { type, globalPosition } = trigger;
    throw new EvstoreError(
      'E_HANDLER',
      `saga ${saga.name} cannot find the instance of event ${groupDigits(globalPosition)}`,
      {
        why: `For ${type}: ${describeError(error)}.`,
        details: { saga: saga.name, globalPosition, type },
        cause: error,
      },
    );
  }
}

function settleAfter(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
