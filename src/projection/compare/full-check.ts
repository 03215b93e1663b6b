/** Whether a rebuilt read model may take the place of the live one: `--verify full`. */
import { EvstoreError } from '../../domain/errors.js';
import type { Lease, Rebuild } from '../../store/store.js';
import type { CatchUp } from '../catch-up/catch-up.js';
import { type CompareOptions, compareRebuilt, type Differences } from './compare.js';

export interface FullCheck extends Differences {
  /** The most differences that are still swapped in. */
  readonly maxDiff: number;
}

const samplesKept = 10;

/**
 * Compares the rebuilt rows with the live ones at one position. Null without a live table.
 * @param maxDiff default 0
 * @throws E_TIMEOUT, E_CONFIG, E_SUPERSEDED as `compareRebuilt`
 */
export async function compareFully(
  options: Omit<CompareOptions, 'samples'>,
  rebuild: Rebuild,
  lease: Lease,
  catchUp: CatchUp,
  maxDiff = 0,
): Promise<FullCheck | null> {
  const found = await compareRebuilt({ ...options, samples: samplesKept }, rebuild, lease, catchUp);
  return found === null ? null : { ...found, maxDiff };
}

export function isWithin({ differences, maxDiff }: FullCheck): boolean {
  return differences <= maxDiff;
}

/** @throws E_CHECK_FAILED over the limit: the rebuilt tables are to be ready, so that they can be looked at */
export function assertWithin(name: string, check: FullCheck): void {
  if (isWithin(check)) return;
  const { differences, maxDiff, position, live, rebuilt, tables } = check;
  const what =
    differences === 1
      ? `1 rebuilt row of ${name} is not as the live one`
      : `${differences} rebuilt rows of ${name} are not as the live ones`;
  throw new EvstoreError('E_CHECK_FAILED', what, {
    why:
      `${describe(check)} at position ${position}, and at most ${maxDiff} ${maxDiff === 1 ? 'difference was' : 'differences were'} allowed. The live table is ` +
      `untouched and the new one is ready: swap it in with evstore swap ${name}, or drop it with evstore abort ${name}.`,
    next: `evstore diff ${name}`,
    details: { position, differences, maxDiff, live, rebuilt, tables },
  });
}

function describe({ tables }: FullCheck): string {
  const differing = tables.filter(({ added, removed, changed }) => added + removed + changed > 0);
  return differing
    .map(({ table, added, removed, changed }) => `${table}: ${added} added, ${removed} removed, ${changed} changed`)
    .join('; ');
}
