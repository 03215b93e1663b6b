/**
 * Runs reactions: what `evstore run --sagas` calls. First the events are appended, then the checkpoint moves. After a crash
 * in between, the event is handled again, and the ids of what it appends find it there.
 */
import { EvstoreError, isEvstoreError, isTransient } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import { reactionId } from '../domain/subscription-names.js';
import { normaliseTimestamp } from '../domain/timestamp.js';
import { BackOff } from '../lease/back-off.js';
import { recordFailure } from '../lease/checkpoints.js';
import { tryAgain } from '../projection/catch-up/error-policy.js';
import { type Failure, stateOf, stopAtOnce, toSetAside } from '../projection/define/set-aside.js';
import type { SetAside } from '../store/store.js';
import { readBatches } from '../subscription/batches.js';
import type { Batch } from '../subscription/subscription.js';
import type { Reaction } from './definition.js';
import { appendPlanned, isLoop, planReaction } from './react.js';
import type { ReactionReport, ReactionRun } from './report.js';
import { reactionTypes } from './validate.js';

type Counts = { -readonly [Name in 'position' | 'events' | 'appended' | 'aside']: number };

/**
 * Runs all reactions side by side. Does not throw when one fails: its report has the `error`, which is E_LOCK_HELD when
 * another process runs the reaction and `once` is set, and E_HANDLER when it cannot handle an event and the policy is to stop.
 */
export function runReactions(run: ReactionRun): Promise<readonly ReactionReport[]> {
  return Promise.all(run.reactions.map((reaction) => runReaction(reaction, run)));
}

/** While it follows the log, a lost connection or lease does not stop it: it starts again at its checkpoint. */
async function runReaction(reaction: Reaction, run: ReactionRun): Promise<ReactionReport> {
  const backOff = new BackOff(100, 5_000);
  const counts: Counts = { position: 0, events: 0, appended: 0, aside: 0 };
  for (;;) {
    try {
      await follow(reaction, run, counts, () => backOff.reset());
      return { reaction: reaction.name, ...counts, error: null };
    } catch (thrown) {
      if (run.signal.aborted) return { reaction: reaction.name, ...counts, error: null };
      const error = toEvstoreError(reaction.name, thrown);
      const isOver = run.once || !(error.code === 'E_SUPERSEDED' || isTransient(error));
      run.report?.({ kind: isOver ? 'failed' : 'interrupted', reaction: reaction.name, error });
      if (isOver) return { reaction: reaction.name, ...counts, error };
      await backOff.wait(run.signal);
    }
  }
}

async function follow(reaction: Reaction, run: ReactionRun, counts: Counts, onContact: () => void): Promise<void> {
  const { store, once, signal, owner, batchSize, report } = run;
  const id = reactionId(reaction.name);
  const batches = readBatches({
    ...{ store, id, once, signal, owner, batchSize },
    version: reaction.version ?? 1,
    filter: filterOf(reaction),
    tellWaiting: (holder) => report?.({ kind: 'waiting', reaction: reaction.name, owner: holder }),
    tellRunning: onContact,
  });
  let hasError = true;
  for await (const batch of batches) {
    if (batch.events.length > 0) await takeBatch(reaction, run, batch, counts);
    else await batch.acknowledge();
    counts.position = batch.upTo;
    if (hasError) await store.projections.recordError(id, null);
    hasError = false;
  }
}

function filterOf(reaction: Reaction): {
  readonly types: readonly string[];
  readonly category?: string;
  readonly since?: string;
} {
  const { category, since } = reaction;
  return {
    types: reactionTypes(reaction),
    ...(category !== undefined && { category }),
    ...(since !== undefined && { since: normaliseTimestamp(since) }),
  };
}

/** Returns true for an event that the reaction is called for, as `filterOf`. */
export function isHandledBy(reaction: Reaction, { type, streamType, createdAt }: RecordedEvent): boolean {
  const { types, category, since } = filterOf(reaction);
  return (
    types.includes(type) &&
    (category === undefined || category === streamType) &&
    (since === undefined || createdAt >= since)
  );
}

/** Handles the events of a batch in order. What was handled before an event that stops it is acknowledged. */
async function takeBatch(reaction: Reaction, run: ReactionRun, batch: Batch, counts: Counts): Promise<void> {
  const { policy = stopAtOnce, tellAside, store } = run;
  const aside: SetAside[] = [];
  const id = reactionId(reaction.name);
  for (const event of batch.events) {
    const failure = await takeEvent(reaction, run, event, batch.signal, counts).catch(async (error: unknown) => {
      await batch.acknowledgeUpTo(event.globalPosition - 1, aside);
      counts.position = event.globalPosition - 1;
      throw error;
    });
    if (failure === undefined) continue;
    if (policy.onError === 'stop') {
      await batch.acknowledgeUpTo(event.globalPosition - 1, aside);
      counts.position = event.globalPosition - 1;
      await recordFailure(store, id, failure.error).catch(() => {});
      throw failure.error;
    }
    aside.push(toSetAside(event, stateOf[policy.onError], failure));
  }
  await batch.acknowledge(aside);
  counts.aside += aside.length;
  for (const each of aside) tellAside?.(each, id);
}

/** Returns the failure of an event that cannot be handled. @throws every error that is not the fault of the event */
async function takeEvent(
  reaction: Reaction,
  { store, policy = stopAtOnce }: ReactionRun,
  event: RecordedEvent,
  signal: AbortSignal,
  counts: Counts,
): Promise<Failure | undefined> {
  signal.throwIfAborted();
  const act = async () => {
    const planned = await planReaction(reaction, event, store.log, signal);
    counts.appended += await appendPlanned(reaction, event, planned, store.log);
  };
  try {
    await act();
  } catch (error) {
    const failure = await tryAgain(error, isLoop(error) ? 0 : policy.retries, signal, act);
    signal.throwIfAborted();
    if (failure !== undefined) return failure;
  }
  counts.events += 1;
  return undefined;
}

function toEvstoreError(reaction: string, error: unknown): EvstoreError {
  if (isEvstoreError(error)) return error;
  return new EvstoreError('E_BUG', `reaction ${reaction} stopped: ${String(error)}`, { cause: error });
}
