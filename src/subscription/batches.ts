/**
 * Reads the log for one subscription, batch by batch, under a lease. The checkpoint moves when a batch is acknowledged, so a
 * process that dies before that gets the batch again, and no event is missed.
 */
import { isTransient } from '../domain/errors.js';
import { BackOff } from '../lease/back-off.js';
import { type HeldLease, holdLease } from '../lease/with-lease.js';
import { retryMs, SubscriptionCursor } from './cursor.js';
import type { Batch, Subscription } from './subscription.js';
import { takeSubscriptionLease } from './take-lease.js';

/** How long one wait for new events lasts before the log is read again. */
const waitMs = 5_000;

/**
 * Yields batches. Asking for the next one acknowledges the last one; ending the iteration (`break`, an error) does not.
 * Yields a batch without events when it catches up and the log ends with events that it does not get.
 * @throws E_SUPERSEDED when another process took the lease
 */
export async function* readBatches(subscription: Subscription): AsyncGenerator<Batch, void, void> {
  const { store, id, filter: query, signal } = subscription;
  await store.schema.assertGuards();
  const lease = await takeSubscriptionLease(subscription);
  if (lease === undefined) return;
  subscription.tellRunning?.();
  const held = holdLease(store.projections, lease, { signal });
  try {
    yield* follow(
      subscription,
      held,
      new SubscriptionCursor(store.projections, id, { lease, query, signal: held.signal }),
    );
    if (held.signal.aborted && !signal.aborted) throw held.signal.reason;
  } finally {
    await held.release();
  }
}

async function* follow(
  subscription: Subscription,
  { signal }: HeldLease,
  cursor: SubscriptionCursor,
): AsyncGenerator<Batch, void, void> {
  const { log } = subscription.store;
  const backOff = new BackOff(100, 5_000);
  const state = { isTold: false };
  let failedAt: number | undefined;
  let safeHead: number | undefined;
  while (!signal.aborted) {
    try {
      safeHead ??= (await log.head()).safeHead;
      yield* readTo(safeHead, subscription, signal, cursor, state);
      if (subscription.once || signal.aborted) return;
      safeHead = await log.waitForAppend(cursor.position, { timeoutMs: waitMs, signal });
      backOff.reset();
      failedAt = undefined;
    } catch (error) {
      failedAt ??= performance.now();
      if (!isTransient(error) || performance.now() - failedAt > retryMs) throw error;
      await backOff.wait(signal);
    }
  }
}

async function* readTo(
  safeHead: number,
  { store, filter, batchSize }: Subscription,
  signal: AbortSignal,
  cursor: SubscriptionCursor,
  state: { isTold: boolean },
): AsyncGenerator<Batch, void, void> {
  const range = { ...filter, after: cursor.position, safeHead, ...(batchSize !== undefined && { batchSize }) };
  for await (const { events, upTo } of store.log.readAll(range)) {
    if (signal.aborted) return;
    const caughtUp = upTo >= safeHead;
    if (events.length === 0 && (!caughtUp || state.isTold)) {
      await cursor.move(upTo, []);
      continue;
    }
    const batch = toBatch({ events, upTo, caughtUp, signal }, cursor);
    state.isTold = caughtUp;
    yield batch;
    await batch.acknowledge();
  }
  if (state.isTold || signal.aborted) return;
  state.isTold = true;
  yield toBatch({ events: [], upTo: cursor.position, caughtUp: true, signal }, cursor);
}

type Read = Omit<Batch, 'acknowledge' | 'acknowledgeUpTo'>;

function toBatch(read: Read, cursor: SubscriptionCursor): Batch {
  const { events, upTo } = read;
  const acknowledgeUpTo: Batch['acknowledgeUpTo'] = async (to, aside = []) => {
    const from = cursor.position;
    if (to <= from) return;
    await cursor.move(
      to,
      events.filter(({ globalPosition: at }) => at > from && at <= to),
      aside,
    );
  };
  return { ...read, acknowledgeUpTo, acknowledge: (aside) => acknowledgeUpTo(upTo, aside) };
}
