/** Subscriptions of programs that keep their position in the store. */
import { checkMembers, checkSignal, checkText, checkWholeNumber } from '../domain/arguments.js';
import { EvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { programId } from '../domain/subscription-names.js';
import { ownerName } from '../lease/owner.js';
import type { Event, StoredEvent } from '../projection/define/definition.js';
import type { Store } from '../store/store.js';
import { readBatches } from '../subscription/batches.js';
import { logFilter } from './event-arguments.js';
import type { LogFilter } from './event-store-options.js';

export interface NamedSubscribeOptions extends LogFilter {
  /**
   * The position is stored under this name. Lower-case letters, digits, `_` and `-`, beginning with a letter, at most 63.
   * `lag`, `checkpoints` and `wait` show it as `subscription:NAME`.
   */
  readonly name: string;
  /** The most events in a batch. Default: the engine's choice, about a thousand. */
  readonly batchSize?: number;
  /** Global position, exclusive, where a new subscription begins; `end`: after the last event. Default 0: the beginning. */
  readonly after?: number | 'end';
  /** Ends the subscription once the batch that is being handled is acknowledged. */
  readonly signal?: AbortSignal;
}

/** A batch of a named subscription. */
export interface SubscribedBatch {
  /** In the order of the log. Empty only when `caughtUp` is true and no event of the subscription remained. */
  readonly events: readonly StoredEvent[];
  /** The position that is stored once the batch is acknowledged. */
  readonly position: number;
  /** True when the log has no later event for now. */
  readonly caughtUp: boolean;
  /** Aborts when the subscription ends, and when another process takes it over. */
  readonly signal: AbortSignal;
  /**
   * Stores the position. Asking for the next batch does it, too; call it before leaving the loop with `break`.
   * @throws EvstoreError E_SUPERSEDED when another process took over, or the checkpoint was moved by hand
   */
  acknowledge(): Promise<void>;
}

const options = {
  name: checkName,
  batchSize: checkWholeNumber(1, 10_000),
  after: checkBegin,
  signal: checkSignal,
  ...logFilter,
};

export async function* subscribeByName(
  store: Store,
  given: NamedSubscribeOptions,
  toEvent: (recorded: RecordedEvent) => Event,
): AsyncGenerator<SubscribedBatch, void, void> {
  const { name = '', batchSize, after, signal, ...filter } = checkMembers(given, 'options', options);
  const batches = readBatches({
    store,
    id: programId(name),
    version: 1,
    filter,
    once: false,
    begin: after,
    batchSize,
    owner: ownerName(),
    signal: signal ?? new AbortController().signal,
  });
  for await (const batch of batches) {
    const { events, upTo: position, caughtUp } = batch;
    yield {
      events: events.map(toEvent),
      ...{ position, caughtUp, signal: batch.signal },
      acknowledge: () => batch.acknowledge(),
    };
  }
}

function checkName(value: unknown, name: string): string {
  const text = checkText(value, name);
  if (/^[a-z][a-z0-9_-]{0,62}$/.test(text)) return text;
  throw new EvstoreError('E_INVALID_INPUT', `${name} is not the name of a subscription`, {
    why: 'It is 1 to 63 lower-case letters, digits, _ and -, and begins with a letter.',
  });
}

function checkBegin(value: unknown, name: string): number | 'end' {
  return value === 'end' ? value : checkWholeNumber(0)(value, name);
}
