/** Finds instances that have not ended and should have moved, or whose compensation failed. */
import type { InstanceRecord, Store } from '../store/store.js';
import { sagaCategory } from './events.js';
import { describe, type InstanceReport } from './inspect.js';
import { loadInstance } from './instance.js';

/** The most instances that are looked at: what is wrong with one saga is usually wrong with many. */
const mostInstances = 100;

export interface UnsettledInstance {
  readonly report: InstanceReport;
  /** RFC 3339: when its last event was written. */
  readonly movedAt: string;
  /** The process that runs the saga; null when none does. */
  readonly owner: string | null;
}

export interface Unsettled {
  readonly instances: readonly UnsettledInstance[];
  /** False when there may be more than were looked at. */
  readonly isComplete: boolean;
}

/** One that waits as it should is not among them. */
export async function findUnsettled({ log, projections, sagas }: Store): Promise<Unsettled> {
  const list = { sort: 'oldest', limit: mostInstances } as const;
  const [stuck, moving, late] = await Promise.all([
    sagas.list({ ...list, phases: ['compensation-failed'] }),
    sagas.list({ ...list, phases: ['running', 'compensating'] }),
    sagas.list({ ...list, phases: ['waiting'], dueForMs: 0 }),
  ]);
  const owners = new Map((await projections.checkpoints()).map(({ subscriptionId, owner }) => [subscriptionId, owner]));
  const found = await Promise.all([...stuck, ...moving, ...late].map(load));
  return {
    instances: found.filter((each) => each !== undefined),
    isComplete: [stuck, moving, late].every(({ length }) => length < mostInstances),
  };

  async function load(record: InstanceRecord): Promise<UnsettledInstance | undefined> {
    const instance = await loadInstance(log, record.saga, record.instance);
    if (instance === undefined) return undefined;
    const owner = owners.get(sagaCategory(record.saga)) ?? record.owner;
    return { report: describe(instance.state), movedAt: record.movedAt, owner };
  }
}
