/**
 * A process that drives a saga and is killed. Arguments: URL, file of effects, how the saga ends (`completed` or
 * `compensated`), and the point of the kill: `before:3` or `after:3` is the third event it adds to an instance.
 */

import { runSagas } from '../../../src/saga/run.js';
import { openStoreAt } from '../../../src/store/open.js';
import type { Store } from '../../../src/store/store.js';
import { makeFulfilment } from '../fulfilment-saga.js';

const [url = '', effects = '', ending = 'completed', point = ''] = process.argv.slice(2);
const [moment = '', place = ''] = point.split(':');
const opened = await openStoreAt(url);
let added = 0;

const log = new Proxy(opened.log, {
  get: (target, property) => {
    if (property === 'append') return append;
    const value = Reflect.get(target, property);
    return typeof value === 'function' ? value.bind(target) : value;
  },
});
const store: Store = {
  engine: opened.engine,
  location: opened.location,
  log,
  statistics: opened.statistics,
  projections: opened.projections,
  tables: opened.tables,
  snapshots: opened.snapshots,
  sagas: opened.sagas,
  schema: opened.schema,
  scratch: opened.scratch,
  close: () => opened.close(),
};

async function append(...args: Parameters<Store['log']['append']>) {
  if (!args[0].startsWith('saga:')) return opened.log.append(...args);
  added += 1;
  if (moment === 'before' && added === Number(place)) process.kill(process.pid, 'SIGKILL');
  const result = await opened.log.append(...args);
  if (moment === 'after' && added === Number(place)) process.kill(process.pid, 'SIGKILL');
  return result;
}

const [report] = await runSagas({
  store,
  sagas: [makeFulfilment(effects, ending === 'compensated')],
  once: true,
  signal: new AbortController().signal,
  owner: `worker:${process.pid}`,
});
if (report?.error) throw report.error;
await opened.close();
