/** What one asks of a store that works: the answers may not take longer because the log is long. */
import { fileURLToPath } from 'node:url';
import { runEvstore } from '../evstore.js';
import { atMost, type Contender, takeTurns, Wrong } from '../measure.js';
import type { PlacedStore } from '../place.js';
import type { Comparison } from '../report.js';
import { orderTotals } from './rebuild.js';
import { count, type Task, type Work } from './work.js';

const few = 10_000;
const behind = 1_000;
const keyed = fileURLToPath(new URL('../projections/keyed-1m.mjs', import.meta.url));
const commands = [['lag'], ['checkpoints'], ['doctor'], ['streams', '-n', '20']] as const;

export const work: Work = {
  summary: `evstore lag, checkpoints, doctor and streams -n 20, against the same on ${count(few)} events`,
  events: 10_000_000,
  runs: 7,
  run: async (task) => {
    const { place, events, runs, say } = task;
    const stores: PlacedStore[] = [];
    try {
      const [long, short] = [await makeStore(task, events, stores), await makeStore(task, few, stores)];
      const comparisons: Comparison[] = [];
      for (const args of commands) {
        const title = `evstore ${args.join(' ')} on ${place.engine}`;
        const contenders = [
          asking(task, long, args, `on ${count(events)} events`),
          { ...asking(task, short, args, `on ${count(few)} events`), target: atMost(2) },
        ];
        comparisons.push(await takeTurns(contenders, { title, unit: 'ms', runs, say }));
      }
      return comparisons;
    } finally {
      for (const store of stores) await store.remove();
    }
  },
};

/** With a projection that is a thousand events behind, and one of a category that has not begun. */
async function makeStore({ place }: Task, events: number, stores: PlacedStore[]): Promise<PlacedStore> {
  const { folder } = place;
  const store = await place.fillStore(events, ({ url }) =>
    runEvstore(['run', '--once', '--projections', orderTotals, keyed], { url, folder }),
  );
  stores.push(store);
  const position = String(events - behind);
  await runEvstore(['checkpoints', 'set', 'order_totals', '--to', position, '--execute', '--yes'], {
    url: store.url,
    folder,
  });
  return store;
}

function asking({ place }: Task, { url }: PlacedStore, args: readonly string[], name: string): Contender {
  return {
    name,
    run: async () => {
      const { seconds, stdout } = await runEvstore([...args, '--json'], { url, folder: place.folder });
      verifyAnswer(args, stdout);
      return seconds * 1000;
    },
  };
}

/** @throws Wrong when it is not what such a store is like */
function verifyAnswer([name]: readonly string[], stdout: string): void {
  const isRight = {
    lag: () => new RegExp(`"lag":\\s*${behind}\\b`).test(stdout) && /"keyed_1m"/.test(stdout),
    checkpoints: () => /"order_totals"/.test(stdout) && /"keyed_1m"/.test(stdout),
    doctor: () => !/"severity":\s*"error"/.test(stdout),
    streams: () => stdout.match(/"streamId"/g)?.length === 20,
  }[name as 'lag' | 'checkpoints' | 'doctor' | 'streams'];
  if (!isRight()) throw new Wrong(`evstore ${name} answered ${stdout.slice(0, 500)}`);
}
