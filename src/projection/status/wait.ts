/** Waits until read models hold what was written: read-your-writes for programs and scripts. */
import { EvstoreError } from '../../domain/errors.js';
import { partOf } from '../../domain/parts.js';
import { pause } from '../../lease/back-off.js';
import { checkpointsOf, leastOf } from '../../lease/checkpoints.js';
import type { Checkpoint, Store } from '../../store/store.js';
import { selectCheckpoints } from './lag.js';

export interface WaitOptions {
  readonly store: Store;
  readonly names: readonly string[];
  /** Everything up to here is to be in the read models. */
  readonly position: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Waited {
  readonly name: string;
  readonly position: number;
}

const firstPollMs = 5;
const longestPollMs = 200;

/** @throws E_NOT_FOUND with the name that was probably meant */
export async function assertProjectionsExist(store: Store, names: readonly string[]): Promise<void> {
  selectCheckpoints(await store.projections.checkpoints(), names);
}

/**
 * Of a divided projection, every part.
 * @throws E_TIMEOUT naming who is not there yet
 * @throws E_NOT_FOUND for a name nobody has
 */
export async function waitForProjections(options: WaitOptions): Promise<readonly Waited[]> {
  const { store, names, position, timeoutMs, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 1.5, longestPollMs)) {
    const checkpoints = await store.projections.checkpoints();
    const wanted = selectCheckpoints(checkpoints, names);
    const behind = wanted.filter((checkpoint) => checkpoint.position < position);
    if (behind.length === 0) {
      return [...new Set(names)].map((name) => ({ name, position: leastOf(checkpointsOf(wanted, name)) ?? position }));
    }
    signal.throwIfAborted();
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) {
      const who = behind.map((each) => `${each.subscriptionId} at ${each.position}`).join(', ');
      throw new EvstoreError('E_TIMEOUT', `not at position ${position} after ${timeoutMs} ms: ${who}`, {
        why: behind.every(({ owner }) => owner === null) ? 'No process runs them.' : 'They are still catching up.',
        next: behind.every(({ owner }) => owner === null) ? runCommand(behind) : 'evstore lag',
        details: { position, behind: behind.map((each) => ({ name: each.subscriptionId, position: each.position })) },
      });
    }
    await pause(Math.min(pollMs, leftMs), signal);
  }
}

/** For one that is behind. */
function runCommand([first]: readonly Checkpoint[]): string {
  const { projection, part } = partOf(first?.subscriptionId ?? '');
  return part.of === 1 ? 'evstore run' : `evstore run ${projection} --partition ${part.index}/${part.of}`;
}
