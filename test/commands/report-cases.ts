/** Which command prints which report, and command lines that print each of them on the store of report-shop.ts. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/store/store.js';
import { causeId, circleId, effectId, hostile, lonelyId, type ReportShop } from './report-shop.js';

/** The schemas of each command that prints JSON. A command of the catalog that is not here fails the test. */
export const reports: Readonly<Record<string, readonly string[]>> = {
  init: ['init'],
  'migrate up': ['migrate-up'],
  'migrate status': ['migrate-status'],
  doctor: ['doctor'],
  'config show': ['config-show'],
  'config path': ['config-path'],
  verify: ['verify'],
  append: ['append', 'append-dry-run'],
  read: ['event'],
  tail: ['event'],
  streams: ['streams'],
  show: ['show'],
  trace: ['trace'],
  'types list': ['types'],
  'types generate': ['types-generate'],
  'types check': ['types-check'],
  stats: ['stats'],
  'snapshots list': ['snapshots-list'],
  'snapshots show': ['snapshots-show'],
  'snapshots create': ['snapshots-create'],
  'snapshots delete': ['snapshots-delete'],
  'snapshots verify': ['snapshots-verify'],
  import: ['import'],
  export: ['event', 'export'],
  'projections list': ['projections-list'],
  'projections forget': ['projections-forget'],
  'projections rename': ['projections-rename'],
  run: ['run', 'run-dry-run', 'error'],
  'checkpoints list': ['checkpoints-list'],
  'checkpoints set': ['checkpoints-set'],
  'checkpoints reset': ['checkpoints-reset'],
  'checkpoints delete': ['checkpoints-delete'],
  'checkpoints history': ['checkpoints-history'],
  state: ['state', 'state-history', 'state-diff'],
  rows: ['rows', 'rows-count'],
  'parked list': ['parked-list'],
  'parked show': ['parked-show'],
  'parked retry': ['parked-retry', 'parked-retry-dry-run'],
  'parked discard': ['parked-discard'],
  'saga list': ['saga-list'],
  'saga show': ['saga-show'],
  'saga overdue': ['saga-overdue'],
  'saga cancel': ['saga-cancel'],
  'saga retry': ['saga-retry'],
  lag: ['lag'],
  wait: ['wait'],
  rebuild: ['rebuild', 'rebuild-dry-run', 'progress'],
  repair: ['repair'],
  diff: ['diff', 'diff-dry-run'],
  swap: ['swap'],
  rollback: ['rollback'],
  abort: ['abort'],
  gc: ['gc'],
  'scaffold projection': ['scaffold-projection'],
  'scaffold saga': ['scaffold-saga'],
  'scaffold aggregate': ['scaffold-aggregate'],
  'scaffold upcaster': ['scaffold-upcaster'],
  'scaffold reaction': ['scaffold-reaction'],
  demo: ['demo'],
  explain: ['explain', 'explain-list'],
  version: ['version'],
  bench: ['bench', 'bench-dry-run', 'bench-clean'],
};

/** What these print is not JSON, also with --json. */
export const withoutReport: Readonly<Record<string, string>> = {
  'migrate assert': 'nothing: its exit code is the answer, and an error names what is wrong',
  'migrate sql': 'SQL statements',
  completion: 'a script for a shell, or names',
};

export interface ReportCase {
  readonly argv: readonly string[];
  readonly schema: string;
  /** Default 0. Any other is that of an error, which must fit its schema. */
  readonly code?: number;
  /** It says so without an error. */
  readonly isQuiet?: boolean;
  /** What each line of `-o ndjson` fits: an item of the list. */
  readonly lines?: string;
  /** Returns what puts it back. */
  readonly before?: (shop: ReportShop) => unknown;
  readonly only?: Engine;
}

