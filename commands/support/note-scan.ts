/** Says before a read begins that it may look at a large part of the log. */
import { groupDigits } from '../../src/output/numbers.js';
import { fewPositions, measureScan, type ScanRange } from '../../src/query/scan.js';
import type { Store } from '../../src/store/store.js';
import type { Context } from '../options/command.js';

export async function noteScan({ note }: Pick<Context, 'note'>, store: Store, range: ScanRange): Promise<void> {
  const positions = await measureScan(store, range);
  if (positions !== undefined) await note(describeScan(positions));
}

/** For a command that reads the log from its beginning to its end, or something of the same length. */
export async function noteFullScan(
  { note }: Pick<Context, 'note'>,
  { log }: Store,
  what = (counted: string) => `about ${counted} events`,
): Promise<void> {
  // A standby cannot tell; the command says so itself.
  const positions = await log.head().then(
    ({ head }) => head,
    () => 0,
  );
  if (positions > fewPositions) await note(`reads ${what(groupDigits(positions))}; Ctrl-C stops`);
}

export function describeScan(positions: number): string {
  return `may read about ${groupDigits(positions)} events; Ctrl-C stops`;
}
