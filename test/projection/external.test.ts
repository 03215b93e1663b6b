/** Rows outside the store's database: full-text search in another file, on stores of both engines. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import type { ExternalProjection } from '../../src/projection/definition.js';
import { takeInventory } from '../../src/projection/inventory.js';
import { type RebuildOptions, rebuildProjection } from '../../src/projection/rebuild.js';
import { retireRebuild } from '../../src/projection/rebuild-lease.js';
import { planRollback, rollBack } from '../../src/projection/rollback.js';
import { swapReady } from '../../src/projection/swap.js';
import type { Store } from '../../src/store/store.js';
import orderText from '../../templates/projection/order-text.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent } from '../support/events.js';
import { positionOf } from '../support/read-models.js';
import { prepare, runOnce } from './orders.js';

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
    it('is found by readers, and listed with its target', async () => {
      await withTestStore(engine, async ({ store }) => {
        await writeNotes(store, 1, 30);
        const { results } = await runOnce(store, [first], { batchSize: 7 });
        expect(results).toMatchObject([{ error: null, position: 30, events: 30 }]);
        expect(search('ada')).toEqual(upTo(30));
        expect(search('gift7')).toEqual([7]);
        expect(await takeInventory(store, [{ ...first, file: '/p.ts' }])).toMatchObject([
          { name, state: 'current', target: 'order_text__v1', tables: [], position: 30, estimatedRows: null },
        ]);
        await writeNotes(store, 31, 40);
        await runOnce(store, [first]);
        expect(search('ada')).toEqual(upTo(40));
        expect(await positionOf(store, name)).toBe(40);
      });
    });

    it('takes the batch again when the process died between the write and the checkpoint', async () => {
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

    it('stops where write throws, with the positions of the batch', async () => {
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

    it('rebuilds beside the live one, swaps, goes back, and drops what is over', async () => {
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
  });
});
