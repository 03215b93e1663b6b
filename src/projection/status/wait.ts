/** Waits until read models contain what was written. */

import { EvstoreError } from '../../domain/errors.js';
import { describeFinding, type Finding, sortFindings } from '../../domain/finding.js';
import { groupDigits } from '../../domain/numbers.js';
import { runCommand } from '../../domain/subscription-names.js';
import { pause } from '../../lease/back-off.js';
import { leastOf } from '../../lease/checkpoints.js';
import type { Checkpoint, Store } from '../../store/store.js';
import { selectCheckpoints } from './lag.js';

export interface WaitOptions {
  readonly store: Store;
  readonly names: readonly string[];
  /** Everything up to here must be in the read models. */
  readonly position: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Finds what is wrong with those that are behind: it tells better why they are than the time does. */
  readonly judge?: (names: readonly string[]) => Promise<readonly Finding[]>;
}

export interface Waited {
  readonly name: string;
  readonly position: number;
}

const firstPollMs = 5;
const longestPollMs = 200;

/** @throws E_NOT_FOUND naming the nearest name there is */
export async function assertProjectionsExist(store: Store, names: readonly string[]): Promise<void> {
  selectCheckpoints(await store.projections.checkpoints(), names);
}

/**
 * Waits for every part of a divided projection.
 * @throws E_TIMEOUT naming the projections that are still behind
 * @throws E_NOT_FOUND for an unknown name
 */
export async function waitForProjections(options: WaitOptions): Promise<readonly Waited[]> {
  const { store, names, position, timeoutMs, signal, judge } = options;
  const deadline = performance.now() + timeoutMs;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 1.5, longestPollMs)) {
    const checkpoints = await store.projections.checkpoints();
    const wanted = selectCheckpoints(checkpoints, names);
    const behind = wanted.filter((checkpoint) => checkpoint.position < position);
    if (behind.length === 0) {
      return [...new Set(names)].map((name) => ({
        name,
        position: leastOf(selectCheckpoints(wanted, [name])) ?? position,
      }));
    }
    signal.throwIfAborted();
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) {
      const found = behind.map((each) => `${each.subscriptionId} is at ${groupDigits(each.position)}`).join(', ');
      const isIdle = behind.every(({ owner }) => owner === null);
      const findings = (await judge?.(behind.map(({ subscriptionId }) => subscriptionId))) ?? [];
      const [cause] = sortFindings(findings).filter(({ severity }) => severity !== 'note');
      const otherwise = isIdle ? 'No runner is at work on them.' : 'They are still catching up.';
      throw new EvstoreError(
        'E_TIMEOUT',
        `position ${groupDigits(position)} was not reached within ${timeoutMs} ms: ${found}`,
        {
          why: cause === undefined ? otherwise : `${describeFinding(cause)}.`,
          next: cause?.next ?? (isIdle ? nextOf(behind) : 'evstore lag'),
          details: {
            findings,
            position,
            behind: behind.map((each) => ({ name: each.subscriptionId, position: each.position })),
          },
        },
      );
    }
    await pause(Math.min(pollMs, leftMs), signal);
  }
}

/** Returns the command that runs the first one. */
function nextOf([first]: readonly Checkpoint[]): string {
  return runCommand(first?.subscriptionId ?? '') ?? 'evstore lag';
}
