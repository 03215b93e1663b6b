/** A runner: takes the lease from whoever has it and folds batch after batch. Arguments: URL, batch size. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openStoreAt } from '../../../src/store/open.js';
import { checkpointOf, registration, runBatch, takeLease } from '../read-models.js';

const [url = '', batchSize = '5'] = process.argv.slice(2);
const store = await openStoreAt(url);
const owner = `worker:${process.pid}`;
const lease = await takeLease(store, checkpointOf(registration.name), { owner, ttlMs: 60_000, steal: true });
process.stdout.write('started\n');
for (let position = lease.position; ; ) {
  const next = await runBatch(store, lease, position, { batchSize: Number(batchSize) });
  if (next === position) await sleep(2);
  else process.stdout.write(`${next}\n`);
  position = next;
}
