/** A store with something in it for every member of a report: trouble, names that are hostile, and numbers that are large. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine, InstanceRow } from '../../src/store/store.js';
import { type CliOptions, type CliResult, makeFolder, runCli } from '../support/cli.js';
import { createTestStore, type TestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';

export const hostile = 'Order-\'; drop table events;-- "<b>📦';
/** Of the order with the hostile name, and of what it caused. */
export const causeId = '01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e4f';
export const effectId = '01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e50';
/** Of an event whose cause is not there. */
export const lonelyId = '01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e54';
const lostId = '01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e51';
const circleIds = ['01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e52', '01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e53'] as const;

export interface ReportShop {
  readonly test: TestStore;
  readonly cwd: string;
  /** As a person without evstore would, with their own statement. */
  query(sql: string): Promise<unknown>;
  evstore(...argv: readonly string[]): Promise<CliResult>;
  evstoreWith(options: CliOptions, ...argv: readonly string[]): Promise<CliResult>;
  /** Writes the code of `orders`: version 2 makes other rows, and has other columns. */
  writeOrders(version: 1 | 2): void;
  /** Writes the saga. @param undo what its compensation does */
  writeSaga(undo: string): void;
  cleanup(): Promise<void>;
}

export async function openReportShop(engine: Engine, content: 'full' | 'empty' | 'no schema'): Promise<ReportShop> {
  const test = await createTestStore(engine, { migrated: content !== 'no schema' });
  const cwd = makeFolder();
  const evstoreWith = (options: CliOptions, ...argv: readonly string[]) =>
    runCli([...argv, '--store', test.url], { cwd, ...options });
  const write = (path: string, text: string) => {
    mkdirSync(join(cwd, path, '..'), { recursive: true });
    writeFileSync(join(cwd, path), text);
  };
  const shop: ReportShop = {
    test,
    cwd,
    query: (sql) => test.raw.query(sql),
    evstore: (...argv) => evstoreWith({}, ...argv),
    evstoreWith,
    writeOrders: (version) => write('projections/orders.ts', version === 1 ? orders : newOrders),
    writeSaga: (undo) => write('sagas/shipping.ts', saga(undo)),
    cleanup: () => test.cleanup(),
  };
  write('evstore.config.json', config);
  if (content !== 'full') return shop;
  shop.writeOrders(1);
  shop.writeSaga("throw new Error('no answer')");
  write('projections/others.ts', others);
  write('aggregates/order.ts', aggregate);
  write('reactions/billing.ts', reaction);
  write('broken/broken.ts', "throw new Error('half written');\n");
  write('impure/impure.ts', impure);
  write(
    'newer/carts.ts',
    `export const carts = { ...${define('carts', 'Cart', `CartFilled: ${counts}`, "mode: 'inline', ")}, version: 2 };\n`,
  );
  write('renamed/renamed.ts', `export const renamed = ${define('renamed', 'Order', `OrderPlaced: ${counts}`)};\n`);
  write('events.ndjson', events.map((event) => `${JSON.stringify(event)}\n`).join('') + bigNumbers);
  await fill(shop);
  return shop;
}

async function fill(shop: ReportShop): Promise<void> {
  const { test, evstore, query } = shop;
  await expectCode(0, evstore('import', 'events.ndjson'));
  await expectCode(0, evstore('append', 'Cart-1', '--type', 'CartFilled', '--inline'));
  await expectCode(0, evstore('run', 'orders', '--once'));
  await expectCode(0, evstore('run', 'parked_orders', '--once', '--on-error', 'park'));
  await expectCode(9, evstore('run', 'failing_orders', '--once'));
  await expectCode(0, evstore('run', 'divided', '--once', '--partition', '1/2'));
  await expectCode(1, evstore('run', 'shipping', '--once', '--sagas'));
  await startInstance(test);
  await query('create view paid_orders as select order_id, total from orders where paid = true');
  await query("insert into subscription_checkpoints (subscription_id, last_position) values ('mailer 📮', 4)");
  await query(`insert into snapshots (stream_id, stream_type, snapshot_data, version)
    values ('Order-1', 'Order', '{"total":12345678901234567890}', 1), ('Ghost-1', 'Ghost', '[]', 9)`);
}

const aggregate = `export const order = { kind: 'aggregate', name: 'order', category: 'Order', version: 1,
  initial: () => ({ events: 0 }), evolve: { '*': ({ events }) => ({ events: events + 1 }) }, snapshot: { every: 1 } };`;

