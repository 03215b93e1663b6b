/** Imports and migrations over a wire that is cut at every point there is. */
import { describe, expect, it } from 'vitest';
import { openStoreAt } from '../../src/store/open.js';
import type { ImportedEvent, Store } from '../../src/store/store.js';
import { type TestStore, withTestStore } from '../support/engines.js';
import { append, failureOf, makeEvent, readAll } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { type Cut, startWireProxy, type WireProxy } from '../support/wire-proxy.js';

allowMoreTime('a migration is cut at each of its messages');

const cuts: readonly Cut[] = ['before', 'after', 'mid-reply'];

async function withProxy(
  body: (test: TestStore, proxy: WireProxy) => Promise<void>,
  options?: { migrated: boolean },
): Promise<void> {
  await withTestStore(
    'postgres',
    async (test) => {
      const proxy = await startWireProxy(test.url);
      try {
        await body(test, proxy);
      } finally {
        await proxy.close();
      }
    },
    options,
  );
}

async function through<T>(proxy: WireProxy, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStoreAt(proxy.url);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

describe('F11: a connection cut during an import', () => {
  it.each(cuts)('an import cut %s each message goes in once, in order', (cut) =>
    withProxy(async (test, proxy) => {
      let points = 1;
      const imported: string[] = [];
      for (let point = 0; point < points; point++) {
        const events: ImportedEvent[] = ['a', 'b', 'a', 'c'].map((name) => ({
          ...makeEvent(),
          streamId: `${name}-${point}`,
        }));
        const before = proxy.messages.length;
        if (point > 0) proxy.cutWhen((_, index) => index === point - 1, cut);
        const result = await through(proxy, (store) => store.log.importEvents(events, { conflict: 'fail' }));
        expect(result.imported + result.known).toBe(4);
        if (point === 0) points = proxy.messages.length - before;
        imported.push(...events.map(({ id }) => id));
        const stored = await readAll(test.store);
        expect(stored.map(({ id }) => id)).toEqual(imported);
        expect(stored.slice(-4).map(({ version }) => version)).toEqual([1, 1, 2, 1]);
      }
      expect(points).toBeGreaterThanOrEqual(9);
    }),
  );
});

describe('F19: a killed init leaves nothing or all, and the next one completes it', () => {
  it.each(cuts)('a migration cut %s each message leaves nothing or all, and the next one completes it', (cut) =>
    withProxy(
      async (test, proxy) => {
        let points = 1;
        const versions = new Set<number>();
        for (let point = 0; point < points; point++) {
          const before = proxy.messages.length;
          if (point > 0) proxy.cutWhen((_, index) => index === point - 1, cut);
          const failure = await failureOf(through(proxy, (store) => store.schema.migrate()));
          if (point === 0) points = proxy.messages.length - before;
          else expect(failure?.code ?? 'E_CONNECT', failure?.stack).toBe('E_CONNECT');
          // A backend whose client is gone may still be at its last statement.
          await test.raw.query('select pg_advisory_lock(1702261620, 1), pg_advisory_unlock(1702261620, 1)');
          const status = await test.store.schema.status();
          versions.add(status.version);
          expect([0, status.latest]).toContain(status.version);
          if (failure === undefined) expect(status.version).toBe(status.latest);
          await test.store.schema.migrate();
          await append(test.store, `Order-${point}`);
          await test.raw.query('drop schema public cascade; create schema public');
        }
        expect(points).toBeGreaterThan(15);
        expect(versions.size).toBe(2);
      },
      { migrated: false },
    ),
  );
});
