/** Appends of one event and of a hundred, by one writer and by many, against others' and against a bare INSERT. */
import type { Raw } from '../../test/support/raw.js';
import { openEvstoreWriters } from '../evstore-writers.js';
import { atLeast, type Contender, expectEqual, takeTurns } from '../measure.js';
import type { Place, PlacedStore } from '../place.js';
import type { Target } from '../report.js';
import { countOfEmmett, openEmmettWriters } from '../yardsticks/emmett-postgres.js';
import { openEmmettSqliteWriter } from '../yardsticks/emmett-sqlite.js';
import { countOfMessageDb, installMessageDb, openMessageDbWriters } from '../yardsticks/message-db.js';
import { makeBareTable, openBareWriters } from '../yardsticks/postgres-insert.js';
import { bareTable, openBareWriter } from '../yardsticks/sqlite-loop.js';
import { sampleEvents, type Write, type Writers } from '../yardsticks/writer.js';
import type { Task, Work } from './work.js';

const secondsOfRun = 2;
const warmUp = 100;

export const work: Work = {
  summary: `appends by 1, 8 and 32 writers of one process, for ${secondsOfRun} seconds a run`,
  events: 0,
  runs: 5,
  run: async (task) => {
    const comparisons = [];
    for (const batch of [1, 100]) {
      for (const writers of task.place.engine === 'postgres' ? [1, 8, 32] : [1]) {
        const who = writers === 1 ? '1 writer' : `${writers} writers`;
        const what = batch === 1 ? 'append of one event a commit' : `append of ${batch} events a commit`;
        const title = `${what}, ${who} on ${task.place.engine}`;
        const candidates = candidatesOf(task, batch, writers);
        const contenders = candidates.map((candidate) => new AppendingContender(candidate, writers, batch));
        try {
          comparisons.push(await takeTurns(contenders, { title, unit: 'events/s', runs: task.runs, say: task.say }));
        } finally {
          for (const contender of contenders) await contender.close();
        }
      }
    }
    return comparisons;
  },
};

export interface Candidate {
  readonly name: string;
  readonly target?: Target;
  /** Its tables, in a database of its own. */
  readonly make: () => Promise<PlacedStore>;
  readonly open: (store: PlacedStore, writers: number) => Promise<Writers>;
  readonly count: string;
  /** The name of a table of the log that tells versions and positions. */
  readonly log?: string;
}

export function evstoreCandidate({ makeStore }: Place): Candidate {
  return {
    name: 'evstore, openStore().append()',
    make: makeStore,
    open: ({ url }, count) => openEvstoreWriters(url, count),
    count: 'select count(*) as events from events',
    log: 'events',
  };
}

function candidatesOf({ place }: Task, batch: number, writers: number): Candidate[] {
  const isOne = batch === 1;
  const emmettTarget = isOne ? (writers === 1 ? {} : { target: atLeast(3) }) : { target: atLeast(1.5) };
  if (place.engine === 'sqlite') {
    return [
      evstoreCandidate(place),
      {
        name: 'better-sqlite3, bare prepared INSERT, synchronous FULL',
        target: atLeast(0.9),
        make: () => makeWith(place.makeDatabase, (raw) => raw.query(bareTable)),
        open: async ({ path }) => openBareWriter(path),
        count: 'select count(*) as events from events',
        log: 'events',
      },
      {
        name: 'Emmett appendToStream',
        ...emmettTarget,
        make: place.makeDatabase,
        open: ({ path }) => openEmmettSqliteWriter(path),
        count: countOfEmmett,
      },
    ];
  }
  const messageDb: Candidate = {
    name: 'message-db write_message',
    ...(writers > 1 && { target: atLeast(3) }),
    make: () => makeWith(place.makeDatabase, installMessageDb),
    open: ({ url }, count) => openMessageDbWriters(url, count),
    count: countOfMessageDb,
  };
  return [
    evstoreCandidate(place),
    {
      name: 'pg, bare prepared INSERT into the same table, without guards',
      target: atLeast(0.9),
      make: () => makeWith(place.makeStore, (raw) => raw.query(makeBareTable)),
      open: ({ url }, count) => openBareWriters(url, count),
      count: 'select count(*) as events from bare',
      log: 'bare',
    },
    {
      name: 'Emmett appendToStream',
      ...emmettTarget,
      make: place.makeDatabase,
      open: ({ url }, count) => openEmmettWriters(url, count),
      count: countOfEmmett,
    },
    // It has no way to write several at once.
    ...(isOne ? [messageDb] : []),
  ];
}

async function makeWith(make: () => Promise<PlacedStore>, prepare: (raw: Raw) => Promise<unknown>) {
  const store = await make();
  await prepare(store.raw);
  return store;
}

/** Its store and its connections stay from run to run; so the log grows, for all of them. */
export class AppendingContender implements Contender {
  readonly name: string;
  readonly target?: Target;
  readonly #candidate: Candidate;
  readonly #count: number;
  readonly #batch: number;
  #store: PlacedStore | undefined;
  #writers: Writers | undefined;
  #events = 0;
  #streams = 0;

  constructor(candidate: Candidate, count: number, batch: number) {
    this.name = candidate.name;
    if (candidate.target !== undefined) this.target = candidate.target;
    this.#candidate = candidate;
    this.#count = count;
    this.#batch = batch;
  }

  /** Acknowledged so far. */
  get events(): number {
    return this.#events;
  }

  async prepare(): Promise<void> {
    if (this.#store === undefined) {
      this.#store = await this.#candidate.make();
      this.#writers = await this.#candidate.open(this.#store, this.#count);
      await this.#writeFor((written) => written < warmUp);
    }
    await this.#store.settle();
  }

  async run(): Promise<number> {
    const before = this.#events;
    const startedAt = performance.now();
    const endsAt = startedAt + secondsOfRun * 1000;
    await this.#writeFor(() => performance.now() < endsAt);
    const seconds = (performance.now() - startedAt) / 1000;
    await this.#verify();
    return (this.#events - before) / seconds;
  }

  async close(): Promise<void> {
    await this.#writers?.close();
    await this.#store?.remove();
  }

  async #writeFor(isGoingOn: (written: number) => boolean): Promise<void> {
    await Promise.all((this.#writers?.writes ?? []).map((write) => this.#writeOne(write, isGoingOn)));
  }

  /** Streams of ten events; a batch is a stream. */
  async #writeOne(write: Write, isGoingOn: (written: number) => boolean): Promise<void> {
    let stream = '';
    let version = 10;
    for (let written = 0; isGoingOn(written); written += 1) {
      if (version >= 10) {
        stream = `Order-${++this.#streams}`;
        version = 0;
      }
      const start = (this.#events * 7) % (sampleEvents.length - this.#batch);
      await write(stream, version, sampleEvents.slice(start, start + this.#batch));
      version += this.#batch;
      this.#events += this.#batch;
    }
  }

  /** Everything acknowledged is there, and each stream's versions are in the order of positions. */
  async #verify(): Promise<void> {
    const { count, log } = this.#candidate;
    const [row] = (await this.#store?.raw.query(count)) ?? [];
    expectEqual(`events of ${this.name}`, row?.events, this.#events);
    if (log === undefined) return;
    const [wrong] =
      (await this.#store?.raw.query(
        `select count(*) as events from
           (select version, row_number() over (partition by stream_id order by global_position) as place from ${log})
             as placed
          where version <> place`,
      )) ?? [];
    expectEqual(`events of ${this.name} out of order`, wrong?.events, 0);
  }
}
