/** Rows outside the store's database: full-text search in another file, on stores of both engines. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import { CatchUp } from '../../src/projection/catch-up/catch-up.js';
import type { ExternalProjection } from '../../src/projection/define/definition.js';
import type { PreparedProjection } from '../../src/projection/define/prepare.js';
import type { ErrorPolicy } from '../../src/projection/define/set-aside.js';
import { abortRebuild, retireRebuild } from '../../src/projection/journal/drop.js';
import { findUnfinished } from '../../src/projection/journal/find.js';
import { planRebuilds, rebuildPlanned } from '../../src/projection/rebuild/rebuild.js';
import { takeInventory } from '../../src/projection/status/inventory.js';
import { planRollback, rollBack } from '../../src/projection/swap/rollback.js';
import { swapReady } from '../../src/projection/swap/swap.js';
import type { Store } from '../../src/store/store.js';
import orderText from '../../templates/projection/order-text.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent } from '../support/events.js';
import { positionOf } from '../support/read-models.js';
import { type RebuildOptions, rebuildProjection } from '../support/rebuild.js';
import { until } from '../support/wait.js';
import { orderSummary, prepare, runOnce } from './orders.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-external-'));
  process.env.SEARCH_DB = join(folder, 'search.db');
});
afterEach(() => {
  delete process.env.SEARCH_DB;
  rmSync(folder, { recursive: true, force: true });
});

const name = orderText.name;
const first = prepare(orderText);
const second = prepare({ ...orderText, version: 2 });

/** As a reader does, by the name that does not change: positions of the entries. */
function search(words: string): readonly number[] {
  const database = new Database(process.env.SEARCH_DB, { readonly: true });
  try {
    return database
      .prepare('select stream_id from order_text where words match ? order by stream_id')
      .pluck()
      .all(words)
      .map((streamId) => Number(String(streamId).slice('Order-'.length)));
  } finally {
    database.close();
  }
}

function tables(): readonly unknown[] {
  const database = new Database(process.env.SEARCH_DB, { readonly: true });
  try {
    return database.prepare("select name from pragma_table_list where type = 'virtual' order by name").pluck().all();
  } finally {
    database.close();
  }
}

async function writeNotes(store: Store, from: number, to: number): Promise<void> {
  for (let index = from; index <= to; index += 1) {
    const data = JSON.stringify({ customer: 'ada', note: `gift${index}` });
    await append(store, `Order-${index}`, [makeEvent({ type: 'OrderPlaced', data })]);
  }
}

const upTo = (last: number): readonly number[] =>
  Array.from({ length: last }, (_, index) => index + 1).sort((a, b) => (`${a}` < `${b}` ? -1 : 1));

function options(store: Store, changes: Partial<RebuildOptions> = {}): RebuildOptions {
  return {
    store,
    projection: second,
    owner: 'host:9',
    mode: 'auto',
    swap: true,
    verify: 'count',
    lockTimeoutMs: 500,
    maxWaitMs: 10_000,
    keepOldMs: 3_600_000,
    signal: new AbortController().signal,
    progress: () => {},
    ...changes,
  };
}

async function targetOf(store: Store): Promise<string | null | undefined> {
  return (await store.projections.list()).find((record) => record.name === name)?.target;
}

