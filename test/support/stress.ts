/**
 * Writers of every kind at once on Postgres, half of them knowing nothing of evstore, and readers that follow them. All
 * is recorded in a history.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isEvstoreError } from '../../src/domain/errors.js';
import type { EventBatch, RecordedEvent } from '../../src/domain/event.js';
import { newEventId } from '../../src/domain/uuid.js';
import type { Store } from '../../src/store/store.js';
import type { Raw, TestStore } from './engines.js';
import { makeEvent, makeEvents } from './events.js';
import { type Attempt, History } from './history.js';
import { makeRandom, type Random } from './random.js';

/** The events after a position, and how far it looked. */
export type Reader = (after: number) => AsyncIterable<EventBatch>;

export interface StressOptions {
  readonly seed: number;
  readonly writers: number;
  /** Transactions of each writer. */
  readonly rounds: number;
  /** By the name they have in the history. Without any, two of the store's own, with small and with large batches. */
  readonly readers?: Readonly<Record<string, Reader>>;
}

interface Writer {
  readonly name: string;
  readonly test: TestStore;
  readonly raw: Raw;
  readonly random: Random;
  readonly history: History;
}

const columns = '(id, stream_id, stream_type, event_type, event_data, version)';

/** Ends when all writers are done and every reader has come to the end. */
export async function stress(test: TestStore, options: StressOptions): Promise<History> {
  const { seed, writers, rounds } = options;
  const history = new History();
  let isWriting = true;
  const writing = Array.from({ length: writers }, async (_, index) => {
    const random = makeRandom(seed + index);
    const writer = { name: `w${index}`, test, raw: await test.connect(), random, history };
    for (let round = 0; round < rounds; round++) await writeOnce(writer);
  });
  const readers = options.readers ?? {
    narrow: (after) => test.store.log.readAll({ after, batchSize: 3 }),
    wide: (after) => test.store.log.readAll({ after }),
  };
  const reading = Object.entries(readers).map(([name, read]) => follow(name, read, history, () => isWriting));
  try {
    await Promise.all(writing);
  } finally {
    isWriting = false;
    await Promise.all(reading);
  }
  return history;
}

/** Delivers to the history under that name until nobody writes any more and the end has been read. */
export async function follow(name: string, read: Reader, history: History, isWriting: () => boolean): Promise<void> {
  let after = 0;
  for (let isLast = false; ; ) {
    for await (const batch of read(after)) {
      history.deliver(name, batch.events);
      history.observe(name, batch.upTo, Number.POSITIVE_INFINITY);
      after = batch.upTo;
    }
    if (isLast) return;
    isLast = !isWriting();
    await sleep(1);
  }
}

/** Goes on from where it was when the connection is lost. */
export function persistent(store: Store): Reader {
  return async function* (after): AsyncGenerator<EventBatch> {
    let position = after;
    for (;;) {
      try {
        for await (const batch of store.log.readAll({ after: position, batchSize: 50 })) {
          position = batch.upTo;
          yield batch;
        }
        return;
      } catch (error) {
        if (!isEvstoreError(error) || error.code !== 'E_CONNECT') throw error;
        await sleep(10);
      }
    }
  };
}

const kinds = [
  appendOnce,
  importOnce,
  insertOne,
  insertMany,
  insertSlowly,
  insertSlowly,
  insertAround,
  copyIn,
] as const;

function writeOnce(writer: Writer): Promise<void> {
  return (kinds[writer.random.below(kinds.length)] ?? appendOnce)(writer);
}

/** Of its own, or one of two that all writers share. */
function chooseStream({ name, random }: Writer): string {
  return random.below(4) === 0 ? `shared-${random.below(2)}` : `${name}-${random.below(3)}`;
}

async function appendOnce(writer: Writer): Promise<void> {
  const { test, random, history } = writer;
  const streamId = chooseStream(writer);
  const events = makeEvents(1 + random.below(3));
  const attempt = history.invoke(
    streamId,
    events.map(({ id }) => id),
  );
  const result = await test.store.log.append(streamId, events, 'any');
  history.succeed(attempt, result.events);
}

