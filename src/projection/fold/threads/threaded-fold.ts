/**
 * The handlers of a table projection in several threads. Each has the rows whose keys fall to it, as parts have, and
 * folds a batch into them; this thread reads, and writes what they made in one transaction. Where an event fails, nothing
 * they made of the batch is used: this thread folds it alone, so that what becomes of a failure does not depend on them.
 */
import { EvstoreError } from '../../../domain/errors.js';
import type { RecordedEvent } from '../../../domain/event.js';
import { hashKey } from '../../../domain/parts.js';
import type { StoredRow } from '../../../domain/read-model.js';
import { toRowKeys, writeKey } from '../../define/columns.js';
import { isTableProjection, type PreparedProjection, type PreparedTableProjection } from '../../define/prepare.js';
import type { BatchFold, Folded, FoldTarget } from '../batch-fold.js';
import { whyMoreThanKey } from '../partition.js';
import { type ReadableTable, TableFold } from '../table-fold.js';
import { FoldThread } from './fold-thread.js';

/** Why its handlers cannot run in several threads; undefined when they can. */
export function whyAlone(projection: PreparedProjection): string | undefined {
  if (!isTableProjection(projection)) {
    return 'Only table projections have rows with keys, by which the work is divided among the threads.';
  }
  if (projection.mode === 'inline') return 'Its rows are written by appends, too, and folded where they are written.';
  if (projection.file === undefined) return 'It comes from no file that a thread could load.';
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
  /** The threads have folded what was not taken yet. */
  #holds = false;
  /** Since an event of the batch failed. */
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
    if (held) throw new EvstoreError('E_HANDLER', 'an event failed in a thread, among others that wait to be written');
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
    const taken = this.#holds ? await Promise.all(this.#threads.map((thread) => thread.take())) : [];
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

  /** False when an event failed. @throws what reading the rows throws */
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
   * The events each thread is to see: those of its streams where these are the keys; all of them where only the code
   * knows whose they are. Null where a stream is no key.
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
