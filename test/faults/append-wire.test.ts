/** Appends over a wire that is cut at every point there is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewEvent } from '../../src/domain/event.js';
import { openStoreAt } from '../../src/store/open.js';
import { createTestStore, type TestStore } from '../support/engines.js';
import { append, errorOf, failureOf, makeEvents, readStream } from '../support/events.js';
import { until } from '../support/wait.js';
import { type Cut, startWireProxy, type WireProxy } from '../support/wire-proxy.js';

const cuts: readonly Cut[] = ['before', 'after', 'mid-reply'];

let test: TestStore;
let proxy: WireProxy;
let streams = 0;

beforeAll(async () => {
  test = await createTestStore('postgres');
  proxy = await startWireProxy(test.url);
});

afterAll(async () => {
  await proxy.close();
  await test.cleanup();
});

const nextStream = () => `Order-${++streams}`;

/** On a connection of its own through the proxy. */
async function appendThrough(streamId: string, events: readonly NewEvent[], timeoutMs: number) {
  const store = await openStoreAt(proxy.url, { applicationName: 'through the proxy' });
  try {
    return await store.log.append(streamId, events, 'none', { timeoutMs });
  } finally {
    await store.close();
  }
}

/** How many messages an append from connect to close takes, as told by one that is not disturbed. */
async function countMessages(run: () => Promise<unknown>): Promise<number> {
  const before = proxy.messages.length;
  await run();
  await until(() => proxy.messages.at(-1) === 'X');
  return proxy.messages.length - before;
}

/** A server may still be at what it was sent before the wire was cut. */
async function untilServerIsDone(): Promise<void> {
  const working = `select from pg_stat_activity
    where datname = current_database() and application_name = 'through the proxy'`;
  while ((await test.raw.query(working)).length > 0) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function storedIds(streamId: string): Promise<string[]> {
  return (await readStream(test.store, streamId)).map(({ id }) => id);
}

describe('A16: a connection cut at every message of an append', () => {
  it.each(cuts)('cut %s each message once: the append goes through, exactly once', async (cut) => {
    const points = await countMessages(() => appendThrough(nextStream(), makeEvents(3), 10_000));
    expect(points).toBeGreaterThanOrEqual(6);
    for (let point = 0; point < points; point++) {
      const [streamId, events] = [nextStream(), makeEvents(3)];
      const before = proxy.cuts;
      proxy.cutWhen((_, index) => index === point, cut);
      const result = await appendThrough(streamId, events, 10_000);
      await until(() => proxy.cuts > before);
      expect(result.events.map(({ version }) => version)).toEqual([1, 2, 3]);
      expect(await storedIds(streamId), `point ${point}`).toEqual(events.map(({ id }) => id));
    }
  });

  it.each(cuts)('cut %s each message and nobody there any more: told truly, and a rerun puts it right', async (cut) => {
    const points = await countMessages(() => appendThrough(nextStream(), makeEvents(3), 10_000));
    const outcomes = new Set<string>();
    for (let point = 0; point < points - 1; point++) {
      const [streamId, events] = [nextStream(), makeEvents(3)];
      proxy.cutWhen((_, index) => {
        if (index === point) proxy.isClosed = true;
        return index === point;
      }, cut);
      const failure = await failureOf(appendThrough(streamId, events, 60));
      proxy.isClosed = false;
      expect(failure?.name, failure?.stack).toBe('EvstoreError');
      outcomes.add(failure?.code ?? '');
      await untilServerIsDone();
      const stored = (await storedIds(streamId)).length;
      expect([0, 3]).toContain(stored);
      if (stored > 0) expect(failure?.code, `point ${point}`).toBe('E_OUTCOME_UNKNOWN');
      const again = await append(test.store, streamId, events, 'none');
      expect(again).toMatchObject({ version: 3, deduplicated: stored === 3 });
      expect(await storedIds(streamId)).toEqual(events.map(({ id }) => id));
    }
    expect(outcomes).toContain('E_OUTCOME_UNKNOWN');
  });
});

describe('A15: the answer to a COMMIT is lost', () => {
  it('is retried and found to have been committed', async () => {
    const [streamId, events] = [nextStream(), makeEvents(2)];
    proxy.cutWhen(({ kind }) => {
      if (kind === 'S') proxy.isClosed = true;
      return kind === 'S';
    }, 'after');
    const appending = appendThrough(streamId, events, 10_000);
    await until(() => proxy.isClosed);
    await untilServerIsDone();
    proxy.isClosed = false;
    const result = await appending;
    expect(result).toMatchObject({ version: 2, deduplicated: true });
    expect(await storedIds(streamId)).toEqual(events.map(({ id }) => id));
  });

  it('ends as an unknown outcome with the ids when nobody answers in time; the same append again settles it', async () => {
    const [streamId, events] = [nextStream(), makeEvents(2)];
    proxy.cutWhen(({ kind }) => {
      if (kind === 'S') proxy.isClosed = true;
      return kind === 'S';
    }, 'after');
    const error = await errorOf('E_OUTCOME_UNKNOWN', appendThrough(streamId, events, 60));
    await untilServerIsDone();
    proxy.isClosed = false;
    expect(error.exitCode).toBe(7);
    expect(error.details).toMatchObject({ streamId, ids: events.map(({ id }) => id) });
    expect(await appendThrough(streamId, events, 10_000)).toMatchObject({ version: 2, deduplicated: true });
    expect(await storedIds(streamId)).toHaveLength(2);
  });

  it('with the stream moved on by somebody else meanwhile', async () => {
    const [streamId, events] = [nextStream(), makeEvents(2)];
    proxy.cutWhen(({ kind }) => {
      if (kind === 'S') proxy.isClosed = true;
      return kind === 'S';
    }, 'after');
    await errorOf('E_OUTCOME_UNKNOWN', appendThrough(streamId, events, 60));
    await untilServerIsDone();
    proxy.isClosed = false;
    await append(test.store, streamId, makeEvents(1), 2);
    expect(await appendThrough(streamId, events, 10_000)).toMatchObject({ version: 2, deduplicated: true });
    expect(await storedIds(streamId)).toHaveLength(3);
  });
});

describe('F3: a server that stops answering', () => {
  it('an append gives up in its time, and the next one takes another connection', async () => {
    const store = await openStoreAt(proxy.url);
    try {
      const streamId = nextStream();
      await append(store, streamId);
      proxy.isBlackHole = true;
      const events = makeEvents(1);
      const error = await errorOf('E_OUTCOME_UNKNOWN', store.log.append(streamId, events, 'any', { timeoutMs: 200 }));
      expect(error.details).toMatchObject({ ids: events.map(({ id }) => id) });
      proxy.isBlackHole = false;
      expect(await store.log.append(streamId, events, 'any')).toMatchObject({ version: 2 });
      expect(await storedIds(streamId)).toHaveLength(2);
    } finally {
      proxy.isBlackHole = false;
      await store.close();
    }
  });

  it('closing a store whose server is silent does not hang', async () => {
    const store = await openStoreAt(proxy.url);
    await append(store, nextStream());
    proxy.isBlackHole = true;
    await store.close();
    proxy.isBlackHole = false;
  });
});
