/** Measures appends and an import into a scratch store. */
import type { ImportedEvent, Store } from '../store/store.js';
import { makeOrderEvent, streamLength } from './orders.js';

/** When a measurement ends: whichever comes first. */
export interface Limits {
  readonly durationMs: number;
  readonly mostEvents: number;
  /** @throws its reason when it aborts */
  readonly signal: AbortSignal;
  /** Told how many events there are so far. */
  readonly tell: (events: number) => void;
}

/** What was counted. */
export interface Work {
  readonly events: number;
  readonly seconds: number;
  /** Of each append, in milliseconds; undefined where there is no single operation to time. */
  readonly latencies?: readonly number[];
}

export interface Appending extends Limits {
  /** Events in one append. */
  readonly size: number;
  /** Appends at the same time. */
  readonly concurrency: number;
  /** The streams are new: their names begin with it. */
  readonly streams: string;
}

/**
 * Appends with the expected version, each worker to streams of its own. The first append of each worker is not measured:
 * it opens a connection and prepares statements.
 */
export async function measureAppends(stores: readonly Store[], options: Appending): Promise<Work> {
  const { size, concurrency, streams, durationMs, mostEvents, signal, tell } = options;
  const latencies: number[] = [];
  let [made, events] = [0, 0];
  let isOver = false;
  const workers = Array.from({ length: concurrency }, (_, index) => {
    const { log } = stores[index % stores.length] as Store;
    let [stream, version] = [0, 0];
    return async () => {
      if (version + size > streamLength) [stream, version] = [stream + 1, 0];
      const batch = Array.from({ length: size }, () => makeOrderEvent(made++));
      const startedAt = performance.now();
      await log.append(`${streams}-${index}-${stream}`, batch, version);
      version += size;
      return performance.now() - startedAt;
    };
  });
  await settle(workers.map((append) => append()));
  signal.throwIfAborted();
  const startedAt = performance.now();
  const isDue = () => isOver || signal.aborted || performance.now() - startedAt >= durationMs || events >= mostEvents;
  const work = async (append: () => Promise<number>) => {
    try {
      while (!isDue()) {
        latencies.push(await append());
        events += size;
        tell(events);
      }
    } finally {
      isOver = true;
    }
  };
  await settle(workers.map(work));
  signal.throwIfAborted();
  return { events, seconds: (performance.now() - startedAt) / 1_000, latencies };
}

/** Waits for all, so that nothing still writes afterwards. @throws the error of the first that failed */
async function settle(all: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(all);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
}

/** Imports as `evstore import` does, with the batches that it has by default. */
export async function measureImport(
  { log, engine }: Store,
  { durationMs, mostEvents, signal, tell }: Limits,
): Promise<Work> {
  const size = engine === 'postgres' ? 10_000 : 500;
  const startedAt = performance.now();
  let [made, events] = [0, 0];
  async function* makeBatches(): AsyncGenerator<readonly ImportedEvent[]> {
    while (!signal.aborted && performance.now() - startedAt < durationMs && made < mostEvents) {
      yield Array.from({ length: Math.min(size, mostEvents - made) }, () => {
        const streamId = `Imported-${Math.floor(made / streamLength)}`;
        return { ...makeOrderEvent(made++), streamId };
      });
    }
  }
  const committed = ({ imported }: { readonly imported: number }) => {
    events += imported;
    tell(events);
  };
  await log.importBatches(makeBatches(), { conflict: 'fail', joined: true, committed });
  signal.throwIfAborted();
  return { events, seconds: (performance.now() - startedAt) / 1_000 };
}
