/** Starts the thread that writes an import, and sends it batches. */
import type { Worker } from 'node:worker_threads';
import { EvstoreError } from '../../../domain/errors.js';
import { startThread } from '../../shared/start-thread.js';
import type { ImportedEvent, ImportOptions } from '../../store.js';
import { type ImportReply, type ImportRequest, type ImportWork, packEvents } from './import-protocol.js';

/** The most batches that are sent and not written yet. */
const mostAhead = 2;

export class ImportThread {
  readonly #worker: Worker;
  readonly #committed: ImportOptions['committed'];
  #ahead = 0;
  #hasEnded = false;
  #failure: EvstoreError | undefined;
  #wake: () => void = () => {};

  constructor(work: ImportWork, committed: ImportOptions['committed']) {
    this.#committed = committed;
    this.#worker = startThread('./import-worker', import.meta.url, work);
    this.#worker.on('message', (reply: ImportReply) => this.#hear(reply));
    this.#worker.on('error', (error) => this.#fail(unexpected(`${error}`, error)));
    this.#worker.on('exit', (code) => this.#fail(unexpected(`It ended with exit code ${code}`)));
  }

  /** Resolves when there is room for the next batch. @throws the error of an earlier batch */
  async write(events: readonly ImportedEvent[]): Promise<void> {
    this.#ahead += 1;
    this.#ask({ kind: 'write', events: packEvents(events) });
    await this.#until(() => this.#ahead < mostAhead);
  }

  /** Resolves when everything is committed. @throws the error of a batch */
  async end(): Promise<void> {
    this.#ask({ kind: 'end' });
    await this.#until(() => this.#hasEnded);
  }

  /** Loses what is not committed. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(request: ImportRequest): void {
    this.#worker.postMessage(request);
  }

  #hear(reply: ImportReply): void {
    if (reply.kind === 'taken') this.#ahead -= 1;
    if (reply.kind === 'committed') for (const result of reply.results) this.#committed(result);
    if (reply.kind === 'ended') this.#hasEnded = true;
    if (reply.kind === 'failed') this.#fail(new EvstoreError(reply.error.code, reply.error.message, reply.error));
    this.#wake();
  }

  /** Keeps the first failure: an error is followed by the exit. */
  #fail(error: EvstoreError): void {
    this.#failure ??= error;
    this.#wake();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function unexpected(why: string, cause?: unknown): EvstoreError {
  return new EvstoreError('E_BUG', 'the thread of an import ended while it was needed', { why: `${why}.`, cause });
}
