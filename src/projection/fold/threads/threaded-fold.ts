/**
 * Runs the handlers of a table projection in several threads. Each thread folds the events of a batch into the rows whose
 * keys belong to it, as parts do; the main thread reads the log and writes the changes of all in one transaction. If an
 * event fails, the changes of all threads are dropped and the main thread folds the batch alone, so a failure is handled as
 * without threads.
 */
import { EvstoreError } from '../../../domain/errors.js';
import type { RecordedEvent } from '../../../domain/event.js';
import { hashKey } from '../../../domain/parts.js';
import type { StoredRow } from '../../../domain/read-model.js';
import { toRowKeys, writeKey } from '../../define/columns.js';
import { textOf } from '../../define/load.js';
import { isTableProjection, type PreparedProjection, type PreparedTableProjection } from '../../define/prepare.js';
import type { BatchFold, Folded, FoldTarget } from '../batch-fold.js';
import { whyMoreThanKey } from '../partition.js';
import { type ReadableTable, TableFold } from '../table-fold.js';
import { FoldThread } from './fold-thread.js';

/** Returns why the handlers cannot run in several threads; undefined when they can. */
export function whyAlone(projection: PreparedProjection): string | undefined {
  if (!isTableProjection(projection)) {
    return 'The work is divided among the threads by the keys of rows, which only table projections have.';
  }
  if (projection.mode === 'inline')
    return 'Appends write its rows too, so they are folded in the transaction that writes them.';
  if (projection.file === undefined) return 'It was not loaded from a file, so a thread cannot load it.';
  return whyMoreThanKey(projection);
}

export class ThreadedFold implements BatchFold {
  readonly #table: ReadableTable;
  readonly #projection: PreparedTableProjection;
  readonly #target: FoldTarget;
  readonly #threads: readonly FoldThread[];
  readonly #stop = () => {
    this.close().catch(() => {});
  };
  /** The threads have changes that were not taken yet. */
  #holds = false;
  /** Folds the batch in this thread, because one of its events failed. */
  #alone: TableFold | undefined;

  constructor(table: ReadableTable, projection: PreparedTableProjection, target: FoldTarget, threads: number) {
    this.#table = table;
    this.#projection = projection;
    this.#target = target;
    const { name, codeHash, file, shape } = projection;
    if (file === undefined) throw new EvstoreError('E_BUG', `projection ${name} comes from no file`);
    this.#threads = Array.from({ length: threads }, (_, index) => {
      return new FoldThread({
        file,
        name,
        codeHash,
        text: textOf(projection),
        table: target.physical(shape.spec.name),
        part: { index: index + 1, of: threads },
        isEmpty: target.isEmpty ?? false,
        cacheBytes: target.cacheBytes === undefined ? undefined : target.cacheBytes / threads,
      });
    });
    target.signal.addEventListener('abort', this.#stop);
  }

  async start(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.start()));
  }

  get isFull(): boolean {
    return this.#alone !== undefined || this.#threads.some((thread) => thread.isFull);
  }

  async prepare(events: readonly RecordedEvent[]): Promise<void> {
    if (this.#alone !== undefined) return this.#alone.prepare(events);
    const isFolded = await this.#foldApart(events);
    if (this.#target.signal.aborted) return;
    if (isFolded) {
      this.#holds = true;
      return;
    }
    const held = this.#holds;
    this.forget();
    if (held) throw new EvstoreError('E_HANDLER', 'an event failed in a thread while earlier ones wait to be written');
    this.#alone = new TableFold(this.#table, this.#projection, { ...this.#target, isEmpty: false });
    await this.#alone.prepare(events);
  }

  add(event: RecordedEvent): void {
    this.#alone?.add(event);
  }

  async retry(event: RecordedEvent): Promise<void> {
    if (this.#alone !== undefined) return this.#alone.retry(event);
    await this.prepare([event]);
    this.add(event);
  }

  async takeChanges(): Promise<Folded> {
    if (this.#alone !== undefined) {
      const folded = this.#alone.takeChanges();
      this.#alone = undefined;
      return folded;
    }
    const { spec } = this.#projection.shape;
    const taken = this.#holds ? await Promise.all(this.#threads.map((thread) => thread.takeRows())) : [];
    this.#holds = false;
    return {
      changes: {
        kind: 'rows',
        spec,
        table: this.#target.physical(spec.name),
        inserts: taken.flatMap(({ inserts }) => inserts),
        upserts: taken.flatMap(({ upserts }) => upserts),
        deletes: taken.flatMap(({ deletes }) => deletes),
      },
    };
  }

  forget(): void {
    this.#holds = false;
    this.#alone = undefined;
    for (const thread of this.#threads) thread.forget();
  }

  async close(): Promise<void> {
    this.#target.signal.removeEventListener('abort', this.#stop);
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  /** Returns false when an event failed. @throws the error of reading the rows */
  async #foldApart(events: readonly RecordedEvent[]): Promise<boolean> {
    const shares = this.#divide(events);
    if (shares === null) return false;
    const { spec } = this.#projection.shape;
    const failures: unknown[] = [];
    const read = async (keys: readonly StoredRow[]) => {
      try {
        return await this.#table.readRows(this.#target.physical(spec.name), spec, keys);
      } catch (error) {
        failures.push(error);
        return null;
      }
    };
    const folding = this.#threads.map((thread, index) => {
      const share = shares[index] ?? [];
      return share.length === 0 || thread.fold(share, read);
    });
    const folded = await Promise.all(folding);
    if (failures.length > 0) throw failures[0];
    return folded.every(Boolean);
  }

  /**
   * Returns the events of each thread: by stream when the stream id is the key; all events when only the code knows the
   * keys. Returns null when a stream id is not a valid key.
   */
  #divide(events: readonly RecordedEvent[]): readonly (readonly RecordedEvent[])[] | null {
    const { definition, shape } = this.#projection;
    if (definition.key !== undefined) return this.#threads.map(() => events);
    const shares: RecordedEvent[][] = this.#threads.map(() => []);
    try {
      for (const event of events) {
        for (const key of toRowKeys(shape, event.streamId)) shares[hashKey(writeKey(key)) % shares.length]?.push(event);
      }
    } catch {
      return null;
    }
    return shares;
  }
}
