/** Makes the schema. Argument: URL. */
import { openStoreAt } from '../../../src/store/open.js';

const store = await openStoreAt(process.argv[2] ?? '', { create: true });
await store.schema.status();
process.stdout.write('ready\n');
await store.schema.migrate();
process.stdout.write('done\n');
await store.close();
