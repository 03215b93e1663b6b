/**
 * A world in which processes drive sagas over one store in memory, and die: their calls to the store then never return, as
 * those of a killed process. Its clock moves only when it is told to.
 */
import { newEventId } from '../../src/domain/uuid.js';
import type { ErrorPolicy } from '../../src/projection/define/set-aside.js';
import type { SagaDefinition } from '../../src/saga/definition.js';
import { MemoryLog } from '../../src/saga/memory-log.js';
import { MemorySagaStore } from '../../src/saga/memory-saga-store.js';
import { SagaReader } from '../../src/saga/reader.js';
import type { SagaNews } from '../../src/saga/report.js';
import { SagaWorker } from '../../src/saga/worker.js';
import type { SetAside } from '../../src/store/store.js';

export interface ProcessOptions {
  readonly sagas: readonly SagaDefinition[];
  /** Dies at this call to `record`, before or after it is done. */
  readonly diesAt?: { readonly record: number; readonly moment: 'before' | 'after' } | undefined;
  readonly graceMs?: number;
  readonly slots?: number;
}

export interface Process {
  readonly name: string;
  readonly worker: SagaWorker;
  readonly reader: SagaReader;
  readonly stop: AbortController;
  readonly news: SagaNews[];
  readonly isGone: () => boolean;
  readonly gone: Promise<'gone'>;
  readonly die: () => void;
}

export const claimMs = 10_000;

export class SagaWorld {
  now = Date.UTC(2026, 0, 1);
  position = 0;
  readonly log = new MemoryLog(() => this.now);
  readonly instances = new MemorySagaStore(this.log, () => this.now);
  readonly aside: SetAside[] = [];
  policy: ErrorPolicy = { onError: 'stop', retries: 0 };
  #processes = 0;

  append(streamId: string, type: string, data: unknown = {}): string {
    const id = newEventId();
    const event = { id, type, schemaVersion: 1, data: JSON.stringify(data), metadata: '{}' };
    this.log.appendNow(streamId, [event], 'any');
    return id;
  }

  start({ sagas, diesAt, graceMs = 2, slots }: ProcessOptions): Process {
    this.#processes += 1;
    const name = `process ${this.#processes}`;
    let isGone = false;
    let die = () => {};
    const gone = new Promise<'gone'>((resolve) => {
      die = () => {
        isGone = true;
        resolve('gone');
      };
    });
    const alive = <Target extends object>(target: Target): Target =>
      new Proxy(target, {
        get: (_, property) => {
          const value: unknown = Reflect.get(target, property, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => (isGone ? new Promise(() => {}) : (value.apply(target, args) as unknown));
        },
      });
    let records = 0;
    const instances = alive(this.instances);
    const record: MemorySagaStore['record'] = async (changes) => {
      records += 1;
      const isLast = records === diesAt?.record;
      if (isLast && diesAt?.moment === 'before') die();
      if (isGone) return new Promise(() => {});
      const outcomes = await this.instances.record(changes);
      if (isLast) die();
      return isGone ? new Promise(() => {}) : outcomes;
    };
    const store = new Proxy(instances, {
      get: (target, property) => (property === 'record' ? record : Reflect.get(target, property)),
    });
    const stop = new AbortController();
    const news: SagaNews[] = [];
    const worker = new SagaWorker({
      log: alive(this.log),
      instances: store,
      sagas,
      holder: { owner: name, process: null, ttlMs: claimMs },
      signal: stop.signal,
      graceMs,
      report: (each) => void news.push(each),
      slots,
    });
    const reader = new SagaReader(sagas, store, worker, { policy: this.policy });
    return { name, worker, reader, stop, news, isGone: () => isGone, gone, die };
  }

  /** As the process with the lease does. */
  async read({ reader, isGone, gone, stop }: Process): Promise<void> {
    const world = this;
    const place = {
      get position() {
        return world.position;
      },
      move: async (to: number, _seen: unknown, aside: readonly SetAside[]) => {
        if (isGone()) return new Promise<never>(() => {});
        world.position = to;
        world.aside.push(...aside);
      },
      setAside: async (aside: readonly SetAside[]) => void world.aside.push(...aside),
    };
    const read = async () => {
      await reader.begin(place, stop.signal);
      await reader.read(place, undefined, stop.signal);
    };
    await Promise.race([read(), gone]);
  }

  /** Drives what is due, until nothing is. Returns until the next instance is due; null when none is, or it died. */
  async work({ worker, gone }: Process): Promise<number | null> {
    const end = await Promise.race([worker.run({ after: Promise.resolve(), withinMs: 0 }), gone]);
    if (worker.failure !== undefined) throw worker.failure;
    return end === 'gone' ? null : end;
  }

  /** Reads and works with fresh processes until no instance can move, however long that takes by its clock. */
  async settle(sagas: readonly SagaDefinition[]): Promise<void> {
    for (;;) {
      const process = this.start({ sagas });
      await this.read(process);
      const nextInMs = await this.work(process);
      process.die();
      if (nextInMs === null) return;
      this.now += Math.max(1, nextInMs);
    }
  }

  async facts(saga: string, instance: string): Promise<readonly { readonly type: string; readonly data: never }[]> {
    const found = [];
    for await (const { events } of this.log.readStream(`saga:${saga}-${instance}`)) {
      for (const { type, data } of events) found.push({ type, data: JSON.parse(data) as never });
    }
    return found;
  }

  async types(instance: string, saga = 'orders'): Promise<readonly string[]> {
    return (await this.facts(saga, instance)).map(({ type }) => type);
  }
}
