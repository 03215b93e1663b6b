/** Makes the rows of instances again from their streams, for a store whose rows were lost or never written. */
import { parseJson } from '../domain/json-value.js';
import type { RestoredInstance, Store } from '../store/store.js';
import { type SagaFact, sagaCategory, sagaEventTypes } from './events.js';
import { rowOf } from './row.js';
import { type Due, evolveSaga, type SagaState } from './state.js';

/** Rows in one transaction. */
const groupSize = 100;
const factTypes: ReadonlySet<string> = new Set(sagaEventTypes);

/** Writes the rows that are missing, or older than their streams. Returns how many streams it read. */
export async function restoreInstances({ log, sagas }: Pick<Store, 'log' | 'sagas'>, saga: string): Promise<number> {
  const prefix = `${sagaCategory(saga)}-`;
  const streams = (await log.streams({ prefix })).map(({ streamId }) => streamId);
  for (let at = 0; at < streams.length; at += groupSize) {
    const group = streams.slice(at, at + groupSize);
    const rows = await Promise.all(group.map((streamId) => readRow(log, streamId)));
    await sagas.restore(rows.filter((row) => row !== undefined));
  }
  return streams.length;
}

async function readRow(log: Pick<Store['log'], 'readStream'>, streamId: string): Promise<RestoredInstance | undefined> {
  let state: SagaState | undefined;
  let times = { startedAt: '', since: '', movedAt: '', dueFrom: '' };
  let streamVersion = 0;
  for await (const { events } of log.readStream(streamId)) {
    for (const { type, data, createdAt, version } of events) {
      streamVersion = version;
      if (!factTypes.has(type)) continue;
      const before: SagaState | undefined = state;
      state = evolveSaga(before, { type, data: parseJson(data, true) } as SagaFact);
      times = {
        startedAt: before === undefined ? createdAt : times.startedAt,
        since: before !== undefined && isSamePlace(before, state) ? times.since : createdAt,
        movedAt: createdAt,
        dueFrom: before?.due === state.due ? times.dueFrom : createdAt,
      };
    }
  }
  if (state === undefined) return undefined;
  const { dueFrom, ...known } = times;
  return { row: { ...rowOf(state), due: dueAt(state.due, dueFrom) }, streamVersion, ...known };
}

function isSamePlace(before: SagaState, after: SagaState): boolean {
  const [one, other] = [rowOf(before), rowOf(after)];
  return one.step === other.step && one.phase === other.phase;
}

/** Facts carry how long to wait; the row has to say until when. */
function dueAt(due: Due | null, from: string): Due | null {
  return due === null || 'at' in due ? due : { at: new Date(Date.parse(from) + due.inMs).toISOString() };
}
