/** A projection's table and the steps of its life, as the runner and the rebuild take them. */
import { deepStrictEqual, strictEqual } from 'node:assert';
import { tallyIds } from '../../src/domain/audit.js';
import type { Changes, ColumnSpec, ReadModel, StoredRow, TableSpec } from '../../src/domain/read-model.js';
import type { Lease, LeaseRequest, LeaseTarget, Rebuild, Registration, Store } from '../../src/store/store.js';
import { verifyStore } from '../../src/verify/verify.js';
import { readAll } from './events.js';

/** Events counted and summed per stream: applied twice or not at all, the sums are wrong. */
export const totals: TableSpec = {
  name: 'order_totals',
  columns: [
    { name: 'stream_id', type: 'text' },
    { name: 'events', type: 'integer' },
    { name: 'total', type: 'bigint' },
  ],
  key: ['stream_id'],
  indexes: [{ columns: ['total'], unique: false }],
};

export const totalsModel: ReadModel = { kind: 'table', spec: totals };

export const registration: Registration = { name: 'order_totals', version: 1, codeHash: 'hash-1', model: totalsModel };

export const checkpointOf = (subscriptionId: string): LeaseTarget => ({ kind: 'checkpoint', subscriptionId });

export const request: LeaseRequest = { owner: 'host:1', ttlMs: 60_000 };

/** Registers and takes the lease. */
export async function startProjection(store: Store, owner = 'host:1'): Promise<Lease> {
  await store.projections.register(registration);
  return takeLease(store, checkpointOf(registration.name), { ...request, owner });
}

export async function takeLease(store: Store, target: LeaseTarget, wanted: LeaseRequest = request): Promise<Lease> {
  const answer = await store.projections.acquireLease(target, wanted);
  if (answer.held) throw new Error(`held by ${answer.owner}`);
  return answer.lease;
}

/** One batch of the runner: reads after the position, folds onto the stored rows, applies. */
export async function runBatch(
  store: Store,
  lease: Lease,
  from: number,
  options: {
    readonly batchSize?: number;
    readonly table?: string;
    readonly side?: 'built' | 'old';
    readonly to?: number;
  } = {},
): Promise<number> {
  const { batchSize = 1_000, table = totals.name, side, to } = options;
  for await (const { events, upTo } of store.log.readAll({
    after: from,
    batchSize,
    ...(to === undefined ? {} : { to }),
  })) {
    const keys = [...new Set(events.map(({ streamId }) => streamId))].map((stream_id) => ({ stream_id }));
    const stored = await store.projections.readRows(table, totals, keys);
    const rows = new Map(stored.map((row) => [row.stream_id, row]));
    for (const { streamId, data } of events) rows.set(streamId, fold(rows.get(streamId), streamId, data));
    await store.projections.apply({
      lease,
      from,
      to: upTo,
      lastEventId: events.at(-1)?.id ?? null,
      seen: { filter: {}, ...tallyIds(events.map(({ id }) => id)) },
      changes: { kind: 'rows', spec: totals, table, upserts: [...rows.values()], deletes: [] },
      ...(side === undefined ? {} : { side }),
    });
    return upTo;
  }
  return from;
}

/** Batch after batch until nothing moves. */
export async function runToHead(
  store: Store,
  lease: Lease,
  options: Parameters<typeof runBatch>[3] = {},
): Promise<number> {
  let position = lease.position;
  for (;;) {
    const next = await runBatch(store, lease, position, options);
    if (next === position) return position;
    position = next;
  }
}

function fold(row: StoredRow | undefined, streamId: string, data: string): StoredRow {
  const { total } = JSON.parse(data) as { total: number };
  return { stream_id: streamId, events: Number(row?.events ?? 0) + 1, total: Number(row?.total ?? 0) + total };
}

/** Every row of a table of totals, by key. */
export async function readTotals(store: Store, table = totals.name): Promise<Map<string, StoredRow>> {
  const keys = (await store.log.streams()).map(({ streamId }) => ({ stream_id: streamId }));
  const rows = await store.projections.readRows(table, totals, keys);
  strictEqual(await store.projections.countRows(table), rows.length);
  return new Map(rows.map((row) => [String(row.stream_id), { ...row }]));
}

/** The read model is the fold of the log up to the position, and no cursor of the store skipped an event. */
export async function expectFold(store: Store, position: number, table = totals.name): Promise<void> {
  const expected = new Map<string, StoredRow>();
  for (const { streamId, data } of position === 0 ? [] : await readAll(store, { to: position })) {
    expected.set(streamId, fold(expected.get(streamId), streamId, data));
  }
  deepStrictEqual(await readTotals(store, table), expected);
  const { findings } = await verifyStore(store, { progress: () => {}, signal: new AbortController().signal });
  deepStrictEqual(
    findings.filter(({ severity }) => severity === 'error'),
    [],
  );
}

export async function positionOf(store: Store, subscriptionId = registration.name): Promise<number | undefined> {
  const checkpoints = await store.projections.checkpoints();
  return checkpoints.find((checkpoint) => checkpoint.subscriptionId === subscriptionId)?.position;
}

/** A rebuild filled up to `to` (the safe head unless said), in state `ready`. */
export async function buildNext(
  store: Store,
  version: number,
  options: { readonly to?: number; readonly model?: ReadModel } = {},
): Promise<{ rebuild: Rebuild; lease: Lease; position: number }> {
  const { projections } = store;
  const plan = { projection: totals.name, version, codeHash: `hash-${version}`, tables: [totals.name] };
  const started = await projections.startRebuild(plan, { owner: `rebuild:${version}`, ttlMs: 60_000 });
  const { lease } = started;
  const model = options.model ?? totalsModel;
  const filling = await projections.createRebuildTables(started.rebuild, lease, model);
  const table = filling.tables[0]?.built ?? '';
  const to = options.to === undefined ? {} : { to: options.to };
  const position = await runToHead(store, { ...lease, position: 0 }, { table, side: 'built', ...to });
  const rebuild = await projections.finishFill(filling, lease, model);
  return { rebuild, lease, position };
}

/** A column of each portable type. */
export const allTypes: readonly ColumnSpec[] = [
  { name: 'id', type: 'uuid' },
  { name: 'a_text', type: 'text' },
  { name: 'an_integer', type: 'integer' },
  { name: 'a_bigint', type: 'bigint' },
  { name: 'a_real', type: 'real' },
  { name: 'a_numeric', type: 'numeric' },
  { name: 'a_boolean', type: 'boolean' },
  { name: 'a_json', type: 'json' },
  { name: 'a_timestamp', type: 'timestamp' },
];

export function rowChanges(
  spec: TableSpec,
  upserts: readonly StoredRow[],
  deletes: readonly StoredRow[] = [],
): Changes {
  return { kind: 'rows', spec, table: spec.name, upserts, deletes };
}
