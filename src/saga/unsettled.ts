/** Finds instances that have not ended, or whose compensation failed. Reads the streams of those alone, and only some. */
import type { EventFilter } from '../domain/event.js';
import type { Checkpoint, Store } from '../store/store.js';
import { sagaCategory } from './events.js';
import { describe, type InstanceReport } from './inspect.js';
import { SagaInstance } from './instance.js';

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

export async function findUnsettled({ log, projections }: Store): Promise<Unsettled> {
  const prefix = sagaCategory('');
  const sagas = (await projections.checkpoints()).filter(({ subscriptionId }) => subscriptionId.startsWith(prefix));
  if (sagas.length === 0) return { instances: [], isComplete: true };
  const failed = await findStreams({ types: ['SagaCompensationFailed'] }, true);
  // A checkpoint stays below the first trigger whose instance has not ended.
  const after = Math.min(...sagas.map(({ position }) => position));
  const started = await findStreams({ types: ['SagaStarted'] }, false, after);
  const found = await Promise.all([...new Set([...failed, ...started])].map((streamId) => load(streamId)));
  return {
    instances: found.filter((each) => each !== undefined),
    isComplete: failed.length < mostInstances && started.length < mostInstances,
  };

  async function findStreams(filter: EventFilter, backwards: boolean, after = 0): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const { events } of log.readAll({ ...filter, after, backwards, limit: mostInstances })) {
      found.push(...events.map(({ streamId }) => streamId));
    }
    return found;
  }

  async function load(streamId: string): Promise<UnsettledInstance | undefined> {
    const saga = findSaga(sagas, streamId);
    if (saga === undefined) return undefined;
    const name = saga.subscriptionId.slice(prefix.length);
    const instance = await SagaInstance.load(log, name, streamId.slice(saga.subscriptionId.length + 1));
    if (instance === undefined || !['running', 'compensating', 'compensation-failed'].includes(instance.state.phase)) {
      return undefined;
    }
    let movedAt = '';
    for await (const { events } of log.readStream(streamId, { backwards: true, limit: 1 })) {
      movedAt = events[0]?.createdAt ?? movedAt;
    }
    return { report: describe(instance.state), movedAt, owner: saga.owner };
  }
}

/** The longest name that the stream begins with: names may contain each other. */
function findSaga(sagas: readonly Checkpoint[], streamId: string): Checkpoint | undefined {
  return sagas
    .filter(({ subscriptionId }) => streamId.startsWith(`${subscriptionId}-`))
    .toSorted((a, b) => b.subscriptionId.length - a.subscriptionId.length)[0];
}
