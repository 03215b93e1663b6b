/**
 * Appends orders at a pace until it is told to end by SIGTERM. Says what it is about to append, then that it is done.
 * Arguments: URL, name, milliseconds between two appends.
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { newEventId } from '../../../src/domain/uuid.js';
import { openStoreAt } from '../../../src/store/open.js';

const [url = '', name = '', pause = '5'] = process.argv.slice(2);
const store = await openStoreAt(url);
const say = (line: object) => writeSync(1, `${JSON.stringify({ ...line, at: Number(process.hrtime.bigint()) })}\n`);
let isOver = false;
process.once('SIGTERM', () => {
  isOver = true;
});

for (let round = 0; !isOver; round += 1) {
  const streamId = round % 4 === 0 ? `Order-shared-${round % 3}` : `Order-${name}-${Math.floor(round / 5) % 40}`;
  const events = Array.from({ length: 1 + (round % 3) }, () => ({
    id: newEventId(),
    type: 'AmountAdded',
    schemaVersion: 1,
    data: '{"amount":1}',
    metadata: '{}',
  }));
  say({ streamId, ids: events.map(({ id }) => id) });
  const { events: appended } = await store.log.append(streamId, events, 'any');
  say({ ok: appended });
  await sleep(Number(pause));
}
await store.close();
