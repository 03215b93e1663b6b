/**
 * Calls the user's code of a read model outside the store's database. The target is opened when it is first needed. An error
 * of the code stops the work, as does a call that takes too long; after the signal its calls are not awaited any more.
 */

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { groupDigits } from '../../domain/numbers.js';
import { parseDuration } from '../../domain/timestamp.js';
import { leaseTtlMs, superseded } from '../../lease/heartbeat.js';
import type { Lease, ProjectionStore } from '../../store/store.js';
import { defaultTimeout, Unfinished, waitForUserCode } from '../../terminal/user-code.js';
import type { Event, ExternalContext, ExternalTarget } from '../define/definition.js';
import { toEvent } from '../define/event.js';
import { explain, toHandlerError } from '../define/handler-error.js';
import type { PreparedExternalProjection } from '../define/prepare.js';
import { describeValue } from '../define/values.js';

/** How long closing a connection may take once the process is told to stop, in milliseconds. */
const closeMs = 1_000;
/** How long it may take at the end of the work, which is done. */
const lastCloseLimit = { text: '10s', ms: 10_000 };

export interface ExternalModelOptions {
  readonly projection: PreparedExternalProjection;
  readonly target: ExternalTarget;
  /** Asserts before each write that the lease is still held. */
  readonly hold: () => Promise<void>;
  /** Nothing was written to the target yet. */
  readonly isNew: boolean;
  readonly signal: AbortSignal;
}

export class ExternalModel {
  readonly #options: ExternalModelOptions;
  #opening: Promise<unknown> | undefined;
  #connection: { readonly value: unknown } | undefined;

  constructor(options: ExternalModelOptions) {
    this.#options = options;
  }

  /** @throws E_HANDLER when an upcaster throws */
  toEvent(recorded: RecordedEvent): Event {
    const { projection } = this.#options;
    const { upcasters } = projection.definition;
    try {
      const event = toEvent(recorded, projection.definition);
      // Runs the upcasters here, where an error can name the event.
      if (upcasters !== undefined) void event.data;
      return event;
    } catch (error) {
      throw toHandlerError(projection.name, recorded, 'upcasters', error);
    }
  }

  /** Returns what the projection's `open` returned. @throws E_HANDLER */
  open(): Promise<unknown> {
    return this.#connect();
  }

  /**
   * Writes a batch. If the signal aborts meanwhile, the batch may be written or not.
   * @throws E_HANDLER with the positions of the batch, or of the event that the error names
   */
  async write(events: readonly Event[], { from, to }: { from: number; to: number }): Promise<void> {
    if (events.length === 0) return;
    const { projection, target } = this.#options;
    const connection = await this.#connect();
    await this.#options.hold();
    await callExternal(
      this.#options,
      (context) => projection.definition.write(connection, { events, from, to }, target, context),
      (cause) => this.#toWriteError(events, { from, to }, cause),
    );
  }

  /** @throws E_HANDLER */
  async promote(previous: ExternalTarget | null): Promise<void> {
    const { projection, target } = this.#options;
    const connection = await this.#connect();
    await this.#options.hold();
    await this.#call('promote', (context) => projection.definition.promote(connection, target, previous, context));
  }

  /** Counts the rows; null when the projection has no `count`. @throws E_HANDLER */
  async count(): Promise<number | null> {
    const { projection, target } = this.#options;
    const { count } = projection.definition;
    if (count === undefined) return null;
    const connection = await this.#connect();
    const rows: unknown = await this.#call('count', (context) => count(connection, target, context));
    if (rows === undefined && this.#options.signal.aborted) return null;
    // A count that is passed over would verify nothing.
    if (Number.isSafeInteger(rows) || typeof rows === 'bigint') return Number(rows);
    throw toTargetError(
      this.#options,
      'count',
      new TypeError(`it returned ${describeValue(rows)}, not a whole number`),
    );
  }

  /** Closes the connection, or one that is still being opened once it is open. Never throws. */
  async close(): Promise<void> {
    const opening = this.#opening;
    if (opening === undefined) return;
    this.#opening = undefined;
    const closing = waitForUserCode(lastCloseLimit, () => opening.then(closeConnection)).catch(() => {});
    if (this.#connection !== undefined) await Promise.race([closing, this.#patience()]);
  }

  async #connect(): Promise<unknown> {
    const { projection, target, isNew } = this.#options;
    if (this.#connection !== undefined) return this.#connection.value;
    return this.#call('open', (context) => {
      this.#opening = Promise.resolve(projection.definition.open({ ...target, isNew }, context));
      return this.#opening.then((value) => {
        this.#connection = { value };
        return value;
      });
    });
  }

  /** Resolves a moment after the signal aborts. */
  async #patience(): Promise<void> {
    const { signal } = this.#options;
    if (!signal.aborted) await once(signal, 'abort');
    await sleep(closeMs, undefined, { ref: false });
  }

  /** Returns undefined when the signal aborts or has aborted. */
  #call<T>(part: string, act: (context: ExternalContext) => T | PromiseLike<T>): Promise<T | undefined> {
    return callExternal(this.#options, act, (cause) => toTargetError(this.#options, part, cause));
  }

  #toWriteError(events: readonly Event[], range: { from: number; to: number }, cause: unknown): EvstoreError {
    const { projection, target } = this.#options;
    const position = positionOf(cause);
    const blamed = events.find(({ globalPosition }) => globalPosition === position);
    if (blamed !== undefined) return toHandlerError(projection.name, blamed, 'write', cause, target.name);
    const first = events[0]?.globalPosition ?? range.to;
    const last = events.at(-1)?.globalPosition ?? range.to;
    const positions =
      first === last ? `position ${groupDigits(first)}` : `positions ${groupDigits(first)} to ${groupDigits(last)}`;
    return new EvstoreError(
      'E_HANDLER',
      `projection ${projection.name} failed to write ${positions} to ${target.name}`,
      {
        why: `${explainCall('write', projection, cause)} The checkpoint stays at ${range.from}, and the batch is written again.`,
        next: `evstore run ${projection.name}`,
        details: { projection: projection.name, target: target.name, ...range, events: events.length },
        cause,
      },
    );
  }
}

