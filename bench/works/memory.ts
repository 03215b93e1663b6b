/** The most memory that commands had which go through the whole log: whatever its length, and that of the read model. */
import { fileURLToPath } from 'node:url';
import { makeDataFile } from '../data/files.js';
import { type RunOptions, runEvstore } from '../evstore.js';
import { atMost, type Contender, expectEqual, takeTurns } from '../measure.js';
import type { PlacedStore } from '../place.js';
import type { Comparison } from '../report.js';
import { verifyLog } from '../verify.js';
import { count, type Task, type Work } from './work.js';

const few = 100_000;
const bound = 200;
/** What is called flat: a hundred times the events may take half as much again, as what collects garbage sees fit. */
const flat = 1.5;
const readModels = [
  { name: 'keyed_100k', file: 'keyed-100k', rows: 100_000 },
  { name: 'keyed_1m', file: 'keyed-1m', rows: 1_000_000 },
];

export const work: Work = {
  summary: `peak resident memory of import, export, read, run and rebuild, against that on ${count(few)} events`,
  events: 10_000_000,
  runs: 1,
  run: async (task) => {
    const shorter: Task = { ...task, events: Math.min(few, task.events / 10) };
    const comparisons: Comparison[] = [];
    const stores: PlacedStore[] = [];
    const compare = async (command: string, long: Contender['run'], short: Contender['run']) => {
      const { place, runs, say } = task;
      const contenders: Contender[] = [
        { name: `${count(task.events)} events`, run: long },
        { name: `${count(shorter.events)} events`, target: atMost(flat), run: short },
      ];
      const title = `memory of ${command} on ${place.engine}`;
      comparisons.push(limitFirst(await takeTurns(contenders, { title, unit: 'MB', runs, say })));
    };
    try {
      await compare('import', importing(task), importing(shorter));
      for (const each of [task, shorter]) stores.push(await each.place.fillStore(each.events));
      const [long, short] = stores as [PlacedStore, PlacedStore];
      for (const command of ['export', 'read']) {
        await compare(command, printing(task, long, command), printing(shorter, short, command));
      }
      for (const model of readModels) {
        const rows = `a read model of ${count(model.rows)} rows`;
        await compare(`run of ${rows}`, running(task, long, model), running(shorter, short, model));
        await compare(`rebuild of ${rows}`, rebuilding(task, long, model), rebuilding(shorter, short, model));
      }
      return comparisons;
    } finally {
      for (const store of stores) await store.remove();
    }
  },
};

function limitFirst(comparison: Comparison): Comparison {
  const [first, ...others] = comparison.measured;
  return first === undefined
    ? comparison
    : { ...comparison, measured: [{ ...first, limit: atMost(bound) }, ...others] };
}

function importing({ place, events }: Task): Contender['run'] {
  return async () => {
    const file = await makeDataFile(events, 'ndjson');
    const store = await place.makeStore();
    try {
      const { peakMb } = await runEvstore(['import', file], watch(place, store));
      await verifyLog(store.raw, events);
      return peakMb;
    } finally {
      await store.remove();
    }
  };
}

function printing({ place, events }: Task, store: PlacedStore, command: string): Contender['run'] {
  return async () => {
    const { peakMb, lines } = await runEvstore([command], { ...watch(place, store), output: 'counted' });
    expectEqual(`lines of evstore ${command}`, lines, events);
    return peakMb;
  };
}

type ReadModel = (typeof readModels)[number];

/** From the beginning each time. */
function running({ place, events }: Task, store: PlacedStore, model: ReadModel): Contender['run'] {
  return async () => {
    await store.raw.query(`drop table if exists ${model.name}; delete from subscription_checkpoints`);
    const args = ['run', model.name, '--once', '--projections', pathOf(model)];
    const { peakMb } = await runEvstore(args, watch(place, store));
    await verifyRows(store, events, model);
    return peakMb;
  };
}

function rebuilding({ place, events }: Task, store: PlacedStore, model: ReadModel): Contender['run'] {
  return async () => {
    const args = ['rebuild', model.name, '--yes', '--projections', pathOf(model)];
    const { peakMb } = await runEvstore(args, watch(place, store));
    await verifyRows(store, events, model);
    await runEvstore(['gc', '--now', '--yes'], { url: store.url, folder: place.folder });
    return peakMb;
  };
}

async function verifyRows({ raw }: PlacedStore, events: number, { name, rows }: ReadModel): Promise<void> {
  const [row] = await raw.query(`select count(*) as rows, sum(events) as events from ${name}`);
  expectEqual(`rows of ${name}`, row?.rows, Math.min(rows, events));
  expectEqual(`events in ${name}`, row?.events, events);
}

function pathOf({ file }: ReadModel): string {
  return fileURLToPath(new URL(`../projections/${file}.mjs`, import.meta.url));
}

function watch({ folder }: Task['place'], { url }: PlacedStore): RunOptions {
  return { url, folder, watched: true };
}
