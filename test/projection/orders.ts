/** A small shop: its events, and two projections of them. */
import { defineProjection, defineSqlProjection } from '../../src/projection/define/definition.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import { sql } from '../../src/projection/define/sql-tag.js';
import type { RebuildReport } from '../../src/projection/rebuild/rebuilding.js';
import { runProjections } from '../../src/projection/run/run.js';
import type { RunNews, RunOptions, RunResult } from '../../src/projection/run/run-options.js';
import type { Store } from '../../src/store/store.js';
import type { TestStore } from '../support/engines.js';
import { append, makeEvent, readAll } from '../support/events.js';
import { prepare } from '../support/prepare.js';
import { rebuildProjection } from '../support/rebuild.js';

export { prepare };

/** Every row says how many events it was made of: one that is applied twice, or not at all, shows. */
export const orderSummary = defineProjection({
  name: 'order_summary',
  version: 1,
  category: 'Order',
  table: { columns: { orderId: 'text', events: 'integer', total: 'bigint' }, key: 'orderId', indexes: ['total'] },
  on: {
    OrderPlaced: (row, { data }) => ({ events: (row?.events ?? 0) + 1, total: (row?.total ?? 0) + data.total }),
    OrderRemoved: () => null,
  },
});

/** The same rows, made by statements. */
export const orderSql = defineSqlProjection({
  name: 'order_sql',
  version: 1,
  tables: ['order_sql'],
  create: (t) => [
    sql`create table ${t.order_sql} (order_id text primary key, events integer not null, total bigint not null)`,
    sql`create index ${t.order_sql.index('by_total')} on ${t.order_sql} (total)`,
  ],
  on: {
    OrderPlaced: ({ streamId, data }, t) => sql`
      insert into ${t.order_sql} (order_id, events, total) values (${streamId}, 1, ${data.total})
      on conflict (order_id) do update set events = ${t.order_sql}.events + 1, total = ${t.order_sql}.total + ${data.total}`,
    OrderRemoved: ({ streamId }, t) => sql`delete from ${t.order_sql} where order_id = ${streamId}`,
  },
});

/** Appends `count` events over `streams` orders; every eleventh removes its order. */
export async function placeOrders(store: Store, count: number, streams = 10, first = 0): Promise<void> {
  for (let index = first; index < first + count; index += 1) {
    const type = index % 11 === 10 ? 'OrderRemoved' : 'OrderPlaced';
    await append(store, `Order-${index % streams}`, [makeEvent({ type, data: `{"total":${index}}` })]);
  }
}

/** What the rows are to be: the events folded one by one, by nothing of the product's. */
export async function expectedRows(store: Store, to?: number): Promise<Record<string, unknown>[]> {
  const rows = new Map<string, { order_id: string; events: number; total: number }>();
  for (const { streamId, type, data } of await readAll(store, to === undefined ? {} : { to })) {
    if (!streamId.startsWith('Order-')) continue;
    if (type === 'OrderRemoved') rows.delete(streamId);
    if (type !== 'OrderPlaced') continue;
    const row = rows.get(streamId) ?? { order_id: streamId, events: 0, total: 0 };
    rows.set(streamId, { ...row, events: row.events + 1, total: row.total + JSON.parse(data).total });
  }
  return [...rows.values()].sort((a, b) => (a.order_id < b.order_id ? -1 : 1));
}

export async function actualRows({ raw }: TestStore, table = 'order_summary'): Promise<Record<string, unknown>[]> {
  const rows = await raw.query(`select order_id, events, total from ${table} order by order_id`);
  return rows.map((row) => ({ order_id: row.order_id, events: Number(row.events), total: Number(row.total) }));
}

/** Runs to the head and tells what was reported. */
export async function runOnce(
  store: Store,
  projections: readonly PreparedProjection[],
  options: Partial<RunOptions> = {},
): Promise<{ readonly results: readonly RunResult[]; readonly news: readonly RunNews[] }> {
  const news: RunNews[] = [];
  const results = await runProjections({
    store,
    projections,
    owner: 'host:1',
    once: true,
    signal: new AbortController().signal,
    report: (each) => news.push(each),
    ...options,
  });
  return { results, news };
}

/** Rebuilds and swaps, beside whoever runs it. */
export function rebuildNow(store: Store, projection: PreparedProjection): Promise<RebuildReport> {
  return rebuildProjection({
    store,
    projection,
    owner: 'rebuild:1',
    mode: 'auto',
    swap: true,
    verify: 'count',
    lockTimeoutMs: 1_000,
    maxWaitMs: 20_000,
    keepOldMs: 60_000,
    signal: new AbortController().signal,
    progress: () => {},
  });
}

/** A runner that follows; `stop` ends it and gives its results. */
export function follow(
  store: Store,
  projections: readonly PreparedProjection[],
  options: Partial<RunOptions> = {},
): Follower {
  const stopping = new AbortController();
  const news: RunNews[] = [];
  const done = runProjections({
    store,
    projections,
    owner: 'host:1',
    once: false,
    signal: stopping.signal,
    report: (each) => news.push(each),
    ...options,
  });
  const stop = async () => {
    stopping.abort();
    return done;
  };
  return { news, stop, done };
}

export interface Follower {
  readonly news: readonly RunNews[];
  readonly done: Promise<readonly RunResult[]>;
  stop(): Promise<readonly RunResult[]>;
}
