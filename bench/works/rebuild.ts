/** `evstore rebuild` of a row for each order, beside the live table and swapped in, against SQL that makes the same table. */
import { fileURLToPath } from 'node:url';
import type { Raw } from '../../test/support/raw.js';
import { runEvstore } from '../evstore.js';
import { atLeast, type Contender, expectEqual, takeTurns, timed } from '../measure.js';
import type { PlacedStore } from '../place.js';
import { sumOfVersions } from '../verify.js';
import { psqlMissing } from '../yardsticks/psql.js';
import { makeTotals } from '../yardsticks/set-based-sql.js';
import { readAndParse } from '../yardsticks/sqlite-loop.js';
import { count, type Task, type Work } from './work.js';

/** The code that is run. */
export const orderTotals = fileURLToPath(new URL('../projections/order-totals.mjs', import.meta.url));
const table = 'order_totals';
/** Its rate is such that more would take long; with fewer rows it is rather faster. */
const eventsForEmmett = 5_000;

export const work: Work = {
  summary: 'evstore rebuild of a table with a row for each order, to the end of the swap',
  events: 1_000_000,
  runs: 5,
  run: async (task) => {
    const { place, events, runs, say } = task;
    const store = await place.fillStore(events);
    const others: PlacedStore[] = [];
    try {
      const rebuilt = new Rebuilding(task, store);
      const contenders =
        place.engine === 'postgres'
          ? [...bySql(task, store), await byEmmett(task, others)]
          : [
              {
                name: 'better-sqlite3, batches of 5,000, payload parsed',
                target: atLeast(0.4),
                run: async () => events / (await readAll(store, events)),
              },
            ];
      const title = `rebuild from ${count(events)} events to ${count(events / 10)} rows on ${place.engine}`;
      const comparison = await takeTurns([rebuilt, ...contenders], { title, unit: 'events/s', runs, say });
      const own = { name: 'evstore rebuild, by its own report', figures: rebuilt.reported };
      return [{ ...comparison, measured: [...comparison.measured, own] }];
    } finally {
      for (const each of [store, ...others]) await each.remove();
    }
  },
};

/** There is a live table before it; the one it replaced is dropped before the next. */
export class Rebuilding implements Contender {
  readonly name = 'evstore rebuild, the whole command';
  /** Events per second by the command's own clock, of each run. */
  readonly reported: number[] = [];
  readonly #task: Task;
  readonly #store: PlacedStore;
  #isLive = false;

  constructor(task: Task, store: PlacedStore) {
    this.#task = task;
    this.#store = store;
  }

  async prepare(): Promise<void> {
    if (!this.#isLive) await this.#evstore(['run', '--once', '--projections', orderTotals]);
    this.#isLive = true;
    await this.#evstore(['gc', '--now', '--yes']);
    await this.#store.settle();
  }

  async run(): Promise<number> {
    const { events } = this.#task;
    const { seconds, stdout } = await this.#evstore([
      'rebuild',
      table,
      '--projections',
      orderTotals,
      '--yes',
      '--json',
    ]);
    const [report] = JSON.parse(stdout).rebuilds;
    expectEqual('the outcome of the rebuild', report.outcome, 'swapped');
    await verifyTotals(this.#store.raw, table, events);
    this.reported.push(events / (report.elapsedMs / 1000));
    return events / seconds;
  }

  #evstore(args: readonly string[]) {
    return runEvstore(args, { url: this.#store.url, folder: this.#task.place.folder });
  }
}

/** A row for each order, and every event in one of them. */
async function verifyTotals(raw: Raw, name: string, events: number): Promise<void> {
  const [row] = await raw.query(
    `select count(*) as orders, sum(events) as events, count(case when status = 'OrderDelivered' then 1 end) as delivered
       from ${name}`,
  );
  expectEqual(`rows of ${name}`, row?.orders, events / 10);
  expectEqual(`events in ${name}`, row?.events, events);
  expectEqual(`rows of ${name} that ended as they should`, row?.delivered, events / 10);
}

function bySql({ events }: Task, { url, raw }: PlacedStore): Contender[] {
  const contender = (name: string, settings: string): Contender => ({
    name,
    missing: psqlMissing,
    prepare: async () => {
      await raw.query('drop table if exists totals_by_sql; checkpoint');
    },
    run: async () => {
      const seconds = await makeTotals(url, settings);
      await verifyTotals(raw, 'totals_by_sql', events);
      await verifySame(raw);
      return events / seconds;
    },
  });
  return [
    { ...contender('set-based SQL that makes the same table (its time: ≤ 2.5 ×)', ''), target: atLeast(0.4) },
    contender('the same with 256 MB of work_mem', "set work_mem = '256MB';"),
  ];
}

/** The SQL and the projection say the same of every order. */
async function verifySame(raw: Raw): Promise<void> {
  const [row] = await raw.query(
    `select count(*) as rows from
       (select order_id, events, items, status, last_at from ${table}
        except select order_id, events, items, status, last_at from totals_by_sql) as different`,
  );
  expectEqual('rows that differ from those of the SQL', row?.rows, 0);
}

async function byEmmett({ place }: Task, others: PlacedStore[]): Promise<Contender> {
  const { fillEmmett, rebuildEmmett } = await import('../yardsticks/emmett-postgres.js');
  const store = await place.makeDatabase();
  others.push(store);
  let isFilled = false;
  return {
    name: `Emmett rebuildPostgreSQLProjections, of ${count(eventsForEmmett)} events`,
    target: atLeast(100),
    prepare: async () => {
      if (!isFilled) await fillEmmett(store.url, eventsForEmmett);
      isFilled = true;
    },
    run: async () => eventsForEmmett / (await rebuildEmmett(store.url, store.raw, eventsForEmmett)),
  };
}

async function readAll({ path }: PlacedStore, events: number): Promise<number> {
  let read = { events: 0, versions: 0 };
  const seconds = await timed(() => {
    read = readAndParse(path);
  });
  expectEqual('events read', read.events, events);
  expectEqual('the sum of versions read', read.versions, sumOfVersions(events));
  return seconds;
}
