/** One append, started together with others by a line on stdin. Arguments: URL, stream, expected version, event id. */
import { once } from 'node:events';
import { isEvstoreError } from '../../../src/domain/errors.js';
import type { ExpectedVersion } from '../../../src/domain/event.js';
import { openStoreAt } from '../../../src/store/open.js';

const [url = '', streamId = '', expected = 'any', id = ''] = process.argv.slice(2);
const store = await openStoreAt(url);
await store.schema.assertReady();
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
const version = (/^\d+$/.test(expected) ? Number(expected) : expected) as ExpectedVersion;
try {
  const event = { id, type: 'Contended', schemaVersion: 1, data: '{}', metadata: '{}' };
  const result = await store.log.append(streamId, [event], version);
  process.stdout.write(`${JSON.stringify({ version: result.version, deduplicated: result.deduplicated })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ code: isEvstoreError(error) ? error.code : String(error) })}\n`);
}
await store.close();
