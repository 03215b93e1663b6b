/** A thread of a threaded fold: folds events into the rows of its part, and writes nothing. */
import { parentPort, workerData } from 'node:worker_threads';
import { EvstoreError, isEvstoreError } from '../../../domain/errors.js';
import type { RecordedEvent } from '../../../domain/event.js';
import type { StoredRow } from '../../../domain/read-model.js';
import { loadFile, textOf } from '../../define/load.js';
import { isTableProjection, type PreparedTableProjection } from '../../define/prepare.js';
import { TableFold } from '../table-fold.js';
import type { ThreadReply, ThreadRequest, ThreadWork } from './fold-protocol.js';

const work = workerData as ThreadWork;

/** @throws E_CONFIG when the file has changed since the command started */
async function loadProjection(): Promise<PreparedTableProjection> {
  const projections = await loadFile(work.file);
  const found = projections.find(({ name }) => name === work.name);
  const isSame = found?.codeHash === work.codeHash && textOf(found) === work.text;
  if (found !== undefined && isTableProjection(found) && isSame) return found;
  throw new EvstoreError('E_CONFIG', `${work.file} has changed since it was first loaded`);
}

function answer(reply: ThreadReply): void {
  parentPort?.postMessage(reply);
}

function serve(projection: PreparedTableProjection): void {
  let giveRows: (rows: readonly StoredRow[] | null) => void = () => {};
  const readRows = async (_table: string, _spec: unknown, keys: readonly StoredRow[]) => {
    const rows = await new Promise<readonly StoredRow[] | null>((resolve) => {
      giveRows = resolve;
      answer({ kind: 'read', keys });
    });
    if (rows === null) throw new EvstoreError('E_CONNECT', 'the rows cannot be read');
    return rows;
  };
  const { part, isEmpty, cacheBytes, table } = work;
  const { signal } = new AbortController();
  const fold = new TableFold({ readRows }, projection, { physical: () => table, part, isEmpty, cacheBytes, signal });

  const tryFold = async (events: readonly RecordedEvent[]): Promise<boolean> => {
    try {
      await fold.prepare(events);
      for (const event of events) fold.add(event);
      return true;
    } catch {
      // The main thread folds the batch again and finds the event.
      return false;
    }
  };
  parentPort?.on('message', async (request: ThreadRequest) => {
    if (request.kind === 'fold') {
      const failed = !(await tryFold(request.events));
      answer({ kind: 'folded', failed, isFull: fold.isFull });
    }
    if (request.kind === 'rows') giveRows(request.rows);
    if (request.kind === 'take') {
      const { inserts = [], upserts, deletes } = fold.takeChanges().changes;
      answer({ kind: 'taken', rows: { inserts, upserts, deletes } });
    }
    if (request.kind === 'forget') fold.forget();
  });
}

async function start(): Promise<void> {
  try {
    serve(await loadProjection());
    answer({ kind: 'ready' });
  } catch (error) {
    const { message, why } = isEvstoreError(error) ? error : { message: String(error), why: undefined };
    answer({ kind: 'unloadable', why: why === undefined ? `${message}.` : `${message}. ${why}` });
  }
}

void start();
