/** Spoils every row of the orders in one transaction and repairs them, over and over. Argument: URL. */
import { tallyIds } from '../../../src/domain/audit.js';
import { keyOf } from '../../../src/projection/define/columns.js';
import { isTableProjection } from '../../../src/projection/define/prepare.js';
import { repairRows } from '../../../src/projection/repair/repair.js';
import { openStoreAt } from '../../../src/store/open.js';
import { orderSummary, prepare } from '../../projection/orders.js';
import { checkpointOf, takeLease } from '../read-models.js';

const [url = ''] = process.argv.slice(2);
const store = await openStoreAt(url);
// Functions read otherwise in this process: the code is said to be the one that made the rows.
const [record] = await store.projections.list();
const projection = { ...prepare(orderSummary), codeHash: record?.codeHash ?? '' };
if (!isTableProjection(projection)) throw new Error('no rows to repair');
const { spec } = projection.shape;
const owner = `worker:${process.pid}`;
const say = (step: string) => process.stdout.write(`${step}\n`);
const keys = (await store.log.streams()).map(({ streamId }) => ({ order_id: streamId }));

for (;;) {
  const rows = await store.projections.readRows(spec.name, spec, keys);
  const lease = await takeLease(store, checkpointOf(spec.name), { owner, ttlMs: 60_000, steal: true });
  await store.projections.apply({
    lease,
    from: lease.position,
    to: lease.position,
    lastEventId: null,
    seen: { filter: projection.filter, ...tallyIds([]) },
    changes: {
      kind: 'rows',
      spec,
      table: spec.name,
      upserts: rows.map((row) => ({ ...keyOf(projection.shape, row).columns, events: -1, total: -1 })),
      deletes: [],
    },
  });
  say('spoiled');
  await repairRows({
    store,
    projection,
    scope: { kind: 'category', category: 'Order' },
    owner,
    dryRun: false,
    samples: 0,
    maxWaitMs: 10_000,
    signal: new AbortController().signal,
  });
  say('repaired');
}
