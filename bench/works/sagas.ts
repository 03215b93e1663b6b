/** `evstore run --once --sagas`: sagas of five steps that do nothing, so that what is timed is the engine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runEvstore } from '../evstore.js';
import { type Contender, expectEqual, takeTurns, timed } from '../measure.js';
import type { PlacedStore } from '../place.js';
import { count, type Task, type Work } from './work.js';

const steps = 5;

export const work: Work = {
  summary: 'sagas of five steps that do nothing, whose triggers are in the log already',
  events: 1_000,
  runs: 3,
  run: async (task) => {
    const { place, events, runs, say } = task;
    const file = fileURLToPath(new URL('../sagas/five-steps.mjs', import.meta.url));
    writeFileSync(join(place.folder, 'evstore.config.mjs'), `export default ${JSON.stringify({ sagas: file })};\n`);
    const title = `${count(events)} sagas of ${steps} steps on ${place.engine}`;
    return [await takeTurns([running(task)], { title, unit: 'steps/s', runs, say })];
  },
};

function running({ place, events }: Task): Contender {
  return {
    name: 'evstore run --once --sagas',
    run: async () => {
      const store = await place.makeStore();
      try {
        await placeOrders(store, place.engine === 'postgres', events);
        await store.settle();
        const seconds = await timed(() =>
          runEvstore(['run', '--once', '--sagas'], { url: store.url, folder: place.folder }),
        );
        const ends = "select count(*) as ended from events where event_type = 'SagaCompleted'";
        expectEqual('sagas that completed', (await store.raw.query(ends))[0]?.ended, events);
        const acts = "select count(*) as acts from events where event_type = 'StepCompleted'";
        expectEqual('steps that completed', (await store.raw.query(acts))[0]?.acts, events * steps);
        return (events * steps) / seconds;
      } finally {
        await store.remove();
      }
    },
  };
}

async function placeOrders({ raw }: PlacedStore, isPostgres: boolean, orders: number): Promise<void> {
  const numbers = isPostgres
    ? `select n from generate_series(1, ${orders}) n`
    : `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${orders}) select n from numbers`;
  await raw.query(`insert into events (stream_id, stream_type, event_type, event_data, version)
    select 'Order-' || n, 'Order', 'OrderPlaced', '{"amount":12}', 1 from (${numbers}) as numbered order by n`);
}
