/** Whether a checkpoint was taken in the history that is in the log now, or in one that a restore has replaced. */
import { EvstoreError } from '../domain/errors.js';
import { shellWord } from '../domain/shell-word.js';
import type { Checkpoint, EventLog } from '../store/store.js';

/** @throws E_DIVERGED when the log ends before the checkpoint, or the event it remembers is not where it was */
export async function assertSameHistory(log: EventLog, checkpoint: Checkpoint): Promise<void> {
  const { subscriptionId, position, lastEventId } = checkpoint;
  const { head } = await log.head();
  if (position > head) {
    throw diverged(subscriptionId, `It is at position ${position}, but the log ends at ${head}.`);
  }
  if (lastEventId === null) return;
  const event = await log.find(lastEventId);
  if (event === undefined || event.globalPosition > position) {
    throw diverged(
      subscriptionId,
      `The last event it saw, ${lastEventId}, is not in the log at or below position ${position}.`,
    );
  }
}

function diverged(subscriptionId: string, evidence: string): EvstoreError {
  return new EvstoreError('E_DIVERGED', `${subscriptionId} was built from another history than this log`, {
    why: `${evidence} The log was restored from an older copy, or the store is another one.`,
    next: `evstore checkpoints reset ${shellWord(subscriptionId)} --execute && evstore rebuild ${shellWord(subscriptionId)}`,
    details: { projection: subscriptionId },
  });
}
