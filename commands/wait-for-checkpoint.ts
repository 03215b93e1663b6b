/** Read your own writes: wait until a projection has passed a global position. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EvstoreError } from '../src/domain/errors.js';
import { findSimilar } from '../src/domain/similar.js';
import type { Store } from '../src/store/store.js';

const firstPauseMs = 5;
const longestPauseMs = 200;

/** @throws E_NOT_FOUND with the name that was probably meant */
export async function assertCheckpointExists(store: Store, name: string): Promise<void> {
  const names = (await store.projections.checkpoints()).map(({ subscriptionId }) => subscriptionId);
  if (names.includes(name)) return;
  const meant = findSimilar(name, names);
  throw new EvstoreError('E_NOT_FOUND', `there is no projection ${name}`, {
    why: meant === undefined ? 'It has no checkpoint: it never ran.' : `Did you mean ${meant}?`,
    next: 'evstore projections',
    details: { projection: name, ...(meant !== undefined && { meant }) },
  });
}

/** False when it has not got there in time, or the signal aborted. */
export async function waitForCheckpoint(
  store: Store,
  name: string,
  position: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    const checkpoints = await store.projections.checkpoints();
    if (checkpoints.some((each) => each.subscriptionId === name && each.position >= position)) return true;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0 || signal.aborted) return false;
    await sleep(Math.min(pauseMs, leftMs), undefined, { signal }).catch(() => {});
  }
}