/**
 * Drops a target. The live one is promoted first, because a swap that died half-way may have promoted the other.
 * @throws E_HANDLER, and the target may still exist
 */
export async function dropBeside(
  options: Omit<ExternalModelOptions, 'isNew' | 'hold'>,
  live: ExternalTarget | null,
): Promise<void> {
  const { projection, target, signal } = options;
  if (live !== null) {
    await withModel({ projection, target: live, signal }, (model) => model.promote(target));
  }
  signal.throwIfAborted();
  await callExternal(
    options,
    (context) => projection.definition.drop(target, context),
    (cause) => toTargetError(options, 'drop', cause),
  );
  signal.throwIfAborted();
}

/** Counts the rows in a target; null when the projection has no `count`. */
export async function countTarget(options: Omit<ExternalModelOptions, 'isNew' | 'hold'>): Promise<number | null> {
  return withModel(options, (model) => model.count());
}

/** Opens what exists already, without a lease to hold. */
async function withModel<T>(
  options: Omit<ExternalModelOptions, 'isNew' | 'hold'>,
  work: (model: ExternalModel) => Promise<T>,
): Promise<T> {
  const model = new ExternalModel({ ...options, isNew: false, hold: async () => {} });
  try {
    return await work(model);
  } finally {
    await model.close();
  }
}

/** Shortens the time in which a process that was frozen still writes; `write` itself has to tolerate late batches. */
export async function assertHeld(store: ProjectionStore, lease: Lease): Promise<void> {
  if (!(await store.renewLease(lease, leaseTtlMs))) throw superseded(lease);
}

/** The context's signal also aborts when the call takes too long. */
async function callExternal<T>(
  { projection, signal }: Pick<ExternalModelOptions, 'projection' | 'signal'>,
  act: (context: ExternalContext) => T | PromiseLike<T>,
  toError: (cause: unknown) => EvstoreError,
): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  try {
    return await waitForUserCode(limitOf(projection), (either) => act({ signal: either }), signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw toError(error);
  }
}

function limitOf({ definition: { timeout = defaultTimeout } }: PreparedExternalProjection) {
  return { text: timeout, ms: parseDuration(timeout) };
}

/** Says of a call that did not finish what to do about it. */
function explainCall(part: string, { definition, name }: PreparedExternalProjection, cause: unknown): string {
  if (!(cause instanceof Unfinished)) return explain(part, cause);
  if (!cause.isLate) return `${part} ${cause.message}: settle the promise that it returns.`;
  const set = definition.timeout === undefined ? 'set' : 'raise';
  return `${part} ${cause.message}. If it needs longer, ${set} timeout in the definition of ${name}.`;
}

async function closeConnection(connection: unknown): Promise<void> {
  if (typeof connection !== 'object' || connection === null || !('close' in connection)) return;
  if (typeof connection.close === 'function') await connection.close();
}

function positionOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'globalPosition' in cause ? cause.globalPosition : undefined;
}

function toTargetError(
  { projection, target }: Pick<ExternalModelOptions, 'projection' | 'target'>,
  part: string,
  cause: unknown,
) {
  return new EvstoreError('E_HANDLER', `projection ${projection.name} failed to ${part} ${target.name}`, {
    why: explainCall(part, projection, cause),
    details: { projection: projection.name, target: target.name },
    cause,
  });
}