const reaction =
  "export const billing = { kind: 'reaction', name: 'billing', on: 'ParcelHandedIn', react: () => undefined };\n";

/** As a process leaves it that ended in the middle of the first step. */
async function startInstance({ store }: TestStore): Promise<void> {
  const [instance, type] = ['Parcel-running', 'ParcelHandedIn'];
  const event = makeEvent({ type, data: '{}' });
  const { globalPosition } = await append(store, instance, [event]);
  const trigger = { id: event.id, type, streamId: instance, globalPosition };
  const definition = (await store.sagas.count('shipping'))[0]?.definition ?? '';
  const correlationId = event.id;
  const started = { saga: 'shipping', sagaVersion: 1, definition, instance, correlationId, trigger };
  const step = { step: 'reserve', attempt: 1, idempotencyKey: `${instance}/reserve`, compensation: true };
  const events = [
    makeEvent({ type: 'SagaStarted', data: JSON.stringify(started) }),
    makeEvent({ type: 'StepStarted', data: JSON.stringify(step) }),
  ];
  const row: InstanceRow = {
    saga: 'shipping',
    instance,
    sagaVersion: 1,
    definition,
    phase: 'running',
    step: 'reserve',
    attempt: 1,
    triggerPosition: globalPosition,
    correlationId,
    error: null,
    reason: null,
    waitKey: null,
    due: { inMs: 0 },
  };
  const waiting = { ...row, saga: 'paying', instance: 'Parcel-waiting', phase: 'waiting', step: 'payment' } as const;
  const facts: [string, object][] = [
    ['SagaStarted', { ...started, saga: waiting.saga, instance: waiting.instance }],
    ['WaitStarted', { step: 'payment', types: ['Paid'], key: instance, timeoutMs: 3_600_000 }],
    ['WaitSearched', { step: 'payment', upTo: globalPosition }],
  ];
  await store.sagas.record([
    { streamId: `saga:shipping-${instance}`, version: 0, events, row },
    {
      streamId: 'saga:paying-Parcel-waiting',
      version: 0,
      events: facts.map(([factType, data]) => makeEvent({ type: factType, data: JSON.stringify(data) })),
      row: { ...waiting, waitKey: instance, due: { inMs: 3_600_000 } },
    },
  ]);
}

async function expectCode(code: number, running: Promise<CliResult>): Promise<void> {
  const result = await running;
  if (result.code !== code) throw new Error(`exit code ${result.code} instead of ${code}: ${result.stderr}`);
}

const config = JSON.stringify({
  projections: ['projections/*.ts'],
  stores: {
    archive: { url: 'sqlite:./archive.db', protected: true },
    replica: { url: 'postgres://app:geheim@localhost/shop', schema: 'shop' },
  },
});

const orders = `export const orders = { name: 'orders', version: 1, category: 'Order',
  upcasters: [{ type: 'OrderPlaced', from: 1, to: 2, up: (data) => ({ ...data, upcast: true }) }],
  table: { columns: { orderId: 'text', events: 'integer', total: 'bigint', note: 'text', paid: 'boolean' }, key: 'orderId', indexes: ['total'] },
  on: {
    OrderPlaced: (row, { data }) => ({ events: (row?.events ?? 0) + 1, total: data.total, note: data.note ?? null, paid: false }),
    OrderPaid: (row) => ({ ...row, events: row.events + 1, paid: true }),
    OrderRemoved: () => null,
  },
};\n`;

/** Counts otherwise, keeps an order that was removed, and leaves one out. */
const newOrders = `import { sql } from 'evstore';\nexport const orders = { name: 'orders', version: 2, category: 'Order',
  table: { columns: { orderId: 'text', events: 'integer', total: 'bigint', paid: 'boolean', remark: 'text' }, key: 'orderId', indexes: ['total'] },
  on: {
    OrderPlaced: (row, { streamId, data }) => streamId === 'Order-2' ? null : ({ events: (row?.events ?? 0) + 10, total: data.total, paid: false, remark: 'new' }),
    OrderPaid: (row) => row && ({ ...row, events: row.events + 1, paid: true }),
  },
  validate: () => sql\`select stream_id, version from snapshots where stream_type = 'Ghost'\`,
};\n`;

