/** Projections of mode `inline` whose rows tell in which order the events came, and the steps of their life. */
import { deepStrictEqual } from 'node:assert';
import type { AppendResult, ExpectedVersion, NewEvent } from '../../src/domain/event.js';
import type { StoredRow } from '../../src/domain/read-model.js';
import { CatchUp } from '../../src/projection/catch-up/catch-up.js';
import { defineProjection, defineSqlProjection } from '../../src/projection/define/definition.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import { sql } from '../../src/projection/define/sql-tag.js';
import { toInlineProjection } from '../../src/projection/fold/deferred-fold.js';
import { runProjections } from '../../src/projection/run/run.js';
import { planRollback, rollBack } from '../../src/projection/swap/rollback.js';
import { swapReady } from '../../src/projection/swap/swap.js';
import type { Lease, Rebuild, Store } from '../../src/store/store.js';
import { verifyStore } from '../../src/verify/verify.js';
import type { TestStore } from './engines.js';
import { makeEvent, readAll } from './events.js';
import { prepare } from './prepare.js';
import { checkpointOf, takeLease } from './read-models.js';
import { rebuildProjection } from './rebuild.js';

/** A row per stream: the versions of its events in the order they came. */
export const tracesOf = (version: number) =>
  prepare(
    defineProjection({
      name: 'order_traces',
      version,
      mode: 'inline',
      table: { columns: { streamId: 'text', trace: 'text' }, key: 'streamId' },
      on: {
        OrderRefused: () => {
          throw new Error('connection terminated: refused by the handler');
        },
        '*': (row, event) => ({ trace: `${row?.trace ?? ''} ${event.version}` }),
      },
    }),
  );

/** A second projection with a row per stream: the positions of its events in the order they came. */
export const positionTraces = prepare(
  defineProjection({
    name: 'position_traces',
    version: 1,
    mode: 'inline',
    table: { columns: { streamId: 'text', trace: 'text' }, key: 'streamId' },
    on: { '*': (row, event) => ({ trace: `${row?.trace ?? ''} ${event.globalPosition}` }) },
  }),
);

/** A row per event of one category and type, by statements: twice is refused. */
export const orderLines = prepare(
  defineSqlProjection({
    name: 'order_lines',
    version: 1,
    mode: 'inline',
    category: 'Order',
    partitionBy: 'stream',
    tables: ['order_lines'],
    create: (t) => sql`create table ${t.order_lines} (position bigint primary key, stream_id text not null)`,
    on: {
      OrderPlaced: (event, t) =>
        sql`insert into ${t.order_lines} (position, stream_id) values (${event.globalPosition}, ${event.streamId})`,
    },
  }),
);

export async function register(store: Store, ...projections: readonly PreparedProjection[]): Promise<void> {
  for (const { name, version, codeHash, model } of projections) {
    await store.projections.register({ name, version, codeHash, model });
  }
}

export function appendInline(
  store: Store,
  projections: readonly PreparedProjection[],
  streamId: string,
  events: readonly NewEvent[] = [makeEvent()],
  expected: ExpectedVersion = 'any',
): Promise<AppendResult> {
  return store.log.append(streamId, events, expected, { inline: projections.map(toInlineProjection) });
}

/** A runner, up to the safe head. */
export async function runOnce(store: Store, ...projections: readonly PreparedProjection[]): Promise<void> {
  const { signal } = new AbortController();
  const results = await runProjections({ store, projections, owner: 'runner:1', once: true, signal, report: () => {} });
  for (const { error } of results) if (error !== null) throw error;
}

/** As a runner that parks what fails. */
export async function runParking(store: Store, projection: PreparedProjection): Promise<void> {
  const lease = await takeLease(store, checkpointOf(projection.name));
  const { position } = lease;
  const policy = { onError: 'park', retries: 0 } as const;
  const { signal } = new AbortController();
  const catchUp = new CatchUp(store, projection, { lease, physical: String, position, policy, signal });
  for await (const _step of catchUp.steps(Number.MAX_SAFE_INTEGER));
  await store.projections.releaseLease(lease);
}

const patience = { owner: 'rebuild:1', lockTimeoutMs: 2_000, maxWaitMs: 60_000, keepOldMs: 60_000 };

export async function rebuildAndSwap(store: Store, projection: PreparedProjection): Promise<void> {
  const { signal } = new AbortController();
  const how = { mode: 'auto', swap: true, verify: 'none' } as const;
  await rebuildProjection({ store, projection, ...how, ...patience, signal, progress: () => {} });
}

