import { expect } from 'vitest';
import type { ReadModel, TableSpec } from '../../src/domain/read-model.js';
import { toTableIdentifiers } from '../../src/projection/define/sql-tag.js';
import type { Lease } from '../../src/store/store.js';
import type { TestStore } from '../support/engines.js';
import { append, errorOf, makeEvents } from '../support/events.js';
import {
  buildNext,
  checkpointOf,
  expectFold,
  positionOf,
  readTotals,
  request,
  runBatch,
  runToHead,
  startProjection,
  takeLease,
  totals,
  totalsModel,
} from '../support/read-models.js';
import { suite } from './suite.js';

const options = { lockTimeoutMs: 2_000, keepOldMs: 3_600_000 };
const plan = { projection: totals.name, version: 2, codeHash: 'hash-2', tables: [totals.name] };
const target = { kind: 'rebuild' } as const;

/** A live projection at the head of a log of twelve events. */
async function startLive({ store }: TestStore) {
  const live = await startProjection(store);
  for (let index = 0; index < 6; index++) await append(store, `Order-${index % 3}`, makeEvents(2));
  const position = await runToHead(store, live);
  return { live, position };
}

/** A table with a number of its own and an index. */
function ofStatements({ engine }: TestStore, name: string): ReadModel {
  const number = engine === 'postgres' ? 'serial primary key' : 'integer primary key';
  return {
    kind: 'sql',
    tables: [name],
    create: (physical) => {
      const { [name]: table = { name: '', index: () => ({ name: '' }) } } = toTableIdentifiers([name], physical);
      const named = (identifier: { readonly name: string }) => ({ kind: 'identifier', name: identifier.name }) as const;
      const text = (sql: string) => ({ kind: 'text', text: sql }) as const;
      return [
        { parts: [text('create table '), named(table), text(` (id ${number}, n integer)`)] },
        { parts: [text('create index '), named(table.index('by_n')), text(' on '), named(table), text(' (n)')] },
      ];
    },
  };
}

/** One of the swaps is undone. */
async function rebuildOften(
  { store, engine }: TestStore,
  projection: string,
  toModel: (name: string) => ReadModel,
): Promise<void> {
  expect(Buffer.byteLength(projection)).toBe(63);
  const model = toModel(projection);
  await store.projections.register({ name: projection, version: 1, codeHash: 'hash', model });
  const facts = async () => (await store.projections.inspectTables([projection]))[0];
  const before = await facts();
  for (let round = 1; round <= 12; round++) {
    const planned = { projection, version: 1, codeHash: 'hash', tables: [projection] };
    const { rebuild, lease } = await store.projections.startRebuild(planned, request);
    for (const { built, old } of rebuild.tables) {
      for (const derived of [built, old]) expect(Buffer.byteLength(`${derived}_idx99`)).toBeLessThanOrEqual(63);
    }
    const filling = await store.projections.createRebuildTables(rebuild, lease, model);
    const ready = await store.projections.finishFill(filling, lease, model);
    const take = () => takeLease(store, checkpointOf(projection), { ...request, steal: true });
    let swapped = await store.projections.swap(ready, { rebuild: lease, live: await take() }, options);
    if (round === 6) {
      const back = await store.projections.rollback(swapped, { rebuild: lease, live: await take() }, options);
      swapped = await store.projections.swap(back, { rebuild: lease, live: await take() }, options);
    }
    if (round % 2 === 0) await store.projections.retire(swapped);
    const after = await facts();
    expect(after?.indexes).toHaveLength(before?.indexes.length ?? 0);
    // SQLite cannot rename an index.
    if (engine === 'postgres' && model.kind === 'table') expect(after).toEqual({ ...before, estimatedRows: 0 });
  }
}

