/** A command whose answer is lost on the wire: decided once, stored once. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../src/library/event-store.js';
import { order, place } from '../aggregate/orders.js';
import { createTestStore, type TestStore } from '../support/engines.js';
import { errorOf, readStream } from '../support/events.js';
import { startWireProxy, type WireProxy } from '../support/wire-proxy.js';

let test: TestStore;
let proxy: WireProxy;

beforeAll(async () => {
  test = await createTestStore('postgres');
  proxy = await startWireProxy(test.url);
});

afterAll(async () => {
  await proxy.close();
  await test.cleanup();
});

/** Loses the answer to the statement that appends, and whether the server is gone then. */
function loseAnswer({ andServer }: { readonly andServer: boolean }): void {
  let isAppend = false;
  proxy.cutWhen(({ kind, bytes }) => {
    isAppend ||= bytes.includes('evstore_append_event') || bytes.includes('LineAdded');
    if (!isAppend || kind !== 'S') return false;
    proxy.isClosed = andServer;
    return true;
  }, 'after');
}

it('is repeated with the same ids, and not decided again', async () => {
  const store = await openStore(proxy.url);
  let decided = 0;
  const counted = {
    ...order,
    decide: (...given: Parameters<NonNullable<typeof order.decide>>) => {
      decided += 1;
      return order.decide?.(...given);
    },
  };
  await store.handle(counted, '1', place(1));
  loseAnswer({ andServer: false });
  const before = proxy.cuts;
  const result = await store.handle(counted, '1', place(2));
  expect(proxy.cuts).toBe(before + 1);
  expect(result).toMatchObject({ version: 2, deduplicated: true, decisions: 1 });
  expect(decided).toBe(2);
  expect(await readStream(test.store, 'Order-1')).toHaveLength(2);
  await store.close();
});

it('is an unknown outcome with its ids when no answer comes in time; the next command sees what happened', async () => {
  const store = await openStore(proxy.url);
  await store.handle(order, '2', place(1));
  loseAnswer({ andServer: true });
  const error = await errorOf('E_OUTCOME_UNKNOWN', store.handle(order, '2', place(2), { timeoutMs: 100 }));
  proxy.isClosed = false;
  const stored = await readStream(test.store, 'Order-2');
  expect(stored.map(({ id }) => id)).toContain((error.details.ids as string[])[0]);
  expect((await store.load(order, '2')).state.total).toBe(3);
  await store.close();
});
