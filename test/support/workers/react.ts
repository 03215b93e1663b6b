/**
 * A process that runs a reaction and may be killed. Arguments: URL, `once` or `follow`, and the point of the kill: `before:3`
 * or `after:3` is its third append, `stored:1` the first move of its checkpoint.
 */
import { defineReaction } from '../../../src/reaction/definition.js';
import { runReactions } from '../../../src/reaction/run.js';
import { openStoreAt } from '../../../src/store/open.js';
import type { Store } from '../../../src/store/store.js';

const [url = '', mode = 'once', point = ''] = process.argv.slice(2);
const opened = await openStoreAt(url);
const counts = new Map<string, number>();

/** Dies at its point. */
function pass(moment: string): void {
  const count = (counts.get(moment) ?? 0) + 1;
  counts.set(moment, count);
  if (point === `${moment}:${count}`) process.kill(process.pid, 'SIGKILL');
}

function replace<Part extends object>(part: Part, method: keyof Part, by: unknown): Part {
  return new Proxy(part, {
    get: (target, property) => {
      if (property === method) return by;
      const value = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const store: Store = {
  ...{ engine: opened.engine, location: opened.location, statistics: opened.statistics, tables: opened.tables },
  ...{ snapshots: opened.snapshots, schema: opened.schema, scratch: opened.scratch, sagas: opened.sagas },
  log: replace(opened.log, 'append', async (...args: Parameters<Store['log']['append']>) => {
    pass('before');
    const result = await opened.log.append(...args);
    pass('after');
    return result;
  }),
  projections: replace(opened.projections, 'apply', async (...args: Parameters<Store['projections']['apply']>) => {
    await opened.projections.apply(...args);
    pass('stored');
  }),
  close: () => opened.close(),
};

// Each attempt decides something different: what was appended first has to stay.
const reaction = defineReaction({
  name: 'billing',
  on: 'OrderPlaced',
  react: ({ streamId, version }) =>
    ['Invoice', 'Mail'].map((kind) => ({
      streamId: `${kind}-${streamId}`,
      type: `${kind}Requested`,
      data: { version, attempt: `${process.pid} ${Math.random()}` },
    })),
});

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const [report] = await runReactions({
  ...{ store, reactions: [reaction], once: mode === 'once', signal: stop.signal },
  ...{ owner: `worker:${process.pid}`, batchSize: 4 },
});
if (report?.error) throw report.error;
await opened.close();
