/** Fills the tables of several rebuilds in one pass over the log. */
import { uniteFilters } from '../../domain/matches.js';
import type { Store } from '../../store/store.js';
import { Pace, readPaced } from '../catch-up/pace.js';
import type { RebuildProgress } from '../journal/steps.js';
import type { Rebuilding } from './rebuilding.js';

export interface FillOptions {
  readonly store: Store;
  /** Events a batch; adaptive unless set. */
  readonly batchSize?: number | undefined;
  readonly signal: AbortSignal;
  readonly progress: (progress: RebuildProgress) => void;
}

/** Rebuilds that take a batch at the same time: one waits for the database while another folds. */
const atATime = 2;

/**
 * Reads up to the highest target, or to the safe head where that is lower. The pass begins at the lowest position. A
 * rebuild that is further along joins when the pass reaches it; one that fails or is at its limit leaves. No event is read
 * twice.
 */
export async function fillTogether(all: readonly Rebuilding[], options: FillOptions): Promise<void> {
  const target = Math.max(0, ...all.filter(({ isUnderWay }) => isUnderWay).map((each) => each.target));
  for (let isMoving = true; isMoving && !options.signal.aborted; ) {
    const open = all.filter(({ isUnderWay, position, limit }) => isUnderWay && position < Math.min(target, limit));
    const lowest = Math.min(target, ...open.map(({ position }) => position));
    const readers = open.filter(({ position }) => position === lowest);
    const ahead = open.map(({ position }) => position).filter((position) => position > lowest);
    const limits = readers.map(({ limit }) => limit);
    isMoving = await fillUpTo(Math.min(target, ...ahead, ...limits), readers, lowest, target, options);
  }
  for (const each of all) each.leave();
}

/** Returns true when there may be more to read after `to`. */
async function fillUpTo(
  to: number,
  readers: readonly Rebuilding[],
  from: number,
  target: number,
  { store, batchSize, signal, progress }: FillOptions,
): Promise<boolean> {
  let position = from;
  const tell = () => {
    const taking = readers.filter(({ isUnderWay }) => isUnderWay);
    const events = taking.reduce((sum, each) => sum + each.events, 0);
    const projections = taking.map(({ projection }) => projection.name);
    if (taking.length > 0) progress({ projections, phase: 'fill', position, target, events });
    return taking.length > 0;
  };
  if (readers.length === 0) return false;
  for (const each of readers) each.join();
  tell();
  const pace = new Pace(batchSize, readers.length);
  const filter = uniteFilters(readers.map(({ projection }) => projection.filter));
  try {
    for await (const batch of readPaced(store.log, filter, from, to, pace)) {
      let tookMs = 0;
      await forEachOf(readers, async (each) => {
        tookMs += await each.take(batch, batch.upTo >= to);
      });
      if (signal.aborted) return false;
      position = batch.upTo;
      pace.record(batch.events, tookMs);
      if (!tell()) return true;
    }
  } catch (error) {
    for (const each of readers) await each.fail(error);
    return true;
  }
  // The safe head may lie below `to`.
  await forEachOf(readers, (each) => each.settle());
  return position >= to;
}

async function forEachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, worker));
}
