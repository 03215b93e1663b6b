/** Numbers that were not counted are marked, and how to count them is said once. */
import { groupDigits } from '../../src/output/numbers.js';
import type { Context } from '../options/command.js';

/** `61,204`, or `~61,204`. */
export function countOf(value: number, isEstimated: boolean): string {
  return `${isEstimated ? '~' : ''}${groupDigits(value)}`;
}

export async function noteEstimate(context: Context): Promise<void> {
  await context.note('~ is an estimate from a sample of the log; --exact reads all of it');
}