/** The store, and one method of its projections replaced. */
function withMethod<Name extends keyof Store['projections']>(
  store: Store,
  method: Name,
  replacement: Store['projections'][Name],
): Store {
  const projections = new Proxy(store.projections, {
    get: (target, key) => {
      if (key === method) return replacement;
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return { log: store.log, schema: store.schema, engine: store.engine, projections } as Store;
}

const changed = (change: Partial<ExternalProjection>) => prepare({ ...orderText, ...change });

forEachEngine((engine) => {
  describe('an external projection', () => {
    it('is promoted for readers, and listed with its target', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 30);
        const { results } = await runOnce(store, [first], { batchSize: 7 });
        expect(results).toMatchObject([{ error: null, position: 30, events: 30 }]);
        expect(search('ada')).toEqual(upTo(30));
        expect(search('gift7')).toEqual([7]);
        expect(
          await takeInventory(store, { found: [{ ...first, file: '/p.ts' }], failures: [], without: [] }),
        ).toMatchObject([
          { name, state: 'current', target: 'order_text__v1', tables: [], position: 30, estimatedRows: null },
        ]);
        await writeNotes(store, 31, 40);
        await runOnce(store, [first]);
        expect(search('ada')).toEqual(upTo(40));
        expect(await positionOf(store, name)).toBe(40);
      });
    });

    it('gets a batch again after a crash between the write and the checkpoint', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 20);
        const dying = withMethod(store, 'apply', async () => {
          throw new EvstoreError('E_BUG', 'the process is gone');
        });
        const { results } = await runOnce(dying, [first], { batchSize: 20 });
        expect(results).toMatchObject([{ error: { code: 'E_BUG' } }]);
        expect(search('ada')).toEqual(upTo(20));
        expect(await positionOf(store, name)).toBe(0);
        await runOnce(store, [first]);
        expect(search('ada')).toEqual(upTo(20));
        expect(await positionOf(store, name)).toBe(20);
      });
    });

    it('stops when write throws, with the positions of the batch', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 20);
        const refusing = changed({
          write: (database, batch, target, context) => {
            if (batch.to > 10) throw new Error('the index is read-only');
            return orderText.write(database, batch, target, context);
          },
        });
        const { results } = await runOnce(store, [refusing], { batchSize: 5 });
        expect(results).toMatchObject([
          {
            position: 10,
            error: {
              code: 'E_HANDLER',
              message: 'projection order_text failed to write positions 11 to 15 to order_text__v1',
              details: { from: 10, to: 15, events: 5, target: 'order_text__v1' },
            },
          },
        ]);
        const alone = await runOnce(store, [refusing], { batchSize: 1 });
        expect(alone.results[0]?.error?.message).toContain('failed to write position 11 to');
        const [checkpoint] = await store.projections.checkpoints();
        expect(checkpoint).toMatchObject({
          position: 10,
          owner: null,
          lastError: expect.stringContaining('read-only'),
        });
        await runOnce(store, [first]);
        expect(search('ada')).toEqual(upTo(20));
      });
    });

    it('rebuilds alongside the live target, swaps, rolls back, and drops expired targets', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 20);
        await runOnce(store, [first]);
        const report = await rebuildProjection(options(store, { batchSize: 6 }));
        expect(report).toMatchObject({ outcome: 'swapped', events: 20, rows: { live: 20, rebuilt: 20 } });
        const built = `order_text__v2_${report.rebuild}`;
        expect(await targetOf(store)).toBe(built);
        expect(tables()).toEqual(['order_text__v1', built]);
        await writeNotes(store, 21, 30);
        await runOnce(store, [second]);
        expect(search('ada')).toEqual(upTo(30));
        const plan = await planRollback(store, name, first);
        expect(plan).toMatchObject({ hasOldCode: true, oldPosition: 20 });
        await rollBack(options(store), plan, first);
        expect(await targetOf(store)).toBe('order_text__v1');
        expect(search('ada')).toEqual(upTo(30));
        await swapReady(options(store), second);
        const [swapped] = await store.projections.rebuilds(name);
        if (swapped === undefined) throw new Error('the rebuild is gone');
        const drop = { ...options(store), code: undefined };
        expect((await errorOf('E_NOT_FOUND', retireRebuild(drop, swapped))).why).toContain('order_text__v1');
        await retireRebuild({ ...drop, code: second }, swapped);
        expect(tables()).toEqual([built]);
        expect(search('ada')).toEqual(upTo(30));
        expect((await store.projections.rebuilds(name)).map(({ state }) => state)).toEqual(['retired']);
      });
    });

    it('parks the event that an error names, and stops at an error that names none', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 12);
        const picky = changed({
          write: (database, batch, target, context) => {
            const bad = batch.events.find(({ streamId }) => streamId === 'Order-5');
            if (bad !== undefined)
              throw Object.assign(new Error('no such field'), { globalPosition: bad.globalPosition });
            return orderText.write(database, batch, target, context);
          },
        });
        const stopped = await runOnce(store, [picky]);
        expect(stopped.results).toMatchObject([
          { position: 4, error: { code: 'E_HANDLER', details: { globalPosition: 5, target: 'order_text__v1' } } },
        ]);
        expect(search('ada')).toEqual([1, 2, 3, 4]);
        const position = await catchUpWith(store, picky, { onError: 'park', retries: 1 });
        expect(position).toBe(12);
        expect(search('ada')).toEqual(upTo(12).filter((order) => order !== 5));
        expect(await store.projections.parkedStreams(name, 0)).toEqual(['Order-5']);
        await writeNotes(store, 13, 14);
        const gone = changed({ write: () => Promise.reject(new Error('ECONNREFUSED')) });
        const error = await errorOf('E_HANDLER', catchUpWith(store, gone, { onError: 'park', retries: 1 }));
        expect(error.message).toContain('positions 13 to 14');
        expect(await positionOf(store, name)).toBe(12);
      });
    });

    it('retries a whole batch', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 6);
        const batches: number[] = [];
        const shaky = changed({
          write: (database, batch, target, context) => {
            batches.push(batch.events.length);
            if (batches.length < 3) throw new Error('busy');
            return orderText.write(database, batch, target, context);
          },
        });
        expect(await catchUpWith(store, shaky, { onError: 'stop', retries: 2 })).toBe(6);
        expect(batches).toEqual([6, 6, 6]);
      });
    });

    it('passes upcast events to write, and names the event an upcaster throws on', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 3);
        const up = (data: { note: string }) => {
          if (data.note === 'gift3') throw new Error('what is this?');
          return { ...data, note: `${data.note} upcast` };
        };
        const upcasting = changed({ upcasters: [{ type: 'OrderPlaced', from: 1, to: 2, up }] });
        expect((await runOnce(store, [upcasting])).results).toMatchObject([
          { position: 2, error: { code: 'E_HANDLER', details: { globalPosition: 3 } } },
        ]);
        expect(search('upcast')).toEqual([1, 2]);
      });
    });

    it('stops while a write hangs without waiting for it, and releases the lease', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 5);
        const stopping = new AbortController();
        let told: AbortSignal | undefined;
        const hanging = changed({
          write: (_database, _batch, _target, { signal }) => {
            told = signal;
            setImmediate(() => stopping.abort());
            return new Promise(() => {});
          },
        });
        const { results } = await runOnce(store, [hanging], { signal: stopping.signal });
        expect(results).toMatchObject([{ position: 0, error: null }]);
        expect(told?.aborted).toBe(true);
        expect((await store.projections.checkpoints())[0]).toMatchObject({ position: 0, owner: null });
        await runOnce(store, [first]);
        expect(search('ada')).toEqual(upTo(5));
      });
    });

    it('does not delay other rebuilds while one of its calls hangs', async () => {
      await withTestStore(engine, async ({ store }) => {
        const data = '{"customer":"ada","note":"gift","total":1}';
        await append(store, 'Order-1', [makeEvent({ type: 'OrderPlaced', data })]);
        for (const call of ['open', 'write', 'promote'] as const) {
          const stopping = new AbortController();
          const hanging = changed({ version: 2, [call]: () => new Promise(() => {}) });
          const planned = await planRebuilds(store, [hanging, prepare(orderSummary)], 'restart');
          const rebuilding = rebuildPlanned(options(store, { signal: stopping.signal }), planned);
          try {
            await until(async () => {
              const [rebuild] = await store.projections.rebuilds(orderSummary.name);
              return rebuild?.state === 'swapped';
            });
          } finally {
            stopping.abort();
          }
          expect((await rebuilding).map(({ outcome }) => outcome)).toEqual(['interrupted', 'swapped']);
          const unfinished = await findUnfinished(store, name);
          if (unfinished !== undefined) {
            const { signal } = new AbortController();
            await abortRebuild({ store, owner: 'host:9', code: second, signal }, unfinished);
          }
          const [swapped] = await store.projections.rebuilds(orderSummary.name);
          if (swapped?.state === 'swapped') await store.projections.retire(swapped);
        }
      });
    });

    it('may be written late by a superseded runner, which does not move the checkpoint', async () => {
      await withTestStore(engine, async ({ store, open }) => {
        await writeNotes(store, 1, 5);
        const other = await open();
        const frozen = changed({
          write: async (database, batch, target, context) => {
            const [checkpoint] = await other.projections.checkpoints();
            if (checkpoint?.position === 0) {
              const target = { kind: 'checkpoint', subscriptionId: name } as const;
              const answer = await other.projections.acquireLease(target, { owner: 'b', ttlMs: 50, steal: true });
              if (!answer.held) await other.projections.releaseLease(answer.lease);
              const { results } = await runOnce(other, [first], { owner: 'host:2' });
              expect(results).toMatchObject([{ error: null, position: 5 }]);
            }
            return orderText.write(database, batch, target, context);
          },
        });
        const { results, news } = await runOnce(store, [frozen], { batchSize: 2, ttlMs: 1_000 });
        expect(news).toContainEqual(expect.objectContaining({ kind: 'superseded' }));
        expect(results).toMatchObject([{ error: null, position: 5, events: 0 }]);
        expect(search('ada')).toEqual(upTo(5));
      });
    });

    it('is promoted again as the store has it after a swap died between promoting and committing', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 10);
        await runOnce(store, [first]);
        const dying = withMethod(store, 'swap', async () => {
          throw new EvstoreError('E_BUG', 'the process is gone');
        });
        await errorOf('E_BUG', rebuildProjection(options(dying)));
        const unfinished = await findUnfinished(store, name);
        expect(unfinished).toMatchObject({ state: 'ready', target: expect.stringContaining('__v2_') });
        expect(await targetOf(store)).toBe('order_text__v1');
        expect(view()).toContain(unfinished?.target);
        await writeNotes(store, 11, 15);
        await runOnce(store, [first]);
        expect(view()).toContain('order_text__v1');
        expect(search('ada')).toEqual(upTo(15));
        await swapReady(options(store), second);
        expect(await targetOf(store)).toBe(unfinished?.target);
        expect(view()).toContain(unfinished?.target);
        expect(search('ada')).toEqual(upTo(15));
      });
    });

    it('stays live for readers when an already promoted rebuild is aborted', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 10);
        await runOnce(store, [first]);
        const dying = withMethod(store, 'swap', async () => {
          throw new EvstoreError('E_BUG', 'the process is gone');
        });
        await errorOf('E_BUG', rebuildProjection(options(dying)));
        const unfinished = await findUnfinished(store, name);
        if (unfinished === undefined) throw new Error('the rebuild is gone');
        const drop = { ...options(store), code: undefined };
        expect((await errorOf('E_NOT_FOUND', abortRebuild(drop, unfinished))).message).toContain('not loaded');
        const failing = changed({ drop: () => Promise.reject(new Error('503')) });
        const failure = await errorOf('E_HANDLER', abortRebuild({ ...drop, code: failing }, unfinished));
        expect(failure.message).toBe(`projection order_text failed to drop ${unfinished.target}`);
        expect(await findUnfinished(store, name)).toMatchObject({ state: 'ready' });
        await abortRebuild({ ...drop, code: second }, unfinished);
        expect(view()).toContain('order_text__v1');
        expect(tables()).toEqual(['order_text__v1']);
        expect(search('ada')).toEqual(upTo(10));
      });
    });

    it('rolls back to the position of the old target when its code is not loaded', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 10);
        await runOnce(store, [first]);
        await rebuildProjection(options(store));
        await writeNotes(store, 11, 15);
        await runOnce(store, [second]);
        const plan = await planRollback(store, name, second);
        expect(plan.hasOldCode).toBe(false);
        expect((await errorOf('E_NOT_FOUND', rollBack(options(store), plan, undefined))).message).toContain(
          'not loaded',
        );
        await rollBack(options(store), plan, second);
        expect(search('ada')).toEqual(upTo(10));
        expect(await positionOf(store, name)).toBe(10);
        await runOnce(store, [first]);
        expect(search('ada')).toEqual(upTo(15));
      });
    });

    it('can be rebuilt and restarted in an empty store where it never ran', async () => {
      await withTestStore(engine, async ({ store }) => {
        expect(await rebuildProjection(options(store, { projection: first, swap: false }))).toMatchObject({
          outcome: 'ready',
          rows: { live: null, rebuilt: 0 },
        });
        await rebuildProjection(options(store, { projection: first, mode: 'restart' }));
        expect(search('ada')).toEqual([]);
        await writeNotes(store, 1, 3);
        await runOnce(store, [first]);
        expect(search('ada')).toEqual([1, 2, 3]);
        expect(tables()).toHaveLength(1);
        const plan = await planRollback(store, name, first);
        await rollBack(options(store), plan, first);
        expect(search('ada')).toEqual([1, 2, 3]);
      });
    });

    it('refuses parts, a comparison of rows, and another kind of projection under the same name', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 3);
        const divided = await runOnce(store, [first], { part: { index: 1, of: 2 } });
        expect(divided.results).toMatchObject([{ error: { code: 'E_CONFIG' } }]);
        await runOnce(store, [first]);
        const full = await errorOf('E_USAGE', rebuildProjection(options(store, { verify: 'full' })));
        expect(full.message).toBe('the rows of order_text cannot be compared');
        expect(await store.projections.rebuilds(name)).toEqual([]);
        const inTables = prepare({ ...orderSummary, name });
        expect((await runOnce(store, [inTables])).results).toMatchObject([{ error: { code: 'E_CONFIG' } }]);
        expect((await errorOf('E_CONFIG', rebuildProjection(options(store, { projection: inTables })))).message).toBe(
          'projection order_text is no longer external',
        );
        await runOnce(store, [prepare(orderSummary)]);
        const outside = changed({ name: 'order_summary' });
        expect((await runOnce(store, [outside])).results).toMatchObject([{ error: { code: 'E_CONFIG' } }]);
      });
    });
  });
});

/** What readers read from. */
function view(): string {
  const database = new Database(process.env.SEARCH_DB, { readonly: true });
  try {
    return String(database.prepare("select sql from sqlite_schema where name = 'order_text'").pluck().get());
  } finally {
    database.close();
  }
}

/** Under a lease, to the head, with what is done with an event that fails. */
async function catchUpWith(store: Store, projection: PreparedProjection, policy: ErrorPolicy): Promise<number> {
  const record = await store.projections.register({ ...projection });
  const answer = await store.projections.acquireLease(
    { kind: 'checkpoint', subscriptionId: name },
    { owner: 'host:7', ttlMs: 60_000, steal: true },
  );
  const lease = answer.held ? undefined : answer.lease;
  if (lease === undefined) throw new Error('the lease is held');
  const catchUp = new CatchUp(store, projection, {
    lease,
    physical: () => record.target ?? '',
    isEmpty: lease.position === 0,
    position: lease.position,
    policy,
    signal: new AbortController().signal,
  });
  try {
    await catchUp.promote(null);
    for await (const _step of catchUp.steps((await store.log.head()).safeHead));
    return catchUp.position;
  } finally {
    await catchUp.close();
    await store.projections.releaseLease(lease);
  }
}
