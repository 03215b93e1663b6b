/** Questions that an index would answer: they look at a part of the log, and say so, or at all of it with `--exact`. */
import type { Option } from 'commander';
import { formatDuration } from '../../src/domain/duration.js';
import { formatBytes, groupDigits } from '../../src/output/numbers.js';
import { type Extent, estimateIndexes, type SearchOptions } from '../../src/query/extent.js';
import type { Context, Flags } from '../options/command.js';
import { option } from '../options/option.js';
import { describeScan } from './note-scan.js';

export function searchOption(): Option {
  return option('--exact', 'without an index read the whole log (default: 20,000 positions, and say so)');
}

/** Asks with what the flags say, and shows progress where all of the log is read. */
export async function searchLog<Answer>(
  context: Context,
  label: string,
  { exact }: Flags,
  ask: (options: SearchOptions) => Promise<Answer>,
): Promise<Answer> {
  const progress = exact === true ? await context.progress(label) : undefined;
  return ask({
    exact: exact === true,
    startsLong: (positions) => context.note(describeScan(positions)),
    progress: (done, total) => progress?.update(done, { total }),
    signal: context.io.signal,
  }).finally(() => progress?.stop());
}

/** Says what was not looked at, and what an index would cost. */
export async function explainExtent(context: Context, { after, to, head }: Extent): Promise<void> {
  const range = `positions ${groupDigits(after + 1)} to ${groupDigits(to)} of ${groupDigits(head)}`;
  await context.note(`looked only at ${range}, because there is no index on these ids; --exact reads all of it`);
  await context.note(`the index takes about ${describeCost(head)}; to make it: evstore init --index correlation`);
}

/** `1.4 GB and 2 min`. */
export function describeCost(events: number): string {
  const { bytes, seconds } = estimateIndexes(events);
  return `${formatBytes(bytes)} and ${seconds < 1 ? 'a second' : formatDuration(seconds * 1_000)}`;
}
