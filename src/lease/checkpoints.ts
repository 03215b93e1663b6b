/** The checkpoints of a projection: one, or one for each part when its work is divided. */
import { isEvstoreError } from '../domain/errors.js';
import { compareSubscriptionIds, partOf } from '../domain/parts.js';
import type { Checkpoint, Store } from '../store/store.js';

/** Returns them in the order of the parts; of any other subscription its only checkpoint. */
export function checkpointsOf(checkpoints: readonly Checkpoint[], name: string): readonly Checkpoint[] {
  return checkpoints
    .filter(({ subscriptionId }) => subscriptionId === name || partOf(subscriptionId).projection === name)
    .toSorted((a, b) => compareSubscriptionIds(a.subscriptionId, b.subscriptionId));
}

/** Returns the position of the part that is furthest; undefined without a checkpoint. */
export function furthestOf(checkpoints: readonly Checkpoint[]): number | undefined {
  return checkpoints.length === 0 ? undefined : Math.max(...checkpoints.map(({ position }) => position));
}

/** Returns the position that every part has reached; undefined without a checkpoint. */
export function leastOf(checkpoints: readonly Checkpoint[]): number | undefined {
  return checkpoints.length === 0 ? undefined : Math.min(...checkpoints.map(({ position }) => position));
}

/** Records the error of a handler with its checkpoint, where `lag` shows it. */
export async function recordFailure({ projections }: Store, subscriptionId: string, error: unknown): Promise<void> {
  if (!isEvstoreError(error) || error.code !== 'E_HANDLER') return;
  const why = error.why === undefined ? '' : `: ${error.why}`;
  await projections.recordError(subscriptionId, `${error.message}${why}`);
}
