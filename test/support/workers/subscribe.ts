/**
 * A process that handles batches of a named subscription and may be killed. Arguments: URL, the file in which it writes what
 * it handled, and the point of the kill: `handled:2` before the second batch is acknowledged, `stored:2` after it.
 */
import { appendFileSync } from 'node:fs';
import { openStore } from '../../../src/library/event-store.js';

const [url = '', file = '', point = ''] = process.argv.slice(2);
const store = await openStore(url);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
let batches = 0;

for await (const { events, caughtUp } of store.subscribe({ name: 'mailer', batchSize: 3, signal: stop.signal })) {
  if (point === `stored:${batches}`) process.kill(process.pid, 'SIGKILL');
  for (const { streamId, version } of events) appendFileSync(file, `${streamId}@${version}\n`);
  batches += 1;
  if (point === `handled:${batches}`) process.kill(process.pid, 'SIGKILL');
  if (point === 'end' && caughtUp) stop.abort();
}
await store.close();