export async function takeBack(store: Store, old: PreparedProjection): Promise<void> {
  const plan = await planRollback(store, old.name, old);
  await rollBack({ store, ...patience, signal: new AbortController().signal }, plan, plan.hasOldCode ? old : undefined);
}

/** A rebuild that is ready, and its lease; the projection's own goes back to nobody. */
export async function buildBeside(
  store: Store,
  projection: PreparedProjection,
): Promise<{ readonly rebuild: Rebuild; readonly lease: Lease }> {
  const how = { mode: 'auto', swap: false, verify: 'none' } as const;
  const { signal } = new AbortController();
  await rebuildProjection({ store, projection, ...how, ...patience, signal, progress: () => {} });
  const [rebuild] = await store.projections.rebuilds(projection.name);
  if (rebuild === undefined) throw new Error('no rebuild');
  return { rebuild, lease: await takeLease(store, { kind: 'rebuild', id: rebuild.id }) };
}

/** Without the events that came since it was built. */
export async function swapAsItIs(store: Store, rebuild: Rebuild, lease: Lease): Promise<void> {
  const live = await takeLease(store, checkpointOf(rebuild.projection));
  await store.projections.swap(rebuild, { rebuild: lease, live }, patience);
  await store.projections.releaseLease(live);
  await store.projections.releaseLease(lease);
}

/** The rebuild that a rollback has left ready. */
export async function swapBack(store: Store, projection: PreparedProjection): Promise<void> {
  await swapReady({ store, ...patience, signal: new AbortController().signal, progress: () => {} }, projection);
}

/** Rows of the traces by stream. */
export async function readTraces(store: Store, projection = tracesOf(1)): Promise<Map<string, string>> {
  const { model } = projection;
  if (model.kind !== 'table') throw new Error('no table');
  const keys = (await store.log.streams()).map(({ streamId }) => ({ stream_id: streamId }));
  const rows: readonly StoredRow[] = await store.projections.readRows(model.spec.name, model.spec, keys);
  return new Map(rows.map(({ stream_id, trace }) => [String(stream_id), String(trace)]));
}

/**
 * The rows are the fold of the log, each event once and in the order of its stream; no cursor skipped one.
 * @param except rows of streams that are to be otherwise
 */
export async function expectTraces(
  store: Store,
  { except = {} }: { readonly except?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const expected = new Map<string, string>();
  for (const { streamId, version } of await readAll(store)) {
    expected.set(streamId, `${expected.get(streamId) ?? ''} ${version}`);
  }
  for (const [streamId, trace] of Object.entries(except)) expected.set(streamId, trace);
  deepStrictEqual(await readTraces(store), expected);
  const { findings } = await verifyStore(store, { progress: () => {}, signal: new AbortController().signal });
  deepStrictEqual(
    findings.filter(({ severity }) => severity === 'error'),
    [],
  );
}

/** Returns the positions in the rows of `positionTraces`, each once and those of a stream in the order of the log. */
export async function readPositions(store: Store): Promise<number[]> {
  const positions: number[] = [];
  for (const trace of (await readTraces(store, positionTraces)).values()) {
    const ofStream = trace.split(' ').slice(1).map(Number);
    deepStrictEqual(ofStream, [...new Set(ofStream)].sort(byNumber));
    positions.push(...ofStream);
  }
  return positions.sort(byNumber);
}

function byNumber(a: number, b: number): number {
  return a - b;
}

/** Marked events by projection, in order: `NAME/REBUILD` → positions. */
export async function readMarks({ raw }: TestStore): Promise<Record<string, number[]>> {
  const rows = await raw.query(
    'select projection, rebuild, global_position from evstore_inlined order by projection, rebuild, global_position',
  );
  const marks: Record<string, number[]> = {};
  for (const { projection, rebuild, global_position } of rows) {
    const name = `${projection}/${Number(rebuild) === 0 ? 'live' : 'beside'}`;
    marks[name] = [...(marks[name] ?? []), Number(global_position)];
  }
  return marks;
}

/** What another program does, which knows nothing of projections. */
export function insertRaw(streamId: string, count = 1): string {
  const values = Array.from(
    { length: count },
    (_, place) => `('${makeEvent().id}', '${streamId}', 'OrderPlaced', '{"total": 1}',
      (select coalesce(max(version), 0) from events where stream_id = '${streamId}') + ${place + 1})`,
  );
  return `insert into events (id, stream_id, event_type, event_data, version) values ${values.join(', ')}`;
}
