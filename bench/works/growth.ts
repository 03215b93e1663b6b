/** Whether import, export and rebuild keep their speed on a log that is ten times as long. */
import { atLeast, type Contender, takeTurns } from '../measure.js';
import type { PlacedStore } from '../place.js';
import type { Comparison, Target } from '../report.js';
import { exporting } from './export.js';
import { fillingBare, importing } from './import.js';
import { Rebuilding } from './rebuild.js';
import { count, type Task, type Work } from './work.js';

const bound = atLeast(0.9);

export const work: Work = {
  summary: 'events a second of import, export and rebuild, against those on a tenth of the events',
  events: 10_000_000,
  runs: 3,
  run: async (task) => {
    const shorter: Task = { ...task, events: task.events / 10 };
    const stores: PlacedStore[] = [];
    const comparisons: Comparison[] = [];
    const compare = async (command: string, long: Contender, short: Contender, target?: Target) => {
      const title = `growth of ${command} on ${task.place.engine}`;
      const contenders = [
        renamed(long, `${count(task.events)} events`),
        { ...renamed(short, `${count(shorter.events)} events`), ...(target && { target }) },
      ];
      comparisons.push(await takeTurns(contenders, { title, unit: 'events/s', runs: task.runs, say: task.say }));
    };
    try {
      await compare('import', await importing(task), await importing(shorter), bound);
      // What an index of random keys costs whoever fills it.
      const [bare, shorterBare] = [await fillingBare(task), await fillingBare(shorter)];
      await compare(bare.name, bare, shorterBare);
      for (const each of [task, shorter]) stores.push(await task.place.fillStore(each.events));
      const [long, short] = stores as [PlacedStore, PlacedStore];
      await compare('export', exporting(task, long), exporting(shorter, short), bound);
      await compare('rebuild', new Rebuilding(task, long), new Rebuilding(shorter, short), bound);
      return comparisons;
    } finally {
      for (const store of stores) await store.remove();
    }
  },
};

function renamed(contender: Contender, name: string): Contender {
  const { missing } = contender;
  return { name, missing, prepare: async () => contender.prepare?.(), run: () => contender.run() };
}