async function importOnce(writer: Writer): Promise<void> {
  const { test, random, history } = writer;
  const events = Array.from({ length: 1 + random.below(5) }, () => ({
    ...makeEvent(),
    streamId: chooseStream(writer),
  }));
  const attempt = history.invoke(
    'imported',
    events.map(({ id }) => id),
  );
  await test.store.log.importEvents(events, { conflict: 'fail' });
  history.succeed(attempt);
}

async function insertOne(writer: Writer): Promise<void> {
  await record(writer, 1, ([id = '']) => writer.raw.query(insertNext(id, chooseStream(writer))));
}

async function insertMany(writer: Writer): Promise<void> {
  await record(writer, 2 + writer.random.below(3), async (ids) => {
    const streamId = chooseStream(writer);
    const rows = ids.map((id, place) => `('${id}', '${streamId}', 'Raw', 'Raw', '{}', last.version + ${place + 1})`);
    await writer.raw.query(
      `insert into events ${columns}
       select n.id::uuid, n.stream, n.category, n.type, n.data::json, n.version
         from (select coalesce(max(version), 0) as version from events where stream_id = '${streamId}') as last,
              lateral (values ${rows.join(', ')}) as n(id, stream, category, type, data, version)`,
    );
  });
}

/** Two statements in a transaction that takes its time, and at times is given up. */
async function insertSlowly(writer: Writer): Promise<void> {
  const { raw, random } = writer;
  const isGivenUp = random.below(4) === 0;
  await record(writer, 2, async (ids) => {
    await raw.query('begin');
    for (const id of ids) {
      await raw.query(insertNext(id, `${writer.name}-slow`));
      await sleep(random.below(5));
    }
    if (isGivenUp) throw new Error('given up');
    await raw.query('commit');
  });
}

/** An insert that is undone, a pause without any floor, and another that stays. */
async function insertAround(writer: Writer): Promise<void> {
  const { raw, random } = writer;
  await record(writer, 1, async ([id = '']) => {
    await raw.query('begin; savepoint before');
    await raw.query(insertNext(newEventId(), `${writer.name}-undone`));
    await raw.query('rollback to before');
    await sleep(random.below(3));
    await raw.query(insertNext(id, `${writer.name}-around`));
    await sleep(random.below(3));
    await raw.query('commit');
  });
}

async function copyIn(writer: Writer): Promise<void> {
  await record(writer, 3, async (ids) => {
    const streamId = `${writer.name}-copied-${ids[0]}`;
    const lines = ids.map((id, place) => `${id},${streamId},Raw,Raw,{},${place + 1}`).join('\\n');
    await writer.raw.query(`copy events ${columns} from program 'printf "${lines}\\n"' with (format csv)`);
  });
}

function insertNext(id: string, streamId: string): string {
  return `insert into events ${columns}
    select '${id}', '${streamId}', 'Raw', 'Raw', '{}', coalesce(max(version), 0) + 1
      from events where stream_id = '${streamId}'`;
}

async function record(
  { raw, history }: Writer,
  count: number,
  write: (ids: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const ids = Array.from({ length: count }, () => newEventId());
  const attempt: Attempt = history.invoke('raw', ids);
  try {
    await write(ids);
    history.succeed(attempt);
  } catch (error) {
    if (!(error instanceof Error) || !isExpected(error)) throw error;
    await raw.query('rollback');
    history.fail(attempt);
  }
}

/** Given up on purpose, or another writer was first with the version. */
function isExpected(error: Error): boolean {
  return error.message === 'given up' || ('code' in error && error.code === '23505');
}

/** What a reader with statements of its own makes of its rows. */
export function toBatch(rows: readonly Record<string, unknown>[], upTo: number): EventBatch {
  const events = rows.map(
    (row): RecordedEvent => ({
      globalPosition: Number(row.global_position),
      streamId: String(row.stream_id),
      version: Number(row.version),
      type: String(row.event_type),
      schemaVersion: 1,
      id: String(row.id),
      data: '{}',
      metadata: '{}',
      streamType: '',
      createdAt: '',
    }),
  );
  return { events, upTo };
}