const table = `{ columns: { orderId: 'text', events: 'integer' }, key: 'orderId' }`;
const counts = '(row) => ({ events: (row?.events ?? 0) + 1 })';
const throws = "() => { throw new TypeError('no tariff\\n  of this order'); }";
/** Leads nowhere for an order with a note. */
const strictUpcaster =
  "upcasters: [{ type: 'OrderPlaced', from: 1, to: 2, up: (data) => { if (data.note) throw new Error('no such shape'); return data; } }], ";
const others = [
  ['parked_orders', 'Order', `OrderPlaced: ${counts}, OrderPaid: ${throws}, OrderRemoved: ${counts}`],
  ['failing_orders', 'Order', `OrderPlaced: ${counts}, OrderPaid: ${throws}`],
  ['carts', 'Cart', `CartFilled: ${counts}`, "mode: 'inline', "],
  ['divided', 'Order', `OrderPlaced: ${counts}`],
  ['never_run', 'Order', `OrderPlaced: ${counts}`, strictUpcaster],
]
  .map(
    ([name = '', category = '', on = '', more = '']) => `export const ${name} = ${define(name, category, on, more)};\n`,
  )
  .join('');

function define(name: string, category: string, on: string, more = ''): string {
  return `{ name: '${name}', version: 1, ${more}category: '${category}', table: ${table}, on: { ${on} } }`;
}

const impure = `export const impure = { name: 'impure', version: 1, category: 'Order', table: ${table}, on: {
  OrderPlaced: () => ({ events: Math.floor(Math.random() * 1000000) }) } };\n`;

function saga(undo: string): string {
  return `export default { kind: 'saga', name: 'shipping', version: 1, startOn: 'ParcelHandedIn',
    classify: ({ message }) => (message === 'sold out' ? 'not-applied' : 'unknown'), steps: [
    { kind: 'action', name: 'reserve', retries: 0,
      action: ({ trigger }) => { if (trigger.data.end === 'failed') throw new Error('sold out'); },
      compensate: ({ trigger }) => { if (trigger.data.end === 'compensation-failed') { ${undo} } } },
    { kind: 'action', name: 'ship', retries: 0, action: ({ trigger }) => {
      if (String(trigger.data.end).startsWith('compensat')) throw new Error('too far');
    } } ] };\n`;
}

const bigTotal = 9_007_199_254_740_993n;

const events = [
  { streamId: 'Order-1', type: 'OrderPlaced', data: { total: 1, note: 'zażółć\t\u001b[31m' } },
  { streamId: hostile, type: 'OrderPlaced', id: causeId, data: { total: 2 }, metadata: { correlationId: 'a "case"' } },
  { streamId: 'Order-1', type: 'OrderPaid', data: {} },
  { streamId: 'Order-1', type: 'OrderRemoved', data: {} },
  { streamId: 'Order-2', type: 'OrderPlaced', data: { total: 3 }, createdAt: '2020-01-31T09:30:00.123456Z' },
  { streamId: 'Order-3', type: 'OrderPlaced', id: lonelyId, data: { total: 4 }, metadata: { causationId: lostId } },
  { streamId: 'Order-3', type: 'OrderPaid', id: effectId, data: {}, metadata: { causationId: causeId } },
  { streamId: hostile, type: 'OrderPaid', data: {}, schemaVersion: 3, metadata: { causationId: causeId } },
  {
    streamId: 'Note-1',
    type: 'ToldInACircle',
    id: circleIds[0],
    data: [1, null],
    metadata: { causationId: circleIds[1] },
  },
  {
    streamId: 'Note-1',
    type: 'ToldInACircle',
    id: circleIds[1],
    data: 'text',
    metadata: { causationId: circleIds[0] },
  },
  { streamId: 'Note-2', type: 'OrderPlaced', data: { total: 1, list: [], object: {} } },
  ...['completed', 'compensated', 'failed', 'compensation-failed'].map((end) => {
    return { streamId: `Parcel-${end}`, type: 'ParcelHandedIn', data: { end }, streamType: '' };
  }),
];

export const circleId = circleIds[0];

/** JSON that a parser would round. */
const bigNumbers = [
  `{"streamId":"Order-4","type":"OrderPlaced","data":{"total":${bigTotal}}}`,
  `{"streamId":"Note-3","type":"NumbersSeen","data":{"whole":${bigTotal}12345,"fraction":0.1234567890123456789,"huge":1e300}}`,
  '',
].join('\n');