/** On a store without events as well. */
export const readers: readonly ReportCase[] = [
  { argv: ['migrate', 'status'], schema: 'migrate-status', lines: '#/properties/migrations/items' },
  { argv: ['migrate', 'up'], schema: 'migrate-up' },
  { argv: ['init', '--no-config'], schema: 'init' },
  { argv: ['config', 'show', '--sources'], schema: 'config-show', lines: '#/properties/settings/items' },
  { argv: ['config', 'path'], schema: 'config-path' },
  { argv: ['verify'], schema: 'verify', lines: '#/properties/findings/items' },
  { argv: ['read'], schema: 'event' },
  { argv: ['tail', '--no-follow'], schema: 'event' },
  { argv: ['export'], schema: 'event' },
  { argv: ['export', '--to', 'all.ndjson'], schema: 'export' },
  { argv: ['export', '--dry-run'], schema: 'export' },
  { argv: ['streams'], schema: 'streams', lines: '#/properties/streams/items' },
  { argv: ['streams', '--sort', 'size'], schema: 'streams', lines: '#/properties/streams/items' },
  { argv: ['types'], schema: 'types', lines: '#/properties/types/items' },
  { argv: ['stats'], schema: 'stats', lines: '#/properties/byDay/items' },
  { argv: ['snapshots', 'list'], schema: 'snapshots-list', lines: '#/properties/snapshots/items' },
  { argv: ['projections', 'list'], schema: 'projections-list', lines: '#/properties/projections/items' },
  { argv: ['checkpoints', 'list'], schema: 'checkpoints-list', lines: '#/properties/checkpoints/items' },
  { argv: ['checkpoints', 'history'], schema: 'checkpoints-history', lines: '#/properties/changes/items' },
  { argv: ['parked', 'list'], schema: 'parked-list', lines: '#/properties/parked/items' },
  { argv: ['saga', 'list'], schema: 'saga-list', lines: '#/properties/instances/items' },
  { argv: ['lag'], schema: 'lag', lines: '#/properties/projections/items' },
  { argv: ['gc', '--now', '--dry-run'], schema: 'gc', lines: '#/properties/dropped/items' },
  { argv: ['abort', '--all'], schema: 'abort' },
  { argv: ['explain'], schema: 'explain-list', lines: '#/properties/codes/items' },
  { argv: ['explain', 'E_HANDLER'], schema: 'explain' },
  { argv: ['version'], schema: 'version' },
];

const placed = ['--type', 'OrderPlaced', '--data', '{"total":5}'];

