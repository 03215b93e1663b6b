/** Measures what reads the log of a scratch store: a reader, and the rebuild of a projection. */
import { ownerName } from '../lease/owner.js';
import { planRebuilds, rebuildPlanned } from '../projection/rebuild/rebuild.js';
import type { Store } from '../store/store.js';
import { makeOrdersProjection } from './orders.js';
import type { Limits, Work } from './writing.js';

const lockTimeoutMs = 1_000;
const maxWaitMs = 60_000;

/** Reads the log from its beginning, again and again until the time is over. */
export async function measureReading(
  { log }: Store,
  { durationMs, signal, tell }: Omit<Limits, 'mostEvents'>,
): Promise<Work> {
  const startedAt = performance.now();
  let total = 0;
  while (performance.now() - startedAt < durationMs) {
    for await (const { events } of log.readAll()) {
      signal.throwIfAborted();
      total += events.length;
      tell(total);
      if (performance.now() - startedAt >= durationMs) break;
    }
  }
  return { events: total, seconds: (performance.now() - startedAt) / 1_000 };
}

/** Rebuilds a projection from the whole log, from its plan to its swap. */
export async function measureRebuild(store: Store, { signal, tell }: Pick<Limits, 'signal' | 'tell'>): Promise<Work> {
  const settings = {
    ...{ store, signal, lockTimeoutMs, maxWaitMs, owner: ownerName(), keepOldMs: 0 },
    ...{ swap: true, verify: 'count' as const, maxDiff: undefined, allowColumnChanges: false },
    progress: ({ events }: { readonly events: number }) => tell(events),
  };
  const [report] = await rebuildPlanned(settings, await planRebuilds(store, makeOrdersProjection(), 'auto'));
  if (report === undefined) throw new Error('a rebuild without a report');
  if (report.error !== null) throw report.error;
  signal.throwIfAborted();
  return { events: report.events, seconds: report.elapsedMs / 1_000 };
}
