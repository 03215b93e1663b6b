/** A rebuild, step by step, over and over; each step is announced before it is taken. Arguments: URL, first version. */
import { openStoreAt } from '../../../src/store/open.js';
import { checkpointOf, registration, request, runToHead, takeLease, totals, totalsModel } from '../read-models.js';

const [url = '', firstVersion = '2'] = process.argv.slice(2);
const store = await openStoreAt(url);
const { projections } = store;
const say = (step: string) => process.stdout.write(`${step}\n`);
const steal = { ...request, owner: `worker:${process.pid}`, steal: true };

for (let version = Number(firstVersion); ; version++) {
  say('plan');
  const plan = { projection: totals.name, version, codeHash: `hash-${version}`, tables: [totals.name] };
  const { rebuild, lease } = await projections.startRebuild(plan, steal);
  say('create');
  const filling = await projections.createRebuildTables(rebuild, lease, totalsModel);
  say('fill');
  const table = filling.tables[0]?.built ?? '';
  await runToHead(store, { ...lease, position: 0 }, { table, side: 'built', batchSize: 10 });
  say('finish');
  const ready = await projections.finishFill(filling, lease, totalsModel);
  say('swap');
  const live = await takeLease(store, checkpointOf(registration.name), steal);
  const options = { lockTimeoutMs: 5_000, keepOldMs: 0 };
  const swapped = await projections.swap(ready, { rebuild: lease, live }, options);
  say('retire');
  await projections.retire(swapped);
}
