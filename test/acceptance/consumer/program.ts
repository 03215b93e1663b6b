/** A program of a user: everything `evstore` and `evstore/testing` offer, typed strictly, run as ES module and CommonJS. */
import {
  type Config,
  defineAggregate,
  defineConfig,
  defineExternalProjection,
  defineProjection,
  defineReaction,
  defineSaga,
  defineSqlProjection,
  defineUpcaster,
  type EventStore,
  EvstoreError,
  isEvstoreError,
  NotApplied,
  openStore,
  type SqlValue,
  sql,
  type TableIdentifiers,
} from 'evstore';
import {
  aggregateScenario,
  externalScenario,
  given,
  projectionScenario,
  reactionScenario,
  sagaScenario,
} from 'evstore/testing';

// Exported without a type of their own: `declaration` then has to name every type they are made of.
export const config = defineConfig({ store: 'sqlite::memory:' });

export const totals = defineProjection({
  name: 'totals',
  version: 1,
  table: { columns: { orderId: 'text', total: 'bigint', note: 'json' }, key: 'orderId', indexes: ['total'] },
  on: {
    OrderPlaced: (_row, { data }) => ({ total: data.total }),
    OrderPaid: (row, event) => ({ ...row, note: { paidAt: event.createdAt } }),
  },
});

export const counts = defineSqlProjection({
  name: 'counts',
  version: 1,
  tables: ['count_by_type'],
  create: (t) => sql`create table ${t.count_by_type} (type text primary key, events integer not null)`,
  on: { OrderPlaced: ({ type }, t) => addOne(t, type) },
});

function addOne(t: TableIdentifiers<'count_by_type'>, type: SqlValue) {
  return sql`insert into ${t.count_by_type} (type, events) values (${type}, 1)`;
}

const written = new Map<string, string[]>();
export const search = defineExternalProjection({
  name: 'search',
  version: 1,
  types: ['OrderPlaced'],
  open: ({ name, isNew }) => {
    if (isNew) written.set(name, []);
    return written;
  },
  write: (connection, { events }, { name }) => {
    connection.set(name, [...new Set([...(connection.get(name) ?? []), ...events.map(({ streamId }) => streamId)])]);
  },
  promote: () => undefined,
  drop: ({ name }) => written.delete(name),
});

export const ship = defineSaga({ name: 'ship', version: 1, startOn: 'OrderPlaced' })
  .step('reserve', {
    action: async ({ trigger, append, record }) => {
      await record({ order: trigger.streamId });
      await append(`Stock-${trigger.streamId}`, { type: 'StockReserved', data: {} });
      return { shelf: 3, at: new Date(0) };
    },
    compensate: ({ trigger, append, result }) => {
      const shelf: number | undefined = result?.shelf;
      return append(`Stock-${trigger.streamId}`, { type: 'StockReleased', data: { shelf: shelf ?? null } });
    },
  })
  .waitFor('payment', { type: ['OrderPaid', 'OrderSettled'], timeout: '3d', onTimeout: 'continue' })
  .sleep('cool-off', ({ results }) => new Date(Date.parse(results.reserve.at) + 1_000))
  .step('send', {
    timeout: '30s',
    action: ({ results }) => {
      const shelf: number = results.reserve.shelf;
      // @ts-expect-error no step of this name came before
      assert(results.unknown === undefined);
      if (shelf === 0) throw new NotApplied('the shelf is empty', { final: true });
    },
  });

export const basket = defineAggregate({
  name: 'basket',
  category: 'Basket',
  version: 1,
  initial: () => ({ items: 0 }),
  evolve: { ItemAdded: ({ items }, { data }) => ({ items: items + data.count }) },
  decide: ({ items }, { count }: { count: number }) =>
    items + count > 9 ? [] : { type: 'ItemAdded', data: { count } },
  snapshot: { every: 2 },
});

export const bill = defineReaction({
  name: 'bill',
  on: ['OrderPlaced', 'OrderPaid'],
  react: async ({ type, streamId, data }, { hops }) => {
    if (type === 'OrderPaid') return;
    return [
      { streamId: `Bill-${streamId}`, type: 'BillSent', data: { total: data.total, hops }, expectedVersion: 'none' },
    ];
  },
});

export const upcaster = defineUpcaster({ type: 'OrderMoved', from: 1, to: 2, up: (data) => data });

export const scenario = projectionScenario(totals);
export const tried = sagaScenario(ship);
export const reacted = reactionScenario(bill);

export async function work(settings: Config): Promise<EventStore> {
  const store = await openStore(settings.store ?? 'sqlite::memory:', { create: true, upcasters: [upcaster] });
  const result = await store.append('Order-1', [{ type: 'OrderPlaced', data: { total: 3 } }], {
    expectedVersion: 'none',
  });
  for await (const event of store.readStream('Order-1')) assert(event.data.total === 3 && result.version === 1);
  for await (const { data } of store.readAll({ text: true })) assert(data === '{"total":3}');
  for await (const batch of store.subscribe({ name: 'mailer', batchSize: 10 })) {
    const [first] = batch.events;
    assert(batch.caughtUp && first?.data.total === 3 && batch.position === 1);
    await batch.acknowledge();
    break;
  }
  assert((await store.waitFor('subscription:mailer', { position: result.globalPosition })) === 1);
  return store;
}

/** Compiled only: columns decide the types of keys and rows. */
export async function readTotal(store: EventStore): Promise<number | null | undefined> {
  const rows = store.rows(totals);
  const row = await rows.get('Order-1');
  const orderId: string | undefined = row?.orderId;
  const found = await rows.find({ where: `order_id = '${orderId}'`, limit: 1 });
  // @ts-expect-error a key of text is no number
  await rows.get(1);
  return found[0]?.total ?? row?.total;
}

function assert(condition: boolean): asserts condition {
  if (!condition) throw new EvstoreError('E_CHECK_FAILED', 'the program does not work');
}

async function main(): Promise<void> {
  const placed = given('Order-1', 'OrderPlaced', { total: 3 });
  await scenario.given(placed).thenRows([{ orderId: 'Order-1', total: 3 }]);
  await externalScenario(search)
    .given(placed)
    .thenRead((connection, target) => assert(connection.get(target.name)?.[0] === 'Order-1'));
  aggregateScenario(basket).when({ count: 2 }).thenState({ items: 2 });
  assert((await tried.given(placed).run()).phase === 'completed');
  await reacted
    .when(placed, given('Order-1', 'OrderPaid', {}))
    .thenAppends({ streamId: 'Bill-Order-1', data: { total: 3, hops: 0 } });
  const store = await work(config);
  const refused = await store.append('Order-1', [{ type: 'A', data: {} }], { expectedVersion: 'none' }).catch(codeOf);
  assert(refused === 'E_VERSION_CONFLICT');
  for (const count of [4, 4, 4]) await store.handle(basket, '1', { count }, { correlationId: 'c' });
  const { state, version } = await store.load(basket, '1');
  assert(state.items === 8 && version === 2);
  await store.close();
  process.stdout.write('everything works\n');
}

function codeOf(error: unknown): string {
  return isEvstoreError(error) ? error.code : String(error);
}

void main();
