/**
 * Decides whether rebuilt rows may be swapped in: by their counts, by a diff of every row, and by the faults that
 * `validate` returned.
 */

import { EvstoreError } from '../../domain/errors.js';
import { groupDigits } from '../../domain/numbers.js';
import { count } from '../../domain/words.js';
import type { Rebuild } from '../../store/store.js';
import type { Diff } from './compare.js';
import type { Counts } from './count.js';

export interface VerifyOptions {
  /** `count`: the numbers of rows. `full`: every row, key by key, at one position. */
  readonly verify: 'none' | 'count' | 'full';
  /** The largest difference in rows that is still swapped in; with `full` 0 unless set. */
  readonly maxDiff?: number | undefined;
  /** With `full`: swap in a table that has other columns than the live one. */
  readonly allowColumnChanges?: boolean | undefined;
}

export interface JudgedDiff extends Diff {
  readonly maxDiff: number;
  readonly allowColumnChanges: boolean;
}

/** @throws E_CHECK_FAILED when the numbers of rows differ by more than `maxDiff` */
export function assertCounts(
  { projection, target }: Rebuild,
  { live, rebuilt }: Counts,
  maxDiff: number | undefined,
): void {
  if (maxDiff === undefined || live === null) return;
  const difference = Math.abs(rebuilt - live);
  if (difference <= maxDiff) return;
  const what = `the rebuilt ${projection} has ${count(rebuilt, 'row')}, the live one has ${groupDigits(live)}`;
  throw new EvstoreError('E_CHECK_FAILED', what, {
    why: `They differ by ${difference}, and at most ${maxDiff} is allowed. ${describeWays(projection)}`,
    // Rows outside the database cannot be compared.
    next: target === null ? `evstore diff ${projection}` : `evstore swap ${projection}`,
    details: { live, rebuilt, difference },
  });
}

/**
 * @param delivered events that the rebuild has read
 * @throws E_CHECK_FAILED when an empty log would replace rows: it is more likely that the events are hidden or elsewhere
 */
export function assertReadEvents({ projection }: Rebuild, delivered: number, live: number | null): void {
  if (delivered > 0 || live === 0) return;
  const rows = live === null ? 'what is live' : count(live, 'live row');
  throw new EvstoreError('E_CHECK_FAILED', `the rebuild of ${projection} read no event, and would replace ${rows}`, {
    why: `The log has no event for it, or this account cannot see them. The live table is unchanged. If nothing must be left, swap with: evstore swap ${projection} --yes-empty.`,
    next: 'evstore doctor',
    details: { live, rebuilt: 0 },
  });
}

export function isAllowed({ differences, maxDiff, columnChanges, allowColumnChanges }: JudgedDiff): boolean {
  return differences <= maxDiff && (allowColumnChanges || columnChanges === 0);
}

/** @throws E_CHECK_FAILED when more rows differ than allowed, or columns do. The rebuilt tables must be ready: `evstore diff` reads them. */
export function assertAllowed({ projection }: Rebuild, diff: JudgedDiff): void {
  if (isAllowed(diff)) return;
  const { differences, maxDiff, position, live, rebuilt, tables } = diff;
  if (differences <= maxDiff) throw otherColumns(projection, diff);
  const found = tables
    .filter(({ added, removed, changed }) => added + removed + changed > 0)
    .map(({ table, added, removed, changed }) => `${table}: ${added} added, ${removed} removed, ${changed} changed`);
  throw new EvstoreError('E_CHECK_FAILED', `live and rebuilt ${projection} differ in ${count(differences, 'row')}`, {
    why: `At position ${groupDigits(position)}: ${found.join('; ')}. At most ${count(maxDiff, 'difference')} may be swapped in. ${describeWays(projection)}`,
    next: `evstore diff ${projection}`,
    details: { position, differences, maxDiff, live, rebuilt, tables },
  });
}

function otherColumns(projection: string, { tables, columnChanges }: JudgedDiff): EvstoreError {
  const found = tables.flatMap(({ table, onlyLive, onlyRebuilt }) => [
    ...onlyLive.map((name) => `${table}.${name} is only in the live table`),
    ...onlyRebuilt.map((name) => `${table}.${name} is only in the rebuilt table`),
  ]);
  return new EvstoreError('E_CHECK_FAILED', `live and rebuilt ${projection} have different columns`, {
    why: `${found.join('; ')}. With --allow-column-changes they are swapped in. ${describeWays(projection)}`,
    next: `evstore diff ${projection} --allow-column-changes`,
    details: { columnChanges, tables },
  });
}

/** @throws E_CHECK_FAILED naming the first rows that `validate` returned */
export function assertNoFaults({ id, projection }: Rebuild, faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new EvstoreError('E_CHECK_FAILED', `validate of ${projection} found faults in the rebuilt rows`, {
    why: `The first ones are ${faults.slice(0, 3).join(', ')}. The live table is unchanged, and the rebuilt one is kept. Mend the code and build it again, or drop it with: evstore abort ${projection}.`,
    next: `evstore rebuild ${projection} --restart`,
    details: { rebuild: id, faults: faults.map((fault): unknown => JSON.parse(fault)) },
  });
}

function describeWays(projection: string): string {
  return `The live table is unchanged, and the rebuilt one is kept: swap it in with: evstore swap ${projection}, or drop it with: evstore abort ${projection}.`;
}
