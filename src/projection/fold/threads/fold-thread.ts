/** One thread of a threaded fold, as the main thread sees it. */
import type { Worker } from 'node:worker_threads';
import { EvstoreError } from '../../../domain/errors.js';
import type { RecordedEvent } from '../../../domain/event.js';
import type { StoredRow } from '../../../domain/read-model.js';
import { startThread } from '../../../store/shared/start-thread.js';
import type { TakenRows, ThreadReply, ThreadRequest, ThreadWork } from './fold-protocol.js';

interface Waiting {
  readonly resolve: (reply: ThreadReply) => void;
  readonly reject: (error: EvstoreError) => void;
}

/** The reply to a request that is open when the thread is closed. */
const closed: ThreadReply = { kind: 'folded', failed: true, isFull: false };
const nothing: TakenRows = { inserts: [], upserts: [], deletes: [] };

export class FoldThread {
  readonly #name: string;
  readonly #worker: Worker;
  #waiting: Waiting | undefined;
  #failure: EvstoreError | undefined;
  #isClosed = false;
  #isFull = false;

  constructor(work: ThreadWork) {
    this.#name = work.name;
    this.#worker = startThread('./fold-worker', import.meta.url, work);
    this.#worker.on('message', (reply: ThreadReply) => this.#waiting?.resolve(reply));
    // A timer of the user's code threw there, or a promise that nothing awaits.
    this.#worker.on('error', (error) => this.#fail(String(error), error));
    this.#worker.on('exit', (code) => this.#fail(`It ended with exit code ${code}, as process.exit does`));
  }

  /** Waits until the projection is loaded; call it once, first. @throws E_CONFIG when it cannot be loaded */
  async start(): Promise<void> {
    const reply = await this.#next();
    if (reply.kind !== 'unloadable') return;
    throw new EvstoreError('E_CONFIG', `projection ${this.#name} cannot be loaded in another thread`, {
      why: reply.why,
      next: `evstore rebuild ${this.#name}`,
    });
  }

  /** True when its changes have to be taken before it folds more. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * Folds events. Returns false when one of them failed or the thread was closed meanwhile; its changes are then useless.
   * @param read returns the rows with these keys; null when they cannot be read
   * @throws E_HANDLER when the thread ended
   */
  async fold(
    events: readonly RecordedEvent[],
    read: (keys: readonly StoredRow[]) => Promise<readonly StoredRow[] | null>,
  ): Promise<boolean> {
    let reply = await this.#ask({ kind: 'fold', events });
    while (reply.kind === 'read') reply = await this.#ask({ kind: 'rows', rows: await read(reply.keys) });
    if (reply.kind !== 'folded') return false;
    this.#isFull = reply.isFull;
    return !reply.failed;
  }

  /** Returns the changes since the last time. @throws E_HANDLER when the thread ended */
  async takeRows(): Promise<TakenRows> {
    this.#isFull = false;
    const reply = await this.#ask({ kind: 'take' });
    return reply.kind === 'taken' ? reply.rows : nothing;
  }

  forget(): void {
    this.#isFull = false;
    this.#worker.postMessage({ kind: 'forget' } satisfies ThreadRequest);
  }

  /** Stops the thread, even in the middle of a handler. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting?.resolve(closed);
    await this.#worker.terminate();
  }

  #ask(request: ThreadRequest): Promise<ThreadReply> {
    const reply = this.#next();
    this.#worker.postMessage(request);
    return reply;
  }

  #next(): Promise<ThreadReply> {
    if (this.#isClosed) return Promise.resolve(closed);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#failure !== undefined) reject(this.#failure);
    });
  }

  /** Keeps the first reason, because an error is followed by an exit. */
  #fail(why: string, cause?: unknown): void {
    if (this.#isClosed) return;
    this.#failure ??= new EvstoreError('E_HANDLER', `a thread of projection ${this.#name} ended unexpectedly`, {
      why: `${why}.`,
      next: `evstore rebuild ${this.#name}`,
      cause,
    });
    this.#waiting?.reject(this.#failure);
  }
}
