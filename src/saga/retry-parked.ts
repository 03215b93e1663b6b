/** Takes parked events of a saga again: they start their instances, or are delivered to those that wait for them. */
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import { groupDigits } from '../domain/numbers.js';
import { leaseTtlMs } from '../lease/heartbeat.js';
import { withLease } from '../lease/with-lease.js';
import { toSetAside } from '../projection/define/set-aside.js';
import { thisProcess } from '../store/process.js';
import type { ParkedEvent, Store } from '../store/store.js';
import type { SagaDefinition } from './definition.js';
import { sagaCategory } from './events.js';
import { newestOf, SagaReader } from './reader.js';
import { defaultGraceMs } from './report.js';
import { SagaWorker } from './worker.js';

export interface RetryTriggers {
  readonly store: Store;
  /** All versions of one saga that are loaded. */
  readonly sagas: readonly SagaDefinition[];
  readonly owner: string;
  readonly signal: AbortSignal;
}

export interface RetriedTrigger {
  readonly event: ParkedEvent;
  /** Why it is still parked; null when it was taken. */
  readonly error: EvstoreError | null;
}

/** The processes that run the saga drive the instances. @param parked of `saga:NAME`, in the order to take them */
export async function retryParkedTriggers(
  parked: readonly ParkedEvent[],
  { store, sagas, owner, signal }: RetryTriggers,
): Promise<readonly RetriedTrigger[]> {
  const { projections, log } = store;
  const name = sagaCategory(newestOf(sagas).name);
  const target = { kind: 'checkpoint', subscriptionId: name } as const;
  const holder = { owner: `${owner}/retry`, process: thisProcess(), ttlMs: leaseTtlMs };
  return withLease(projections, target, { owner, signal, steal: true }, async (lease, held) => {
    // It has no slots: what it starts is due for the processes that run the saga.
    const worker = new SagaWorker({
      ...{ log, instances: store.sagas, sagas, holder, signal: held, slots: 0 },
      graceMs: defaultGraceMs,
    });
    const reader = new SagaReader(sagas, store.sagas, worker, {});
    const retried: RetriedTrigger[] = [];
    for (const each of parked) {
      held.throwIfAborted();
      const event = await log.find(each.id);
      if (event === undefined) throw notInLog(each);
      let error: EvstoreError | null = null;
      try {
        await reader.takeAgain(event);
      } catch (thrown) {
        if (!isEvstoreError(thrown) || thrown.code !== 'E_HANDLER') throw thrown;
        error = thrown;
      }
      const again = error && toSetAside(event, 'parked', { error, attempts: each.attempts + 1 });
      await projections.apply({
        ...{ lease, from: lease.position, to: lease.position, lastEventId: null },
        changes: { kind: 'statements', statements: [] },
        parked: {
          projection: name,
          added: again === null ? [] : [again],
          removed: again === null ? [each.globalPosition] : [],
        },
      });
      retried.push({ event: each, error });
    }
    return retried;
  });
}

/** As `retryParked` reports on projections. */
export interface RetriedTriggers {
  readonly streamId: string;
  readonly applied: number;
  readonly waiting: number;
  readonly error: EvstoreError | null;
}

/** Takes them again, and reports stream by stream. @param parked as for `retryParkedTriggers` */
export async function retryTriggers(
  parked: readonly ParkedEvent[],
  options: RetryTriggers,
): Promise<readonly RetriedTriggers[]> {
  const retried = await retryParkedTriggers(parked, options);
  return [...new Set(parked.map(({ streamId }) => streamId))].map((streamId) => {
    const own = retried.filter(({ event }) => event.streamId === streamId);
    const applied = own.filter(({ error }) => error === null).length;
    const waiting = parked.filter((each) => each.streamId === streamId).length - applied;
    return { streamId, applied, waiting, error: own.find(({ error }) => error !== null)?.error ?? null };
  });
}

function notInLog({ globalPosition, id }: ParkedEvent): EvstoreError {
  return new EvstoreError(
    'E_DIVERGED',
    `the parked event at position ${groupDigits(globalPosition)} is not in the log`,
    {
      why: `It has the id ${id}.`,
    },
  );
}
