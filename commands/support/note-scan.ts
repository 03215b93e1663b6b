/** Says before a read begins that it may look at a large part of the log. */
import { groupDigits } from '../../src/output/numbers.js';
import { measureScan, type ScanRange } from '../../src/query/scan.js';
import type { Store } from '../../src/store/store.js';
import type { Context } from '../options/command.js';

export async function noteScan({ note }: Pick<Context, 'note'>, store: Store, range: ScanRange): Promise<void> {
  const positions = await measureScan(store, range);
  if (positions !== undefined) await note(describeScan(positions));
}

export function describeScan(positions: number): string {
  return `may read about ${groupDigits(positions)} events; Ctrl-C stops`;
}
