/**
 * Appends and imports until it is killed. Says what it is about to do, then that it is done. Arguments: URL, name, and
 * for a limited time the number of rounds.
 */
import { writeSync } from 'node:fs';
import { newEventId } from '../../../src/domain/uuid.js';
import { openStoreAt } from '../../../src/store/open.js';
import type { ImportedEvent } from '../../../src/store/store.js';

const [url = '', name = '', rounds = 'Infinity'] = process.argv.slice(2);
const store = await openStoreAt(url);
const say = (line: object) => writeSync(1, `${JSON.stringify({ ...line, at: Number(process.hrtime.bigint()) })}\n`);

for (let round = 0; round < Number(rounds); round++) {
  const streamId = round % 3 === 0 ? 'shared-1' : `${name}-${round % 4}`;
  const events = Array.from({ length: 1 + (round % 4) }, (_, place) =>
    makeEvent(place % 2 === 0 ? streamId : `${name}-x`),
  );
  if (round % 2 === 0) {
    say({ streamId, ids: events.map(({ id }) => id) });
    const result = await store.log.append(streamId, events, 'any');
    say({ ok: result.events });
  } else {
    say({ imported: events, ids: events.map(({ id }) => id) });
    await store.log.importEvents(events, { conflict: 'fail' });
    say({ ok: [] });
  }
}
await store.close();

function makeEvent(streamId: string): ImportedEvent {
  return { id: newEventId(), streamId, type: 'Written', schemaVersion: 1, data: '{"n":1}', metadata: '{}' };
}
