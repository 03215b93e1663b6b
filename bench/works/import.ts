/** `evstore import` of a file, against the fastest way to put ready rows into the same table. */
import { makeDataFile } from '../data/files.js';
import { runEvstore } from '../evstore.js';
import { atLeast, type Contender, expectEqual, takeTurns, timed } from '../measure.js';
import type { PlacedStore } from '../place.js';
import { verifyLog } from '../verify.js';
import { copyIn, psqlMissing } from '../yardsticks/psql.js';
import { bareTable, insertRows } from '../yardsticks/sqlite-loop.js';
import { count, type Task, type Work } from './work.js';

export const work: Work = {
  summary: 'evstore import of a file of events, into an empty store',
  events: 1_000_000,
  runs: 5,
  run: async (task) => {
    const { place, events, runs, say } = task;
    const contenders = place.engine === 'postgres' ? await onPostgres(task) : await onSqlite(task);
    const title = `import of ${count(events)} events on ${place.engine}`;
    return [await takeTurns(contenders, { title, unit: 'events/s', runs, say })];
  },
};

/** A contender that fills a new database each time; what it made is verified and dropped. */
export function filling(
  { place, events }: Task,
  contender: Omit<Contender, 'run' | 'prepare'> & {
    /** Makes the database, when a store is not wanted. */
    readonly make?: () => Promise<PlacedStore>;
    readonly prepare?: (store: PlacedStore) => Promise<unknown>;
    /** @returns seconds */
    readonly fill: (store: PlacedStore) => Promise<number>;
    readonly table?: string;
  },
): Contender {
  const { make = place.makeStore, prepare, fill, table, ...rest } = contender;
  return {
    ...rest,
    run: async () => {
      const store = await make();
      try {
        await prepare?.(store);
        await store.settle();
        const seconds = await fill(store);
        await verifyLog(store.raw, events, table);
        return events / seconds;
      } finally {
        await store.remove();
      }
    },
  };
}

export async function importing(task: Task): Promise<Contender> {
  const { place, events } = task;
  const file = await makeDataFile(events, 'ndjson');
  return filling(task, {
    name: 'evstore import',
    fill: async ({ url }) => {
      const { seconds, stdout } = await runEvstore(['import', file, '--json'], { url, folder: place.folder });
      expectEqual('what evstore imported', JSON.parse(stdout).imported, events);
      return seconds;
    },
  });
}

async function onPostgres(task: Task): Promise<Contender[]> {
  const { events } = task;
  const rows = await makeDataFile(events, 'copy');
  return [
    await importing(task),
    { ...(await fillingBare(task)), target: atLeast(0.8) },
    filling(task, {
      name: 'psql \\copy into the table with its guards',
      missing: psqlMissing,
      fill: ({ url }) => copyIn(url, 'events', rows, events),
    }),
  ];
}

async function onSqlite(task: Task): Promise<Contender[]> {
  const rows = await makeDataFile(task.events, 'copy');
  return [
    await importing(task),
    { ...(await fillingBare(task)), target: atLeast(0.8) },
    filling(task, {
      name: 'better-sqlite3, one transaction, the store itself',
      fill: ({ path }) => timed(() => insertRows(path, rows)),
    }),
  ];
}

/** The fastest way to put ready rows into such a table: all there is to gain. */
export async function fillingBare(task: Task): Promise<Contender> {
  const { events, place } = task;
  const rows = await makeDataFile(events, 'copy');
  if (place.engine === 'postgres') {
    return filling(task, {
      name: 'psql \\copy into the same table and indexes, without guards',
      missing: psqlMissing,
      prepare: ({ raw }) => raw.query('create table bare (like events including all)'),
      fill: ({ url }) => copyIn(url, 'bare', rows, events),
      table: 'bare',
    });
  }
  return filling(task, {
    name: 'better-sqlite3, one transaction, unique keys and index by type',
    make: place.makeDatabase,
    prepare: ({ raw }) => raw.query(bareTable),
    fill: ({ path }) => timed(() => insertRows(path, rows)),
  });
}
