import type { EvstoreError } from '../../domain/errors.js';
import type { EventBatch, RecordedEvent } from '../../domain/event.js';
import { toNamedError } from '../define/handler-error.js';
import { stateOf, toSetAside } from '../define/set-aside.js';
import { isBatchFault, narrow, tryAgain } from './error-policy.js';
import { foldBatch, type Pipeline } from './fold-batch.js';
import { toHandled } from './held-events.js';

/**
 * Folds and writes a batch: in one transaction, unless the database refuses one of its events.
 * @throws E_HANDLER when an event fails and the policy is to stop; all events before it are applied
 */
export async function applyBatch(pipeline: Pipeline, batch: EventBatch): Promise<void> {
  const { fold, writer } = pipeline;
  await narrow(
    batch,
    (part) => applyPart(pipeline, part),
    (event, error) => refuse(pipeline, event, error),
  );
  // Refused events at the end of the batch are still to be written.
  if (writer.position < batch.upTo) await writer.write(toHandled([], batch.upTo, []), await fold.takeChanges());
}

async function applyPart(pipeline: Pipeline, batch: EventBatch): Promise<void> {
  const { fold, writer, parkedStreams, policy, signal } = pipeline;
  const apply = async () => {
    try {
      const { handled, stop } = await foldBatch(pipeline, batch);
      await writer.write(handled, await fold.takeChanges());
      if (stop !== undefined && !signal.aborted) throw stop;
      parkedStreams.keep(handled.aside);
    } catch (error) {
      fold.forget();
      throw error;
    }
  };
  try {
    await apply();
  } catch (error) {
    // No event is at fault but what is outside the store's database, so the batch is tried again unchanged.
    if (!isBatchFault(error)) throw error;
    const failure = await tryAgain(error, policy.retries, signal, apply);
    if (failure !== undefined) throw failure.error;
  }
}

/** Tries an event that the database refuses again, alone, and then does what the policy says. */
async function refuse(pipeline: Pipeline, event: RecordedEvent, error: EvstoreError): Promise<void> {
  const { projection, fold, writer, parkedStreams, policy, signal } = pipeline;
  const { onError, retries } = policy;
  const upTo = event.globalPosition;
  const failure = await tryAgain(error, retries, signal, async () => {
    fold.forget();
    await fold.retry(event);
    await writer.write(toHandled([event], upTo, []), await fold.takeChanges());
  });
  fold.forget();
  if (failure === undefined) return;
  const named = toNamedError(projection.name, event, failure.error);
  if (onError === 'stop') throw named;
  const aside = [toSetAside(event, stateOf[onError], { ...failure, error: named })];
  writer.add(toHandled([event], upTo, aside));
  parkedStreams.keep(aside);
}
