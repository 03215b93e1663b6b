/** Functions of an external projection that never finish: each ends the work in time, by name, and the work can be done later. */
import { describe, expect, it } from 'vitest';
import { defineExternalProjection, type ExternalProjection } from '../../src/projection/define/definition.js';
import type { PreparedExternalProjection } from '../../src/projection/define/prepare.js';
import { abortRebuild } from '../../src/projection/journal/drop.js';
import { findUnfinished } from '../../src/projection/journal/find.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent } from '../support/events.js';
import { positionOf } from '../support/read-models.js';
import { rebuildProjection } from '../support/rebuild.js';
import { prepare, runOnce } from './orders.js';

type Part = 'open' | 'write' | 'promote' | 'count' | 'drop' | 'close';

/** Aborted signals of calls that hung. */
let given: AbortSignal[] = [];

/** @param hangs the functions that return a promise which nothing settles */
function external(hangs: readonly Part[], version = 1, change: Partial<ExternalProjection> = {}) {
  const answer = async <T>(part: Part, value: T, signal?: AbortSignal): Promise<T> => {
    if (!hangs.includes(part)) return value;
    if (signal !== undefined) given.push(signal);
    return new Promise<T>(() => {});
  };
  return prepare(
    defineExternalProjection({
      name: 'search',
      version,
      timeout: '50ms',
      open: (_target, { signal }) => answer('open', { close: () => answer('close', undefined) }, signal),
      write: (_connection, _batch, _target, { signal }) => answer('write', undefined, signal),
      promote: (_connection, _target, _previous, { signal }) => answer('promote', undefined, signal),
      count: (_connection, _target, { signal }) => answer('count', 1, signal),
      drop: (_target, { signal }) => answer('drop', undefined, signal),
      ...change,
    }),
  ) as PreparedExternalProjection;
}

const rebuildOptions = {
  owner: 'host:9',
  mode: 'auto',
  swap: true,
  verify: 'count',
  lockTimeoutMs: 500,
  maxWaitMs: 10_000,
  keepOldMs: 3_600_000,
  signal: new AbortController().signal,
  progress: () => {},
} as const;

forEachEngine((engine) => {
  describe('an external projection that never finishes', () => {
    it.each(['open', 'write', 'promote'] as const)(
      '%s ends a run in time, and the next run continues',
      async (part) => {
        await withTestStore(engine, async ({ store }) => {
          await append(store, 'Order-1', [makeEvent()]);
          given = [];
          const { results } = await runOnce(store, [external([part])]);
          const [{ error } = { error: null }] = results;
          expect(error).toMatchObject({
            code: 'E_HANDLER',
            message: expect.stringMatching(`search failed to ${part}`),
          });
          expect(error?.why).toContain(`${part} took longer than 50ms.`);
          expect(error?.why).toContain('raise timeout in the definition of search.');
          expect(given.map(({ aborted }) => aborted)).toEqual([true]);
          expect((await runOnce(store, [external([])])).results).toMatchObject([{ error: null, position: 1 }]);
        });
      },
    );

    it.each(['write', 'count', 'promote'] as const)(
      '%s ends a rebuild in time, and it can be resumed',
      async (part) => {
        await withTestStore(engine, async ({ store }) => {
          await append(store, 'Order-1', [makeEvent()]);
          await runOnce(store, [external([])]);
          const options = { ...rebuildOptions, store };
          const error = await errorOf('E_HANDLER', rebuildProjection({ ...options, projection: external([part], 2) }));
          expect(error.why).toContain(`${part} took longer than 50ms.`);
          expect(await rebuildProjection({ ...options, projection: external([], 2) })).toMatchObject({
            outcome: 'swapped',
          });
        });
      },
    );

    it('drop ends an abort in time, and it can be repeated', async () => {
      await withTestStore(engine, async ({ store }) => {
        await append(store, 'Order-1', [makeEvent()]);
        await rebuildProjection({ ...rebuildOptions, store, swap: false, projection: external([], 2) });
        const rebuild = await findUnfinished(store, 'search');
        if (rebuild === undefined) throw new Error('no rebuild');
        const options = { store, owner: 'host:9', signal: new AbortController().signal };
        const error = await errorOf('E_HANDLER', abortRebuild({ ...options, code: external(['drop'], 2) }, rebuild));
        expect(error.why).toContain('drop took longer than 50ms.');
        expect(await abortRebuild({ ...options, code: external([], 2) }, rebuild)).toMatchObject({ state: 'aborted' });
      });
    });

    it.each(['12', undefined, 1.5])('count that returns %o ends a rebuild: it would verify nothing', async (rows) => {
      await withTestStore(engine, async ({ store }) => {
        await append(store, 'Order-1', [makeEvent()]);
        await runOnce(store, [external([])]);
        const projection = external([], 2, { count: () => rows as number });
        const error = await errorOf('E_HANDLER', rebuildProjection({ ...rebuildOptions, store, projection }));
        expect(error.why).toMatch(/count.*: TypeError: it returned .*, not a whole number\./);
      });
    });

    it('a write that finishes just in time is applied', async () => {
      await withTestStore(engine, async ({ store }) => {
        await append(store, 'Order-1', [makeEvent()]);
        const slow = external([], 1, {
          timeout: '1m',
          write: () => new Promise((resolve) => setTimeout(resolve, 100)),
        });
        expect((await runOnce(store, [slow])).results).toMatchObject([{ error: null, events: 1 }]);
        expect(await positionOf(store, 'search')).toBe(1);
      });
    });
  });
});
