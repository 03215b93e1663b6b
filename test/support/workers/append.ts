/** A writer: says what it is about to append and what was acknowledged. Arguments: URL, stream, appends, events each. */
import { openStoreAt } from '../../../src/store/open.js';
import { makeEvents } from '../events.js';

const [url = '', streamId = '', appends = '1', size = '1'] = process.argv.slice(2);
const store = await openStoreAt(url);
// The monotonic clock is one for all processes of a machine. A line must be out before the next step is taken.
const say = (line: object) => {
  const text = `${JSON.stringify({ ...line, at: Number(process.hrtime.bigint()) })}\n`;
  return new Promise((resolve) => process.stdout.write(text, resolve));
};
for (let round = 0; round < Number(appends); round++) {
  const events = makeEvents(Number(size));
  await say({ invoke: events.map(({ id }) => id) });
  const result = await store.log.append(streamId, events, 'any');
  await say({ ok: result.events });
}
await store.close();
