/**
 * Runs the workflows and their activities, until SIGINT or SIGTERM.
 *
 *   SERVICE_URL=https://services.example npx tsx worker.ts
 *
 * TEMPORAL_ADDRESS (default `localhost:7233`) and TEMPORAL_NAMESPACE (default `default`) say where Temporal is.
 */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from './activities.js';
import { taskQueue } from './saga.js';

const { SERVICE_URL: serviceUrl, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = process.env;
if (serviceUrl === undefined) throw new Error('set SERVICE_URL to the address of the service that does the steps');

const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS ?? 'localhost:7233' });
try {
  const worker = await Worker.create({
    connection,
    namespace: TEMPORAL_NAMESPACE ?? 'default',
    taskQueue,
    // `.ts` under tsx, `.js` when compiled.
    workflowsPath: fileURLToPath(new URL(`./workflow${extname(import.meta.url)}`, import.meta.url)),
    activities: createActivities({ serviceUrl }),
  });
  await worker.run();
} finally {
  await connection.close();
}
