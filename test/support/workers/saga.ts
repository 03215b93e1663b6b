/**
 * A process that drives a saga and is killed. Arguments: URL, file of effects, how the saga ends (`completed` or
 * `compensated`), and the point of the kill: `before:3` or `after:3` is the third time that it records facts.
 */

import { runSagas } from '../../../src/saga/run.js';
import { openStoreAt } from '../../../src/store/open.js';
import type { InstanceChange, Store } from '../../../src/store/store.js';
import { makeFulfilment } from '../fulfilment-saga.js';

const [url = '', effects = '', ending = 'completed', point = ''] = process.argv.slice(2);
const [moment = '', place = ''] = point.split(':');
const opened = await openStoreAt(url);
let records = 0;

const sagas = new Proxy(opened.sagas, {
  get: (target, property) => {
    if (property === 'record') return record;
    const value: unknown = Reflect.get(target, property);
    return typeof value === 'function' ? value.bind(target) : value;
  },
});
const store = new Proxy<Store>(opened, {
  get: (target, property) => (property === 'sagas' ? sagas : Reflect.get(target, property)),
});

async function record(changes: readonly InstanceChange[]) {
  records += 1;
  if (moment === 'before' && records === Number(place)) process.kill(process.pid, 'SIGKILL');
  const outcomes = await opened.sagas.record(changes);
  if (moment === 'after' && records === Number(place)) process.kill(process.pid, 'SIGKILL');
  return outcomes;
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
