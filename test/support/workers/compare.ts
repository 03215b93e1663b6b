/** Compares the tables of the only rebuild to their end, and says how many rows differ, and the most memory it had. Argument: URL. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openStoreAt } from '../../../src/store/open.js';

const [url = ''] = process.argv.slice(2);
const store = await openStoreAt(url);
const [rebuild] = await store.projections.rebuilds();
if (rebuild === undefined) throw new Error('there is no rebuild');
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const startedAt = performance.now();
let differences = 0;
for await (const item of store.projections.compareTables(rebuild)) {
  if (item.kind === 'differences') differences += item.added.length + item.removed.length + item.changed.length;
}
const elapsedMs = Math.round(performance.now() - startedAt);
delay.disable();
const heldUpMs = Math.round(delay.max / 1e6);
process.stdout.write(
  `${JSON.stringify({ differences, peakKb: process.resourceUsage().maxRSS, elapsedMs, heldUpMs })}\n`,
);
await store.close();
