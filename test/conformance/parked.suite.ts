/** Events that a read model has to do without: put aside with the move past them, and with the tables that miss them. */
import { expect } from 'vitest';
import { tallyIds } from '../../src/domain/audit.js';
import type { AppliedBatch, Lease, SetAside, Store } from '../../src/store/store.js';
import { append, errorOf, failureOf, makeEvents } from '../support/events.js';
import {
  buildNext,
  checkpointOf,
  positionOf,
  readTotals,
  registration,
  request,
  rowChanges,
  runToHead,
  startProjection,
  takeLease,
  totals,
} from '../support/read-models.js';
import { suite } from './suite.js';

const projection = registration.name;
const options = { lockTimeoutMs: 2_000, keepOldMs: 3_600_000 };
const nothing = { lastEventId: null, changes: rowChanges(totals, []) };

function aside(globalPosition: number, streamId: string, more: Partial<SetAside> = {}): SetAside {
  const id = `0b3f8a52-7c1d-4e65-9a10-${String(globalPosition).padStart(12, '0')}`;
  const failed = { state: 'parked', error: `it's "odd" \\ \n ü 🎉`, attempts: 1 } as const;
  return { globalPosition, id, streamId, type: 'OrderPlaced', ...failed, ...more };
}

/** Of one that waits behind another. */
const waiting = { error: null, attempts: 0 };

function put(store: Store, lease: Lease, added: readonly SetAside[], batch: Partial<AppliedBatch> = {}): Promise<void> {
  const { position } = lease;
  const parked = { projection, added, removed: [] };
  return store.projections.apply({ lease, from: position, to: position, ...nothing, parked, ...batch });
}

/** Tables and position of everything put aside. */
async function places(store: Store): Promise<readonly (readonly [number, number])[]> {
  const parked = await store.projections.parked({ projection });
  return parked.map(({ rebuild, globalPosition }) => [rebuild, globalPosition] as const);
}