export const rebuildSuite = suite('rebuild', {
  'planned → filling → ready → swapped → retired': async (test) => {
    const { store, raw } = test;
    const { live, position } = await startLive(test);
    const started = await store.projections.startRebuild(plan, request);
    expect(started.rebuild).toMatchObject({ state: 'planned', projection: totals.name, version: 2, position: 0 });
    const filling = await store.projections.createRebuildTables(started.rebuild, started.lease, totalsModel);
    expect(filling.state).toBe('filling');
    const [table] = filling.tables;
    expect(table?.live).toBe(totals.name);
    const built = table?.built ?? '';
    await runBatch(store, started.lease, 0, { table: built, side: 'built', batchSize: 5 });
    expect((await store.projections.rebuilds(totals.name))[0]?.position).toBeGreaterThan(0);
    expect(await positionOf(store)).toBe(position);
    await expectFold(store, position);
    const [{ position: cursor = 0 } = {}] = await store.projections.rebuilds(totals.name);
    await runToHead(store, { ...started.lease, position: cursor }, { table: built, side: 'built', batchSize: 5 });
    const ready = await store.projections.finishFill(filling, started.lease, totalsModel);
    expect(ready).toMatchObject({ state: 'ready', position });
    await expectFold(store, position, built);
    const swapped = await store.projections.swap(ready, { rebuild: started.lease, live }, options);
    expect(swapped).toMatchObject({ state: 'swapped', old: { version: 1, codeHash: 'hash-1', position } });
    expect(Date.parse(swapped.keepOldUntil ?? '')).toBeGreaterThan(Date.parse(swapped.swappedAt ?? ''));
    expect(await store.projections.list()).toMatchObject([
      { version: 2, codeHash: 'hash-2', generation: live.generation + 1 },
    ]);
    await expectFold(store, position);
    expect(await store.projections.countRows(table?.old ?? '')).toBe(3);
    const retired = await store.projections.retire(swapped);
    expect(retired.state).toBe('retired');
    const [old] = await store.projections.inspectTables([table?.old ?? '']);
    expect(old?.exists).toBe(false);
    expect(await raw.query('select count(*) as n from order_totals')).toHaveLength(1);
    expect((await store.projections.rebuilds()).map(({ state }) => state)).toEqual(['retired']);
  },

  'one rebuild of a projection at a time, and again after it': async (test) => {
    const { store, open } = test;
    const { live } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 2);
    const other = await open();
    const error = await errorOf('E_LOCK_HELD', other.projections.startRebuild(plan, { ...request, owner: 'other' }));
    expect(`${error.message} ${error.why} ${JSON.stringify(error.details)}`).toContain(String(rebuild.id));
    const swapped = await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    const fresh = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
    const next = await buildNext(store, 3);
    expect(next.rebuild.tables[0]?.built).not.toBe(swapped.tables[0]?.built);
    await store.projections.swap(next.rebuild, { rebuild: next.lease, live: fresh }, options);
    expect(await store.projections.list()).toMatchObject([{ version: 3 }]);
    const states = (await store.projections.rebuilds(totals.name)).map(({ version, state }) => [version, state]);
    expect(states.map(([version]) => version)).toEqual([3, 2]);
    await expectFold(store, (await store.log.head()).safeHead);
  },

  'the same version can be rebuilt': async (test) => {
    const { store } = test;
    const { live, position } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 1);
    await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    await expectFold(store, position);
  },

  'a rebuild behind the live table is not swapped in': async (test) => {
    const { store } = test;
    const { live, position } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 2, { to: position - 1 });
    await errorOf('E_SUPERSEDED', store.projections.swap(rebuild, { rebuild: lease, live }, options));
    expect(await store.projections.list()).toMatchObject([{ version: 1 }]);
    await expectFold(store, position);
    const built = rebuild.tables[0]?.built ?? '';
    await runToHead(store, { ...lease, position: position - 1 }, { table: built, side: 'built' });
    const [caughtUp] = await store.projections.rebuilds(totals.name);
    if (caughtUp === undefined) throw new Error('the rebuild is gone');
    await store.projections.swap(caughtUp, { rebuild: lease, live }, options);
    await expectFold(store, position);
  },

  'W11: a runner of the old table is superseded by the swap': async (test) => {
    const { store } = test;
    const { live, position } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 2);
    await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    await append(store, 'Order-1', makeEvents(2));
    await errorOf('E_SUPERSEDED', runBatch(store, live, position));
    const fresh = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
    expect(fresh.generation).toBeGreaterThan(live.generation);
    const head = await runToHead(store, fresh);
    await expectFold(store, head);
  },

  'a lost lease does not swap': async (test) => {
    const { store, open } = test;
    const { live, position } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 2);
    const other = await open();
    const stolen = await takeLease(other, checkpointOf(totals.name), { ...request, owner: 'thief', steal: true });
    await errorOf('E_SUPERSEDED', store.projections.swap(rebuild, { rebuild: lease, live }, options));
    const again = await takeLease(other, { ...target, id: rebuild.id }, { ...request, owner: 'thief', steal: true });
    await errorOf('E_SUPERSEDED', store.projections.swap(rebuild, { rebuild: lease, live: stolen }, options));
    await errorOf(
      'E_SUPERSEDED',
      runBatch(store, lease, position, { table: rebuild.tables[0]?.built ?? '', side: 'built' }).then((to) =>
        store.projections.apply({
          lease,
          side: 'built',
          from: to,
          to: to + 1,
          lastEventId: null,
          changes: { kind: 'rows', spec: totals, table: rebuild.tables[0]?.built ?? '', upserts: [], deletes: [] },
        }),
      ),
    );
    await store.projections.swap(rebuild, { rebuild: again, live: stolen }, options);
    await expectFold(store, position);
  },

  'W12: a rollback puts the old table back': async (test) => {
    const { store } = test;
    const { live, position } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 2);
    const swapped = await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    const fresh = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
    await append(store, 'Order-9', makeEvents(40));
    const head = await runToHead(store, fresh);
    const old = swapped.tables[0]?.old ?? '';
    const side = await takeLease(store, { ...target, id: swapped.id }, { ...request, steal: true });
    await runToHead(store, { ...side, position }, { table: old, side: 'old', batchSize: 7 });
    await expectFold(store, head, old);
    const current = (await store.projections.rebuilds(totals.name))[0] ?? swapped;
    const back = await store.projections.rollback(current, { rebuild: side, live: fresh }, options);
    expect(back.state).toBe('ready');
    expect(await store.projections.list()).toMatchObject([{ version: 1, codeHash: 'hash-1' }]);
    expect(await positionOf(store)).toBe(head);
    await expectFold(store, head);
    await append(store, 'Order-9');
    await errorOf('E_SUPERSEDED', runBatch(store, fresh, head));
    const last = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
    await expectFold(store, await runToHead(store, last));
    const aborted = await store.projections.abort(back, side);
    expect(aborted.state).toBe('aborted');
    await expectFold(store, (await store.log.head()).safeHead);
  },

  'a rollback to a table that lies behind is refused': async (test) => {
    const { store } = test;
    const { live } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 2);
    const swapped = await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    const fresh = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
    await append(store, 'Order-9', makeEvents(3));
    const head = await runToHead(store, fresh);
    const side = await takeLease(store, { ...target, id: swapped.id }, { ...request, steal: true });
    await errorOf('E_SUPERSEDED', store.projections.rollback(swapped, { rebuild: side, live: fresh }, options));
    expect(await store.projections.list()).toMatchObject([{ version: 2 }]);
    expect(await positionOf(store)).toBe(head);
    await expectFold(store, head);
  },

  'abort drops what was built and nothing else': async (test) => {
    const { store, raw } = test;
    const { position } = await startLive(test);
    const before = await readTotals(store);
    const { rebuild, lease } = await buildNext(store, 2);
    const built = rebuild.tables[0]?.built ?? '';
    await raw.query(`create table ${built}_of_mine (n integer)`);
    expect((await store.projections.abort(rebuild, lease)).state).toBe('aborted');
    const [gone, mine] = await store.projections.inspectTables([built, `${built}_of_mine`]);
    expect([gone?.exists, mine?.exists]).toEqual([false, true]);
    expect(await readTotals(store)).toEqual(before);
    await expectFold(store, position);
    const planned = await store.projections.startRebuild(plan, request);
    expect((await store.projections.abort(planned.rebuild, planned.lease)).state).toBe('aborted');
    await buildNext(store, 3);
  },

  'an empty log swaps': async (test) => {
    const live = await startProjection(test.store);
    const { rebuild, lease } = await buildNext(test.store, 2);
    await test.store.projections.swap(rebuild, { rebuild: lease, live }, options);
    expect(await test.store.projections.countRows(totals.name)).toBe(0);
  },

  'W9: an index made since the rebuild began refuses the swap': async (test) => {
    const { store, raw } = test;
    const { live, position } = await startLive(test);
    const { rebuild, lease } = await buildNext(store, 2);
    await raw.query('create index somebody_needs_this on order_totals (events)');
    const error = await errorOf('E_UNSAFE_STORE', store.projections.swap(rebuild, { rebuild: lease, live }, options));
    expect(`${error.message} ${error.why}`).toContain('somebody_needs_this');
    await expectFold(store, position);
    await raw.query('drop index somebody_needs_this');
    await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    await expectFold(store, position);
  },

  'another shape under the same name': async (test) => {
    const { store, raw } = test;
    const { live, position } = await startLive(test);
    const spec: TableSpec = {
      ...totals,
      columns: [...totals.columns, { name: 'note', type: 'text' }],
      indexes: [{ columns: ['events', 'total'], unique: false }],
    };
    const model: ReadModel = { kind: 'table', spec };
    const { rebuild, lease } = await buildNext(store, 2, { model });
    await store.projections.swap(rebuild, { rebuild: lease, live }, options);
    expect(await raw.query('select note from order_totals')).toHaveLength(3);
    await expectFold(store, position);
    const fresh = await takeLease(store, checkpointOf(totals.name), { ...request, steal: true });
    const next = await buildNext(store, 3);
    await store.projections.swap(next.rebuild, { rebuild: next.lease, live: fresh }, options);
    const [facts] = await store.projections.inspectTables([totals.name]);
    // SQLite cannot rename an index, so it has the number of its rebuild; the one that was left out is gone.
    const [table] = next.rebuild.tables;
    const indexes = test.engine === 'postgres' ? ['order_totals_idx1', 'order_totals_pkey'] : [`${table?.built}_idx1`];
    expect(facts?.indexes).toEqual(indexes);
  },

  'W7: a table whose name has 63 bytes is rebuilt twelve times, with its indexes': (test) =>
    rebuildOften(test, 'a'.repeat(63), (name) => ({ kind: 'table', spec: { ...totals, name } })),
  'W7: a table of statements whose name has 63 bytes is rebuilt twelve times, with its index and its sequence': (
    test,
  ) => rebuildOften(test, 'b'.repeat(63), (name) => ofStatements(test, name)),
  'W7: a table with a Polish name of 63 bytes is rebuilt twelve times': (test) =>
    rebuildOften(test, `${'zażółć_gęślą_jaźń_'.repeat(2)}za_pasów`, (name) => ofStatements(test, name)),
  'W7: a table with a Chinese name of 63 bytes is rebuilt twelve times': (test) =>
    rebuildOften(test, '订单汇总表格名称很长很长'.repeat(2).slice(0, 21), (name) => ({
      kind: 'table',
      spec: { ...totals, name },
    })),

  'a read model outside the database: which one is live moves with the version': async ({ store }) => {
    const external = { name: 'order_search', version: 1, codeHash: 'hash-1', model: { kind: 'external' } } as const;
    const record = await store.projections.register(external);
    expect(record).toMatchObject({ target: 'order_search__v1', tables: [] });
    const live = await takeLease(store, checkpointOf(external.name));
    for (let index = 0; index < 3; index++) await append(store, `Order-${index}`, makeEvents(2));
    const { safeHead } = await store.log.head();
    const moved = (lease: Lease, side?: 'built' | 'old') =>
      store.projections.apply({
        lease,
        ...(side !== undefined && { side }),
        from: 0,
        to: safeHead,
        lastEventId: null,
        changes: { kind: 'statements', statements: [] },
      });
    await moved(live);
    const started = await store.projections.startRebuild(
      { projection: external.name, version: 2, codeHash: 'hash-2', tables: [] },
      request,
    );
    const target = `order_search__v2_${started.rebuild.id}`;
    expect(started.rebuild).toMatchObject({ target, oldTarget: null });
    const filling = await store.projections.createRebuildTables(started.rebuild, started.lease, external.model);
    await moved(started.lease, 'built');
    const ready = await store.projections.finishFill(filling, started.lease, external.model);
    const swapped = await store.projections.swap(ready, { rebuild: started.lease, live }, options);
    expect(swapped).toMatchObject({ state: 'swapped', target, oldTarget: 'order_search__v1' });
    expect(await store.projections.list()).toMatchObject([{ version: 2, codeHash: 'hash-2', target }]);
    const after = await takeLease(store, checkpointOf(external.name), { ...request, steal: true });
    const back = await store.projections.rollback(
      swapped,
      { rebuild: started.lease, live: after },
      { lockTimeoutMs: 2_000 },
    );
    expect(back).toMatchObject({ state: 'ready', target, oldTarget: null });
    expect(await store.projections.list()).toMatchObject([{ version: 1, target: 'order_search__v1' }]);
    const again = await takeLease(store, checkpointOf(external.name), { ...request, steal: true });
    await store.projections.swap(back, { rebuild: started.lease, live: again }, options);
    expect(await store.projections.retire(swapped)).toMatchObject({ state: 'retired', oldTarget: 'order_search__v1' });
    expect(await store.projections.list()).toMatchObject([{ version: 2, target }]);
  },

  'a read model outside the database has a name of at most 63 characters': async ({ store }) => {
    const names = ['a', 'b'].map((last) => `${'x'.repeat(62)}${last}`);
    const targets = new Set<string>();
    for (const name of names) {
      const model = { kind: 'external' } as const;
      targets.add((await store.projections.register({ name, version: 1, codeHash: '', model })).target ?? '');
      const started = await store.projections.startRebuild(
        { projection: name, version: 2_000_000_000, codeHash: '', tables: [] },
        request,
      );
      targets.add(started.rebuild.target ?? '');
    }
    expect(targets.size).toBe(4);
    for (const target of targets) expect(target).toMatch(/^x[a-z0-9_]{0,62}$/);
  },
});