/** In this order: some leave what others need. */
export const cases: readonly ReportCase[] = [
  ...readers,
  { argv: ['lag', '--count', 'orders'], schema: 'lag' },
  { argv: ['lag'], schema: 'lag', only: 'postgres', before: holdBack },
  { argv: ['lag'], schema: 'lag', before: workOn },
  { argv: ['checkpoints', 'list'], schema: 'checkpoints-list', before: workOn },
  { argv: ['lag', '--watch', '20ms'], schema: 'lag' },
  { argv: ['lag', '--max-lag', '0'], schema: 'lag', code: 1 },
  { argv: ['doctor'], schema: 'doctor', code: 1, lines: '#/properties/findings/items' },
  { argv: ['parked', 'list', '--state', 'parked'], schema: 'parked-list' },
  { argv: ['projections', 'list', '--projections', 'broken/*.ts'], schema: 'projections-list', code: 9 },
  { argv: ['show', '1', causeId, effectId, circleId, lonelyId], schema: 'show' },
  { argv: ['show', '1', '11', '--upcast'], schema: 'show' },
  { argv: ['show', '2', '-n', '1'], schema: 'show' },
  { argv: ['show', '12345'], schema: 'show', code: 6 },
  { argv: ['trace', 'a "case"'], schema: 'trace' },
  { argv: ['trace', circleId], schema: 'trace' },
  { argv: ['trace', lonelyId], schema: 'trace' },
  { argv: ['trace', '01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e51'], schema: 'trace', code: 6 },
  { argv: ['types', '--exact'], schema: 'types' },
  { argv: ['types', 'generate'], schema: 'types-generate' },
  { argv: ['types', 'check', '--all'], schema: 'types-check', code: 1, lines: '#/properties/findings/items' },
  { argv: ['stats', '--since', '2021-01-01'], schema: 'stats' },
  { argv: ['snapshots', 'show', 'Order-1'], schema: 'snapshots-show' },
  { argv: ['snapshots', 'show', 'Ghost-1'], schema: 'snapshots-show' },
  { argv: ['state', 'Order-3', '--projection', 'orders'], schema: 'state' },
  { argv: ['state', 'Order-1', '--projection', 'orders'], schema: 'state' },
  { argv: ['state', hostile, '--projection', 'parked_orders', '--at', '0'], schema: 'state' },
  { argv: ['state', 'Order-1', '--projection', 'orders', '--history'], schema: 'state-history' },
  { argv: ['state', 'Order-4', '--projection', 'never_run', '--history'], schema: 'state-history' },
  { argv: ['state', 'Order-1', '--projection', 'orders', '--diff', '1', '2'], schema: 'state-diff' },
  { argv: ['state', 'Order-1', '--projection', 'orders', '--diff', '0', '3'], schema: 'state-diff' },
  { argv: ['rows', 'orders'], schema: 'rows', lines: '#/properties/rows/items' },
  { argv: ['rows', 'orders', '-n', '1'], schema: 'rows' },
  { argv: ['rows', 'orders', 'nobody'], schema: 'rows', code: 6 },
  { argv: ['rows', 'orders', '--count'], schema: 'rows-count' },
  {
    argv: ['saga', 'show', 'shipping', 'Parcel-compensation-failed'],
    schema: 'saga-show',
    lines: '#/properties/steps/items',
  },
  {
    argv: ['saga', 'overdue'],
    schema: 'saga-overdue',
    code: 1,
    isQuiet: true,
    lines: '#/properties/instances/items',
  },
  { argv: ['saga', 'show', 'shipping', 'Parcel-running'], schema: 'saga-show' },
  { argv: ['saga', 'show', 'shipping', 'Parcel-completed'], schema: 'saga-show' },
  { argv: ['saga', 'show', 'paying', 'Parcel-waiting'], schema: 'saga-show' },
  { argv: ['parked', 'show', 'parked_orders', '3'], schema: 'parked-show' },
  { argv: ['parked', 'show', 'parked_orders', '4'], schema: 'parked-show' },
  { argv: ['parked', 'retry', 'parked_orders', '--dry-run'], schema: 'parked-retry-dry-run' },
  { argv: ['parked', 'retry', 'parked_orders'], schema: 'parked-retry', code: 9 },
  { argv: ['parked', 'discard', 'parked_orders', '--all', '--dry-run'], schema: 'parked-discard' },
  { argv: ['parked', 'discard', 'parked_orders', '3', '--yes'], schema: 'parked-discard' },
  { argv: ['parked', 'retry', 'parked_orders', '--stream', 'Order-1'], schema: 'parked-retry' },
  { argv: ['wait', 'orders', '--position', '1'], schema: 'wait' },
  { argv: ['wait', 'failing_orders', '--timeout', '1ms'], schema: 'wait', code: 7 },
  { argv: ['run', '--dry-run'], schema: 'run-dry-run' },
  { argv: ['run', 'failing_orders', 'divided', '--once', '--partition', '2/2'], schema: 'run', code: 9 },
  { argv: ['run', 'orders', 'shipping', 'billing', '--once', '--sagas'], schema: 'run' },
  { argv: ['saga', 'cancel', 'paying', 'Parcel-waiting', '--reason', 'x', '--dry-run'], schema: 'saga-cancel' },
  { argv: ['saga', 'cancel', 'paying', 'Parcel-waiting', '--reason', 'x', '--yes'], schema: 'saga-cancel' },
  { argv: ['saga', 'retry', 'shipping', 'Parcel-compensation-failed', '--dry-run'], schema: 'saga-retry' },
  { argv: ['saga', 'retry', 'shipping', 'Parcel-compensation-failed'], schema: 'saga-retry', code: 1, isQuiet: true },
  { argv: ['append', hostile, ...placed, '--dry-run'], schema: 'append-dry-run' },
  { argv: ['append', hostile, ...placed, '--dry-run', '--expected-version', '7'], schema: 'append-dry-run' },
  { argv: ['append', hostile, ...placed], schema: 'append' },
  {
    argv: ['append', 'Cart-2', '--type', 'CartFilled', '--inline', '--projections', 'newer/*.ts'],
    schema: 'append',
  },
  { argv: ['append', hostile, ...placed, '--expected-version', 'none'], schema: 'append', code: 4 },
  { argv: ['append', hostile, '--type', ''], schema: 'append', code: 2 },
  { argv: ['import', 'events.ndjson', '--dry-run'], schema: 'import' },
  { argv: ['import', 'events.ndjson'], schema: 'import' },
  { argv: ['checkpoints', 'set', 'mailer 📮', '--to', '2'], schema: 'checkpoints-set' },
  {
    argv: ['checkpoints', 'set', 'mailer 📮', '--to', '1', '--execute', '--reason', 'it "lost" 📮'],
    schema: 'checkpoints-set',
  },
  { argv: ['checkpoints', 'set', 'parked_orders', '--to', '1'], schema: 'checkpoints-set' },
  { argv: ['checkpoints', 'set', 'saga:shipping', '--to', '1', '--execute'], schema: 'checkpoints-set' },
  { argv: ['checkpoints', 'reset', 'mailer 📮'], schema: 'checkpoints-reset' },
  { argv: ['checkpoints', 'delete', 'mailer 📮', '--execute'], schema: 'checkpoints-delete' },
  { argv: ['checkpoints', 'history'], schema: 'checkpoints-history', lines: '#/properties/changes/items' },
  { argv: ['repair', 'orders', '--stream', 'Order-3', '--dry-run'], schema: 'repair', before: breakRow },
  { argv: ['repair', 'orders', '--stream', 'Order-3'], schema: 'repair' },
  // From here on the code of orders is of version 2.
  { argv: ['projections', 'list'], schema: 'projections-list', before: ({ writeOrders }) => writeOrders(2) },
  { argv: ['lag', '--projections', 'projections/*.ts'], schema: 'lag' },
  { argv: ['rebuild', 'orders', '--dry-run', '--check'], schema: 'rebuild-dry-run' },
  {
    argv: ['rebuild', 'impure', '--dry-run', '--check', '--projections', 'impure/*.ts'],
    schema: 'rebuild-dry-run',
    code: 1,
  },
  { argv: ['rebuild', 'orders', '--verify', 'full', '--progress', 'json'], schema: 'rebuild', code: 1 },
  { argv: ['rebuild', 'orders', '--dry-run'], schema: 'rebuild-dry-run' },
  { argv: ['rebuild', 'orders', '--dry-run', '--restart', '--no-swap'], schema: 'rebuild-dry-run' },
  { argv: ['projections', 'list'], schema: 'projections-list' },
  {
    argv: ['rebuild', 'orders', '--dry-run', '--check'],
    schema: 'rebuild-dry-run',
    code: 5,
    before: ({ writeOrders }) => {
      writeOrders(1);
      return () => writeOrders(2);
    },
  },
  { argv: ['rebuild', 'orders', '--resume', '--no-swap'], schema: 'rebuild', code: 1 },
  { argv: ['rows', 'orders', '--built'], schema: 'rows' },
  { argv: ['diff', 'orders', '--dry-run'], schema: 'diff-dry-run' },
  { argv: ['diff', 'orders'], schema: 'diff', code: 1, isQuiet: true },
  { argv: ['snapshots', 'create', 'order', '--all', '--dry-run'], schema: 'snapshots-create' },
  { argv: ['snapshots', 'create', 'order', 'Order-1', 'Order-2'], schema: 'snapshots-create' },
  {
    argv: ['snapshots', 'verify'],
    schema: 'snapshots-verify',
    code: 1,
    before: ({ query }) => query(`update snapshots set snapshot_data = '{"events":99}' where stream_id = 'Order-2'`),
  },
  { argv: ['snapshots', 'delete', 'Order-2', '--dry-run'], schema: 'snapshots-delete' },
  { argv: ['snapshots', 'delete', 'Order-2', '--yes'], schema: 'snapshots-delete' },
  { argv: ['swap', 'orders', '--dry-run'], schema: 'swap' },
  {
    argv: ['swap', 'orders'],
    schema: 'swap',
    // What its check finds.
    before: async ({ query }) => void (await query("delete from snapshots where stream_type = 'Ghost'")),
  },
  { argv: ['rows', 'orders', '--old'], schema: 'rows' },
  { argv: ['rollback', 'orders', '--dry-run'], schema: 'rollback' },
  { argv: ['rollback', 'orders', '--yes'], schema: 'rollback' },
  { argv: ['abort', 'orders', '--dry-run'], schema: 'abort' },
  { argv: ['abort', 'orders', '--yes'], schema: 'abort' },
  { argv: ['rebuild', 'orders', '--verify', 'none'], schema: 'rebuild' },
  { argv: ['gc', '--now', '--yes'], schema: 'gc' },
  {
    argv: ['projections', 'rename', 'failing_orders', 'renamed', '--dry-run', '--projections', 'renamed/*.ts'],
    schema: 'projections-rename',
  },
  { argv: ['projections', 'forget', 'parked_orders', '--drop-tables', '--dry-run'], schema: 'projections-forget' },
  { argv: ['projections', 'forget', 'parked_orders', '--keep-tables', '--dry-run'], schema: 'projections-forget' },
  { argv: ['scaffold', 'projection', 'order-summary', '--dry-run'], schema: 'scaffold-projection' },
  { argv: ['scaffold', 'saga', 'order-fulfilment'], schema: 'scaffold-saga' },
  { argv: ['scaffold', 'aggregate', 'shop-order'], schema: 'scaffold-aggregate' },
  { argv: ['scaffold', 'upcaster', 'order-source'], schema: 'scaffold-upcaster' },
  { argv: ['scaffold', 'reaction', 'order-follow-up'], schema: 'scaffold-reaction' },
  { argv: ['bench', '--dry-run'], schema: 'bench-dry-run', before: leaveScratch },
  { argv: ['bench', '--clean', '--yes'], schema: 'bench-clean', before: leaveScratch },
  { argv: ['bench', '--duration', '100ms'], schema: 'bench', before: leaveScratch },
  { argv: ['bench', '--clean', '--yes'], schema: 'bench-clean' },
  { argv: ['demo', '--dir', 'demo', '--dry-run'], schema: 'demo' },
  { argv: ['lag', 'nobody', '--debug'], schema: 'lag', code: 6 },
  { argv: ['lagg'], schema: 'lag', code: 2 },
];

