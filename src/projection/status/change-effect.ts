/** Tells what a change of a checkpoint by hand does: which events are handled again, and which never. */
import { partOf } from '../../domain/parts.js';
import type { Checkpoint, Store } from '../../store/store.js';
import { filterOf } from './lag.js';
import { countWaiting, measureWaiting } from './waiting.js';

export interface ChangeEffect {
  readonly name: string;
  readonly from: number;
  /** Null: it is deleted. */
  readonly to: number | null;
  /** `replay`: events are handled again, after a deletion if it ever runs again. `skip`: events are never handled. */
  readonly effect: 'replay' | 'skip' | 'none';
  /** The events between the two positions that it handles; null where it is unknown which those are. */
  readonly events: number | null;
  readonly estimated: boolean;
  /** There are no more than these. */
  readonly atMost: number;
}

/** @param exact count all of them, however many there are */
export async function measureChange(
  { log, projections }: Store,
  { subscriptionId: name, position: from }: Checkpoint,
  to: number | null,
  exact: boolean,
): Promise<ChangeEffect> {
  const [records, cursors] = await Promise.all([projections.list(), projections.cursors()]);
  const record = records.find((each) => each.name === partOf(name).projection);
  // A saga has no audit that would tell which events it is triggered by.
  const filter = name.startsWith('saga:') ? undefined : filterOf(name, record, cursors);
  const there = to ?? 0;
  const range = { after: Math.min(from, there), to: Math.max(from, there), filter };
  const measured = exact
    ? { events: await countWaiting(log, range), isEstimated: false }
    : await measureWaiting(log, range);
  const effect = there === from ? 'none' : there < from ? 'replay' : 'skip';
  const known = { name, from, to, effect } as const;
  const atMost = filter !== undefined && !measured.isEstimated ? measured.events : range.to - range.after;
  if (filter === undefined)
    return { ...known, events: null, estimated: false, atMost: exact ? measured.events : atMost };
  return { ...known, events: measured.events, estimated: measured.isEstimated, atMost };
}
