/**
 * `evstore run --partition`: what several processes on one machine make of a log, and how far one part of many comes by
 * itself, which is how long a fleet takes that has a machine for each part.
 */
import { fileURLToPath } from 'node:url';
import { runEvstore } from '../evstore.js';
import { type Contender, expectEqual, takeTurns, timed, Wrong } from '../measure.js';
import type { Comparison } from '../report.js';
import { count, type Task, type Work } from './work.js';

const weights = ['light', 'heavy'] as const;
/** How many parts there are, and how many of them run at once. */
const fleets = [
  { parts: 1, running: 1 },
  { parts: 2, running: 2 },
  { parts: 4, running: 4 },
  { parts: 2, running: 1 },
  { parts: 4, running: 1 },
  { parts: 16, running: 1 },
] as const;

export const work: Work = {
  summary: 'a run divided into parts: as processes of one machine, and one part alone, as on a machine of its own',
  events: 200_000,
  runs: 3,
  run: async (task) => {
    const { place, events, runs, say } = task;
    const comparisons: Comparison[] = [];
    for (const weight of weights) {
      const title = `run of ${count(events)} events by a ${weight} handler on ${place.engine}`;
      const contenders = fleets.map((fleet) => running(task, weight, fleet));
      comparisons.push(await takeTurns(contenders, { title, unit: 'events/s', runs, say }));
    }
    return comparisons;
  },
};

/** In a store of its own each time: dividing anew what was divided otherwise is another work. */
function running(
  { place, events }: Task,
  weight: (typeof weights)[number],
  { parts, running }: (typeof fleets)[number],
): Contender {
  const name = `fanned_${weight}`;
  const projection = fileURLToPath(new URL(`../projections/fanned-${weight}.mjs`, import.meta.url));
  const runPart = (url: string, part: number) => {
    const divided = parts === 1 ? [] : ['--partition', `${part}/${parts}`];
    const args = ['run', name, '--once', '--projections', projection, ...divided];
    return runEvstore(args, { url, folder: place.folder });
  };
  const alone = running < parts ? `one part of ${parts} alone: the log a second` : undefined;
  return {
    name: alone ?? (parts === 1 ? 'one process' : `${parts} parts in ${parts} processes`),
    run: async () => {
      const store = await place.fillStore(events);
      try {
        const numbers = Array.from({ length: running }, (_, index) => index + 1);
        const seconds = await timed(() => Promise.all(numbers.map((part) => runPart(store.url, part))));
        const [found] = await store.raw.query(
          `select count(*) as rows, coalesce(sum(events), 0) as events, max(events) as most from ${name}`,
        );
        if (alone === undefined) expectEqual('events in the rows', found?.events, events);
        else if (Number(found?.rows) === 0) throw new Wrong('the part made no rows');
        expectEqual('events of an order', found?.most, 10);
        expectEqual('events of all orders', Number(found?.events), Number(found?.rows) * 10);
        return events / seconds;
      } finally {
        await store.remove();
      }
    },
  };
}
