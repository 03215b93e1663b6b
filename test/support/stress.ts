/** Writers that open transactions, dawdle, roll back and commit in any order, and readers that follow. Postgres only. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../../src/domain/event.js';
import { newEventId } from '../../src/domain/uuid.js';
import type { Raw, TestStore } from './engines.js';
import { append, makeEvents } from './events.js';
import { History } from './history.js';
import { makeRandom, type Random } from './random.js';

/** Everything of the log beyond a position that the reader may see now. */
export type ReadOn = (after: number) => Promise<readonly RecordedEvent[]>;

export interface Stress {
  readonly seed: number;
  readonly writers: number;
  readonly transactions: number;
  /** Readers by name. */
  readonly readers: Readonly<Record<string, ReadOn>>;
}

/** Runs the writers beside the readers and lets the readers come to the end. */
export async function runStress(test: TestStore, { seed, writers, transactions, readers }: Stress): Promise<History> {
  const history = new History();
  let isWriting = true;
  const writing = Promise.all(
    Array.from({ length: writers }, async (_, index) => {
      const random = makeRandom(seed * 1_000 + index);
      if (index % 4 === 3) await appendOften(test, history, random, transactions);
      else await writeByHand(await test.connect(), history, random, index, transactions);
    }),
  ).finally(() => {
    isWriting = false;
  });
  const reading = Object.entries(readers).map(async ([name, readOn]) => {
    for (let after = 0, idle = 0; idle < 2; ) {
      const wasWriting = isWriting;
      const events = await readOn(after);
      history.deliver(name, events);
      after = events.at(-1)?.globalPosition ?? after;
      if (!wasWriting && events.length === 0) idle++;
    }
  });
  await Promise.all([writing, ...reading]);
  return history;
}

/** The port's own append, all on one stream. */
async function appendOften({ open }: TestStore, history: History, random: Random, transactions: number): Promise<void> {
  const store = await open();
  for (let round = 0; round < transactions; round++) {
    const events = makeEvents(1 + random.below(3));
    const attempt = history.invoke(
      'Shared-1',
      events.map(({ id }) => id),
    );
    history.succeed(attempt, (await append(store, 'Shared-1', events)).events);
    await sleep(random.below(4));
  }
}

/** Plain SQL in long transactions, on a stream of its own. */
async function writeByHand(
  session: Raw,
  history: History,
  random: Random,
  index: number,
  transactions: number,
): Promise<void> {
  const streamId = `Raw-${index}`;
  let version = 0;
  const insert = async (ids: readonly string[], from: number) => {
    for (const [offset, id] of ids.entries()) {
      await session.query(
        `insert into events (id, stream_id, stream_type, event_type, event_data, version)
         values ('${id}', '${streamId}', 'Raw', 'Raw', '{}', ${from + offset + 1})`,
      );
      if (random.next() < 0.5) await sleep(random.below(8));
    }
  };
  for (let round = 0; round < transactions; round++) {
    const ids = Array.from({ length: 1 + random.below(3) }, newEventId);
    const isRolledBack = random.next() < 0.15;
    await session.query('begin');
    if (random.next() < 0.2) {
      const undone = [newEventId()];
      history.fail(history.invoke(streamId, undone));
      await session.query('savepoint undone');
      await insert(undone, version);
      await session.query('rollback to undone');
    }
    const attempt = history.invoke(streamId, ids);
    await insert(ids, version);
    await sleep(random.below(8));
    if (isRolledBack) {
      await session.query('rollback');
      history.fail(attempt);
    } else {
      await session.query('commit');
      history.succeed(attempt);
      version += ids.length;
    }
  }
}
