import type { EvstoreError } from '../../domain/errors.js';
import type { EventBatch } from '../../domain/event.js';
import { type Part, wholeWork } from '../../domain/parts.js';
import type { Lease, SetAside, Store } from '../../store/store.js';
import type { PreparedProjection } from '../define/prepare.js';
import { type ErrorPolicy, stateOf, toSetAside } from '../define/set-aside.js';
import type { BatchFold } from '../fold/batch-fold.js';
import { mayConcern } from '../fold/partition.js';
import { Slices } from '../fold/slices.js';
import { tryAgain } from './error-policy.js';
import { type Handled, toHandled } from './held-events.js';
import type { Writer } from './writer.js';

/** What events pass through, and what happens to those that fail. */
export interface Pipeline {
  readonly projection: PreparedProjection;
  readonly fold: BatchFold;
  readonly writer: Writer;
  readonly parkedStreams: ParkedStreams;
  readonly policy: ErrorPolicy;
  readonly part: Part | undefined;
  readonly signal: AbortSignal;
}

/** The streams with a parked event: their later events wait behind it. */
export class ParkedStreams {
  readonly #store: Store;
  readonly #projection: string;
  readonly #lease: Lease;
  #streams: Set<string> | undefined;

  constructor(store: Store, projection: string, lease: Lease) {
    this.#store = store;
    this.#projection = projection;
    this.#lease = lease;
  }

  /** Reads them from the store the first time, and again after `forget`. */
  async load(): Promise<ReadonlySet<string>> {
    const { target } = this.#lease;
    const rebuild = target.kind === 'rebuild' ? target.id : 0;
    this.#streams ??= new Set(await this.#store.projections.parkedStreams(this.#projection, rebuild));
    return this.#streams;
  }

  /** Adds the streams of newly parked events. */
  keep(aside: readonly SetAside[]): void {
    for (const { state, streamId } of aside) if (state === 'parked') this.#streams?.add(streamId);
  }

  forget(): void {
    this.#streams = undefined;
  }
}

/**
 * Folds the events of a batch. Those that their handler cannot take are parked or skipped, or stop it.
 * @returns the events handled; with `stop`, those before the event that stops it
 */
export async function foldBatch(
  { projection, fold, parkedStreams, policy, part = wholeWork, signal }: Pipeline,
  { events, upTo }: EventBatch,
): Promise<{ readonly handled: Handled; readonly stop?: EvstoreError }> {
  const { onError, retries } = policy;
  const own = part.of === 1 ? events : events.filter((event) => mayConcern(projection, event, part));
  const aside: SetAside[] = [];
  const parked = await parkedStreams.load();
  const newlyParked = new Set<string>();
  await fold.prepare(parked.size === 0 ? own : own.filter(({ streamId }) => !parked.has(streamId)));
  const slices = new Slices();
  for (const event of own) {
    if (slices.isOver) await slices.next();
    if (signal.aborted) break;
    if (parked.has(event.streamId) || newlyParked.has(event.streamId)) {
      aside.push(toSetAside(event, 'parked', null));
      continue;
    }
    try {
      fold.add(event);
    } catch (error) {
      const failure = await tryAgain(error, retries, signal, () => fold.retry(event));
      if (failure === undefined) continue;
      if (onError === 'stop') {
        const last = event.globalPosition - 1;
        const before = events.filter(({ globalPosition }) => globalPosition <= last);
        return { handled: toHandled(before, last, aside), stop: failure.error };
      }
      const each = toSetAside(event, stateOf[onError], failure);
      aside.push(each);
      if (onError === 'park') newlyParked.add(each.streamId);
    }
  }
  return { handled: toHandled(events, upTo, aside) };
}
