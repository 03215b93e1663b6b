/** A writer whose appends write the rows too. Arguments: URL, stream, version of the code. One line an append. */
import { openStoreAt } from '../../../src/store/open.js';
import { makeEvents } from '../events.js';
import { appendInline, tracesOf } from '../inline-models.js';

const [url = '', streamId = '', version = '1'] = process.argv.slice(2);
const store = await openStoreAt(url);
for (let round = 0; ; round += 1) {
  const { globalPosition } = await appendInline(
    store,
    [tracesOf(Number(version))],
    `${streamId}-${round % 3}`,
    makeEvents(2),
  );
  await new Promise((resolve) => process.stdout.write(`${globalPosition}\n`, resolve));
}
