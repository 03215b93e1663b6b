/** Retries what an instance has failed at, and drives it in this process. */
import { leaseTtlMs } from '../lease/heartbeat.js';
import { thisProcess } from '../store/process.js';
import type { Store } from '../store/store.js';
import type { SagaDefinition } from './definition.js';
import { loadInstance } from './instance.js';
import { retryInstance } from './operate.js';
import type { SagaState } from './state.js';
import { SagaWorker } from './worker.js';

export interface RetryNow {
  readonly store: Store;
  /** All versions of one saga that are loaded. */
  readonly sagas: readonly SagaDefinition[];
  readonly owner: string;
  readonly signal: AbortSignal;
  /** How long acts may take to end when the signal aborts, in milliseconds. */
  readonly graceMs: number;
}

export interface Retried {
  readonly state: SagaState;
  /** Why this process did not drive it; undefined when it did. */
  readonly left?: string;
}

/**
 * Drives the instance until it ends or waits for its next attempt, which the processes that run the saga make.
 * @throws E_NOT_FOUND when there is no such instance, E_USAGE when nothing of it can be retried
 */
export async function retryNow(saga: string, id: string, options: RetryNow): Promise<Retried> {
  const { store, sagas, owner, signal, graceMs } = options;
  const holder = { owner: `${owner}/${saga}/retry`, process: thisProcess(), ttlMs: leaseTtlMs };
  let left: string | undefined;
  const worker = new SagaWorker({
    log: store.log,
    instances: store.sagas,
    sagas,
    holder,
    signal,
    graceMs,
    report: (news) => {
      if (news.kind === 'left') left = news.why;
    },
  });
  const { instance } = await retryInstance(store, saga, id, holder);
  const code = worker.find(instance.state);
  if (code === undefined) {
    left = `no code of version ${instance.state.version} with its steps is loaded`;
    await store.sagas.release(holder.owner);
  } else {
    worker.board({ saga: code, instance, isDue: false });
    await worker.settle();
    if (worker.failure !== undefined) throw worker.failure;
  }
  const { state } = (await loadInstance(store.log, saga, id)) ?? instance;
  return { state, ...(left !== undefined && { left }) };
}
