/**
 * Subscribes to the event store and starts a workflow for each event that starts a saga, until SIGINT or SIGTERM.
 *
 *   EVSTORE_URL=postgres://localhost/app npx tsx starter.ts --after 0
 *
 * `--after` is a global position: 0 handles the whole log, and a later run takes the last position that was printed.
 * Events that are handled twice do no harm, because the id of the workflow is that of the saga, and Temporal starts it
 * once. This ends with the retention of the namespace, when Temporal forgets ended workflows: never start from before it.
 */
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { openStore } from 'evstore';
import { startSagas } from './start-sagas.js';

const { after: text = '' } = parseArgs({ options: { after: { type: 'string' } } }).values;
if (!/^\d+$/.test(text)) throw new Error('give the position to start after: --after 0 handles the whole log');
const { EVSTORE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = process.env;
if (EVSTORE_URL === undefined) throw new Error('set EVSTORE_URL to the address of the event store');

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

const connection = await Connection.connect({ address: TEMPORAL_ADDRESS ?? 'localhost:7233' });
const store = await openStore(EVSTORE_URL);
try {
  const client = new Client({ connection, namespace: TEMPORAL_NAMESPACE ?? 'default' });
  await startSagas(store, client.workflow, {
    // The checkpoint: the position after which this run starts. To keep it elsewhere, read it here and save it in `report`.
    after: Number(text),
    signal: stop.signal,
    report: ({ workflowId, isNew, position }) => {
      process.stdout.write(`${position}\t${isNew ? 'started' : 'known'}\t${workflowId}\n`);
    },
  });
} finally {
  await store.close();
  await connection.close();
}
