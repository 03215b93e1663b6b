/** One thread of a parallel fold, as the thread that writes sees it. */
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

/** For whoever still waits when it is closed. */
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
    this.#worker.on('error', (error) => this.#fail(String(error), error));
    this.#worker.on('exit', (code) => this.#fail(`It ended with exit code ${code}`));
  }

  /** To be called once, first. @throws E_CONFIG when it cannot load the projection */
  async start(): Promise<void> {
    const reply = await this.#next();
    if (reply.kind !== 'unloadable') return;
    throw new EvstoreError('E_CONFIG', `projection ${this.#name} cannot be loaded in a thread of its own`, {
      why: reply.why,
      next: `evstore rebuild ${this.#name}`,
    });
  }

  /** It is to be asked for what it has folded before it is given more. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * False when an event failed, or it was closed meanwhile: what it has folded is of no use then.
   * @param read the rows of these keys; null when they cannot be read
   * @throws E_BUG when the thread ended
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

  /** What it has folded since the last time. @throws E_BUG when the thread ended */
  async take(): Promise<TakenRows> {
    this.#isFull = false;
    const reply = await this.#ask({ kind: 'take' });
    return reply.kind === 'taken' ? reply.rows : nothing;
  }

  forget(): void {
    this.#isFull = false;
    this.#worker.postMessage({ kind: 'forget' } satisfies ThreadRequest);
  }

  /** Whatever it does just now. */
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

  /** The first reason counts: an error is followed by the exit. */
  #fail(why: string, cause?: unknown): void {
    if (this.#isClosed) return;
    this.#failure ??= new EvstoreError('E_BUG', `a thread of projection ${this.#name} ended while it was needed`, {
      why: `${why}.`,
      next: `evstore rebuild ${this.#name}`,
      cause,
    });
    this.#waiting?.reject(this.#failure);
  }
}
