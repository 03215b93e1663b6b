/** Checks that a checkpoint belongs to the history in this log, not to one that a restore has replaced. */

import { EvstoreError } from '../domain/errors.js';
import { groupDigits } from '../domain/numbers.js';
import { partOf } from '../domain/parts.js';
import { shellWord } from '../domain/shell-word.js';
import { isProjectionId } from '../domain/subscription-names.js';
import type { Checkpoint, EventLog } from '../store/store.js';

/** @throws E_DIVERGED when the log ends before the checkpoint, or the last event it saw is not below it */
export async function assertSameHistory(log: EventLog, checkpoint: Checkpoint): Promise<void> {
  const { subscriptionId, position, lastEventId } = checkpoint;
  const { head } = await log.head();
  if (position > head) {
    throw diverged(
      subscriptionId,
      `It is at position ${groupDigits(position)}, but the log ends at ${groupDigits(head)}.`,
    );
  }
  if (lastEventId === null) return;
  const event = await log.find(lastEventId);
  if (event === undefined || event.globalPosition > position) {
    throw diverged(
      subscriptionId,
      `The last event it saw, ${lastEventId}, is not in the log up to position ${groupDigits(position)}.`,
    );
  }
}

function diverged(subscriptionId: string, evidence: string): EvstoreError {
  const rebuild = isProjectionId(subscriptionId)
    ? ` && evstore rebuild ${shellWord(partOf(subscriptionId).projection)}`
    : '';
  return new EvstoreError('E_DIVERGED', `${subscriptionId} was built from a different history than this log`, {
    why: `${evidence} The log was restored from an older copy, or this is a different store.`,
    next: `evstore checkpoints reset ${shellWord(subscriptionId)} --execute${rebuild}`,
    details: { projection: subscriptionId },
  });
}
