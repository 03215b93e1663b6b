/** How the instances of all sagas are: counted and listed from their rows, with a bounded sample of their streams. */
import { activePhases } from '../domain/saga-phase.js';
import { sagaOf } from '../domain/subscription-names.js';
import { stateOf } from '../store/process.js';
import type { InstanceCount, InstanceOwner, OverdueCount, Store } from '../store/store.js';
import { sagaCategory } from './events.js';
import { Gaps } from './gaps.js';
import { findOverdue, limitsFor, type Overdue } from './overdue.js';

/** The most that are described one by one: what is wrong with one instance is usually wrong with many. */
const mostInstances = 100;
/** Streams of each saga that are compared with their rows. */
const sampled = 50;

export interface SagaHealth {
  readonly counts: readonly InstanceCount[];
  readonly overdue: Overdue;
  readonly overdueCounts: readonly OverdueCount[];
  /** Running instances of code that the last reader of their saga did not have. */
  readonly withoutCode: readonly InstanceCount[];
  /** Processes of this host that have ended and still hold instances. */
  readonly deadOwners: readonly InstanceOwner[];
}

export async function readHealth({ log, sagas }: Store): Promise<SagaHealth> {
  const [counts, overdue, overdueCounts, owners] = await Promise.all([
    sagas.count(),
    findOverdue(sagas, { limit: mostInstances, now: new Date() }),
    sagas.countOverdue(limitsFor()),
    sagas.owners(),
  ]);
  const active: readonly string[] = activePhases;
  const running = counts.filter(({ phase }) => active.includes(phase));
  const gaps = new Map<string, Gaps>();
  for (const name of new Set(running.map(({ saga }) => saga))) gaps.set(name, await Gaps.load(log, name));
  return {
    counts,
    overdue,
    overdueCounts,
    withoutCode: running.filter((each) => gaps.get(each.saga)?.startFor([each]) !== undefined),
    deadOwners: owners.filter(({ process }) => stateOf(process) === 'ended'),
  };
}

/** Streams whose rows are missing or older, among those that were looked at. */
export interface RowSample {
  readonly behind: readonly { readonly saga: string; readonly instance: string }[];
  readonly looked: number;
}

/** Compares some streams of each saga with their rows. */
export async function sampleRows({ log, projections, sagas }: Store): Promise<RowSample> {
  const behind: { saga: string; instance: string }[] = [];
  let looked = 0;
  for (const saga of await listSagas({ projections })) {
    const prefix = `${sagaCategory(saga)}-`;
    for (const { streamId, events } of await log.streams({ prefix, limit: sampled })) {
      const instance = streamId.slice(prefix.length);
      looked += 1;
      // Read after the stream, so that a row that is written meanwhile is not behind.
      const row = await sagas.find({ saga, instance });
      if (row === undefined || row.streamVersion < events) behind.push({ saga, instance });
    }
  }
  return { behind, looked };
}

/** Returns the names of the sagas that have run on this store. */
export async function listSagas({ projections }: Pick<Store, 'projections'>): Promise<readonly string[]> {
  const found = await projections.checkpoints();
  return found.flatMap(({ subscriptionId }) => sagaOf(subscriptionId) ?? []).toSorted();
}