export const parkedSuite = suite('parked', {
  'an event is put aside with the move past it, and comes back as it went in': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(3));
    const [first, second, third] = [
      aside(1, 'Order-1'),
      aside(2, 'Order-1', waiting),
      aside(3, 'Order-2', { state: 'skipped' }),
    ];
    await put(store, lease, [third, first, second], { from: 0, to: 3 });
    expect(await positionOf(store)).toBe(3);
    const parked = await store.projections.parked();
    expect(parked).toMatchObject([first, second, third].map((each) => ({ ...each, projection, rebuild: 0 })));
    for (const { parkedAt } of parked) expect(parkedAt).toMatch(/^\d{4}-.*Z$/);
    expect(await store.projections.parked({ state: 'skipped' })).toMatchObject([third]);
    expect(await store.projections.parked({ projection, rebuild: 0, streamId: 'Order-1', limit: 1 })).toMatchObject([
      first,
    ]);
    expect(await store.projections.parked({ projection: 'order' })).toEqual([]);
    expect(await store.projections.parked({ rebuild: 7 })).toEqual([]);
  },

  'a batch that fails puts nothing aside': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(3));
    const text = 'insert into there_is_no_such_table values (1)';
    const changes = { kind: 'statements', statements: [{ parts: [{ kind: 'text', text }] }] } as const;
    expect(await failureOf(put(store, lease, [aside(1, 'Order-1')], { to: 3, changes }))).toBeInstanceOf(Error);
    expect(await positionOf(store)).toBe(0);
    expect(await places(store)).toEqual([]);
  },

  'an old token puts nothing aside, and takes nothing back': async ({ store }) => {
    const zombie = await startProjection(store);
    await append(store, 'Order-1', makeEvents(3));
    await put(store, zombie, [aside(1, 'Order-1')], { to: 1 });
    await takeLease(store, checkpointOf(projection), { ...request, steal: true });
    await errorOf('E_SUPERSEDED', put(store, zombie, [aside(2, 'Order-1')], { from: 1, to: 2 }));
    const parked = { projection, added: [], removed: [1] };
    await errorOf('E_SUPERSEDED', put(store, zombie, [], { from: 1, to: 1, parked }));
    expect(await places(store)).toEqual([[0, 1]]);
  },

  'what is tried again leaves with its rows; position and proof stay': async ({ store }) => {
    const lease = await startProjection(store);
    const { events } = await append(store, 'Order-1', makeEvents(3));
    const ids = events.map(({ id }) => id);
    const asides = [aside(2, 'Order-1'), aside(3, 'Order-1', waiting)];
    await put(store, lease, asides, { to: 3, seen: { filter: {}, ...tallyIds(ids) } });
    const [before] = await store.projections.cursors();
    const since = (await store.projections.parked())[1]?.parkedAt;
    const row = { stream_id: 'Order-1', events: 2, total: 2 };
    const added = [aside(3, 'Order-1', { error: 'again', attempts: 2 })];
    const retried = { ...nothing, changes: rowChanges(totals, [row]), parked: { projection, added, removed: [2] } };
    await store.projections.apply({ lease, from: 3, to: 3, ...retried });
    expect((await store.projections.cursors())[0]).toEqual(before);
    expect([...(await readTotals(store)).values()]).toEqual([row]);
    expect(await store.projections.parked()).toMatchObject([{ ...added[0], parkedAt: since }]);
    const fails = rowChanges({ ...totals, name: 'gone' }, [row]);
    const parked = { projection, added: [], removed: [3] };
    expect(await failureOf(put(store, lease, [], { from: 3, to: 3, changes: fails, parked }))).toBeInstanceOf(Error);
    expect(await places(store)).toEqual([[0, 3]]);
  },

  'a stream waits while an event of it is parked': async ({ store }) => {
    const lease = await startProjection(store);
    const skipped = aside(2, 'Order-2', { state: 'skipped' });
    await put(store, lease, [aside(1, 'Order-1'), skipped, aside(3, 'Order-3', { state: 'discarded' })]);
    expect(await store.projections.parkedStreams(projection, 0)).toEqual(['Order-1']);
    expect(await store.projections.parkedStreams(projection, 1)).toEqual([]);
    expect(await store.projections.parkedStreams('order', 0)).toEqual([]);
    expect(await store.projections.countParked()).toEqual([{ projection, events: 1 }]);
    await put(store, lease, [aside(4, 'Order-1', waiting), aside(1, 'Order-1', { state: 'discarded' })]);
    expect(await store.projections.parkedStreams(projection, 0)).toEqual(['Order-1']);
    await put(store, lease, [], { parked: { projection, added: [], removed: [4] } });
    expect(await store.projections.parkedStreams(projection, 0)).toEqual([]);
    expect(await store.projections.countParked()).toEqual([]);
  },

  'a swap and its rollback take along what each set of tables misses': async ({ store }) => {
    const live = await startProjection(store);
    await append(store, 'Order-1', makeEvents(4));
    const position = await runToHead(store, live);
    await put(store, { ...live, position }, [aside(1, 'Order-1'), aside(2, 'Order-1', waiting)]);
    const { rebuild, lease } = await buildNext(store, 2);
    await put(store, { ...lease, position }, [aside(2, 'Order-1'), aside(3, 'Order-1', waiting)]);
    const { id } = rebuild;
    expect(await places(store)).toEqual([
      [0, 1],
      [0, 2],
      [id, 2],
      [id, 3],
    ]);
    const swapped = await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    expect(await places(store)).toEqual([
      [0, 2],
      [0, 3],
      [id, 1],
      [id, 2],
    ]);
    expect(await store.projections.parked({ rebuild: 0 })).toMatchObject([
      aside(2, 'Order-1'),
      aside(3, 'Order-1', waiting),
    ]);
    const again = await takeLease(store, checkpointOf(projection), { ...request, steal: true });
    await store.projections.rollback(swapped, { rebuild: lease, live: again }, options);
    expect(await places(store)).toEqual([
      [0, 1],
      [0, 2],
      [id, 2],
      [id, 3],
    ]);
  },

  'dropped tables are missed by nobody': async ({ store }) => {
    const live = await startProjection(store);
    await append(store, 'Order-1', makeEvents(4));
    const position = await runToHead(store, live);
    await put(store, { ...live, position }, [aside(1, 'Order-1')]);
    const dropped = await buildNext(store, 2);
    await put(store, { ...dropped.lease, position }, [aside(2, 'Order-1')]);
    await store.projections.abort(dropped.rebuild, dropped.lease);
    expect(await places(store)).toEqual([[0, 1]]);
    const { rebuild, lease } = await buildNext(store, 3);
    await put(store, { ...lease, position }, [aside(3, 'Order-1')]);
    await store.projections.retire(await store.projections.swap(rebuild, { rebuild: lease, live }, options));
    expect(await places(store)).toEqual([[0, 3]]);
  },

  'a checkpoint moved by hand forgets what is to come again': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(4));
    await put(store, lease, [aside(1, 'Order-1'), aside(2, 'Order-1', waiting), aside(4, 'Order-1', waiting)], {
      to: 4,
    });
    await store.projections.setCheckpoint(projection, 2);
    expect(await places(store)).toEqual([
      [0, 1],
      [0, 2],
    ]);
    await store.projections.setCheckpoint(projection, 3);
    expect(await places(store)).toEqual([
      [0, 1],
      [0, 2],
    ]);
    await store.projections.setCheckpoint(projection, null);
    expect(await places(store)).toEqual([]);
  },

  'a checkpoint that is not there: nothing is forgotten': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(2));
    await store.projections.releaseLease(lease);
    await store.projections.divide(projection, 2);
    const part = await takeLease(store, checkpointOf(`${projection}#1/2`));
    await put(store, part, [], {
      parked: { projection: `${projection}#1/2`, added: [aside(1, 'Order-1')], removed: [] },
    });
    for (const position of [0, null]) {
      await errorOf('E_NOT_FOUND', store.projections.setCheckpoint(projection, position));
      expect(await places(store)).toEqual([[0, 1]]);
    }
  },

  'parts are of their projection, and no other': async ({ store }) => {
    const lease = await startProjection(store);
    const parts = ['order_totals#1/2', 'order_totals#2/2', 'order_totals_2'];
    for (const [at, part] of parts.entries()) {
      await put(store, lease, [], { parked: { projection: part, added: [aside(1, `Order-${at}`)], removed: [] } });
    }
    expect((await store.projections.parkedStreams(projection, 0)).toSorted()).toEqual(['Order-0', 'Order-1']);
    expect((await store.projections.parked({ projection })).map((each) => each.projection)).toEqual(parts.slice(0, 2));
    expect(await store.projections.parkedStreams('order_totals#2/2', 0)).toEqual(['Order-1']);
    expect(await store.projections.countParked()).toEqual([
      { projection, events: 2 },
      { projection: 'order_totals_2', events: 1 },
    ]);
  },
});