/** On a store without a schema. */
export const makers: readonly ReportCase[] = [
  { argv: ['migrate', 'status'], schema: 'migrate-status' },
  { argv: ['migrate', 'up', '--dry-run'], schema: 'migrate-up' },
  { argv: ['doctor'], schema: 'doctor', code: 1 },
  { argv: ['lag'], schema: 'lag', code: 2 },
  { argv: ['init', '--dry-run', '--index', 'correlation'], schema: 'init' },
  { argv: ['init'], schema: 'init', before: ({ cwd }) => rmSync(join(cwd, 'evstore.config.json')) },
  { argv: ['init'], schema: 'init' },
];

/** An open transaction that may still commit an event. */
async function holdBack({ test, evstore }: ReportShop): Promise<() => Promise<void>> {
  const writer = await test.connect();
  await writer.query(`begin; insert into events (id, stream_id, stream_type, event_type, event_data, version)
    values (gen_random_uuid(), 'Open-1', 'Open', 'Opened', '{}', 1)`);
  await evstore('append', 'Note-4', '--type', 'ToldLater');
  return () => writer.query('rollback').then(() => {});
}

/** Another process runs it. */
async function workOn({ test: { store } }: ReportShop): Promise<() => Promise<void>> {
  const target = { kind: 'checkpoint', subscriptionId: 'failing_orders' } as const;
  const answer = await store.projections.acquireLease(target, { owner: 'host:1', ttlMs: 600_000 });
  if (answer.held) throw new Error('the lease is held');
  await store.projections.renewLease(answer.lease, 600_000, { rate: 12.5 });
  return () => store.projections.releaseLease(answer.lease);
}

async function breakRow({ query }: ReportShop): Promise<void> {
  await query("update orders set total = 99 where order_id = 'Order-3'");
}

/** As a bench leaves it that was killed. */
async function leaveScratch({ test: { store } }: ReportShop): Promise<void> {
  await store.scratch.make();
}
