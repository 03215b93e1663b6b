/** Subscriptions that keep their position in the store. */
import { expect, test } from 'vitest';
import { isEvstoreError } from '../../src/domain/errors.js';
import { type EventStore, openStore } from '../../src/library/event-store.js';
import type { NamedSubscribeOptions, SubscribedBatch } from '../../src/library/named-subscription.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvent, makeEvents } from '../support/events.js';
import { until } from '../support/wait.js';

async function withLibrary(test: TestStore, body: (store: EventStore) => Promise<void>): Promise<void> {
  const store = await openStore(test.url);
  try {
    await body(store);
  } finally {
    await store.close();
  }
}

const ids = ({ events }: SubscribedBatch) => events.map(({ streamId, version }) => `${streamId}@${version}`);

async function positionOf({ store }: TestStore, id: string): Promise<number | undefined> {
  return (await store.projections.checkpoints()).find(({ subscriptionId }) => subscriptionId === id)?.position;
}

/** Reads batches until the subscription is caught up. */
async function catchUp(store: EventStore, options: NamedSubscribeOptions) {
  const seen: string[][] = [];
  for await (const batch of store.subscribe(options)) {
    seen.push(ids(batch));
    if (!batch.caughtUp) continue;
    await batch.acknowledge();
    break;
  }
  return seen;
}

forEachEngine((engine) => {
  test('batches have at most the size that was asked for, and the last one says that it is the last', () =>
    withTestStore(engine, async (place) => {
      await append(place.store, 'Order-1', makeEvents(5));
      await withLibrary(place, async (store) => {
        const seen = await catchUp(store, { name: 'mailer', batchSize: 2 });
        expect(seen).toEqual([['Order-1@1', 'Order-1@2'], ['Order-1@3', 'Order-1@4'], ['Order-1@5']]);
        expect(await positionOf(place, 'subscription:mailer')).toBe(5);
      });
    }));

  test('the position moves when the next batch is asked for, and not when the loop ends early', () =>
    withTestStore(engine, async (place) => {
      await append(place.store, 'Order-1', makeEvents(4));
      await withLibrary(place, async (store) => {
        const positions: (number | undefined)[] = [];
        for await (const batch of store.subscribe({ name: 'mailer', batchSize: 1 })) {
          positions.push(await positionOf(place, 'subscription:mailer'));
          if (batch.position === 3) break;
        }
        expect(positions).toEqual([0, 1, 2]);
        const failed = (async () => {
          for await (const _ of store.subscribe({ name: 'mailer', batchSize: 1 })) throw new Error('no mail today');
        })();
        await expect(failed).rejects.toThrow('no mail today');
        expect(await catchUp(store, { name: 'mailer' })).toEqual([['Order-1@3', 'Order-1@4']]);
      });
    }));

  test('a subscription that is caught up says so at once, and follows', () =>
    withTestStore(engine, async (place) => {
      await append(place.store, 'Order-1', makeEvents(2));
      await withLibrary(place, async (store) => {
        await catchUp(store, { name: 'mailer' });
        const seen: (readonly [string[], boolean])[] = [];
        for await (const batch of store.subscribe({ name: 'mailer' })) {
          seen.push([ids(batch), batch.caughtUp]);
          if (seen.length === 1) await store.append('Order-2', { type: 'OrderPlaced', data: {} });
          if (seen.length === 2) break;
        }
        expect(seen).toEqual([
          [[], true],
          [['Order-2@1'], true],
        ]);
      });
    }));

  test('events that it does not get move its position, and verify checks that none was skipped', () =>
    withTestStore(engine, async (place) => {
      await append(place.store, 'Order-1', [makeEvent(), makeEvent({ type: 'OrderPaid' }), makeEvent()]);
      await withLibrary(place, async (store) => {
        expect(await catchUp(store, { name: 'payments', types: ['OrderPaid'] })).toEqual([['Order-1@2']]);
        expect(await positionOf(place, 'subscription:payments')).toBe(3);
      });
      const cursors = await place.store.projections.cursors();
      expect(cursors.find(({ name }) => name === 'subscription:payments')?.audit).toMatchObject({
        filter: { types: ['OrderPaid'] },
        events: 1,
      });
      expect(await runCli(['verify', '--store', place.url])).toMatchObject({ code: 0 });
    }));

  test('a new subscription begins where it is told to, once', () =>
    withTestStore(engine, async (place) => {
      await withLibrary(place, async (store) => {
        expect(await catchUp(store, { name: 'late', after: 'end' })).toEqual([[]]);
        await append(place.store, 'Order-1', makeEvents(3));
        expect(await catchUp(store, { name: 'late', after: 'end' })).toEqual([['Order-1@1', 'Order-1@2', 'Order-1@3']]);
        expect(await catchUp(store, { name: 'from_two', after: 2 })).toEqual([['Order-1@3']]);
        expect(await catchUp(store, { name: 'from_two', after: 0 })).toEqual([[]]);
        expect(await catchUp(store, { name: 'from_end', after: 'end' })).toEqual([[]]);
      });
      expect(await runCli(['verify', '--store', place.url])).toMatchObject({ code: 0 });
    }));

  test('of two with one name one gets the batches; the other takes over when it ends, and nothing comes twice', () =>
    withTestStore(engine, async (place) => {
      await append(place.store, 'Order-1', makeEvents(2));
      const stop = new AbortController();
      const seen: string[] = [];
      const work = (store: EventStore, who: string, signal: AbortSignal) =>
        (async () => {
          for await (const batch of store.subscribe({ name: 'mailer', batchSize: 1, signal })) {
            seen.push(...ids(batch).map((id) => `${who} ${id}`));
          }
        })();
      await withLibrary(place, (first) =>
        withLibrary(place, async (second) => {
          const stopSecond = new AbortController();
          const one = work(first, 'first', stop.signal);
          await until(async () => (await positionOf(place, 'subscription:mailer')) === 2);
          const two = work(second, 'second', stopSecond.signal);
          await append(place.store, 'Order-1', makeEvents(1));
          await until(() => seen.length === 3);
          stop.abort();
          await one;
          await append(place.store, 'Order-1', makeEvents(1));
          await until(() => seen.length === 4);
          stopSecond.abort();
          await two;
        }),
      );
      expect(seen).toEqual(['first Order-1@1', 'first Order-1@2', 'first Order-1@3', 'second Order-1@4']);
    }));

  test('one whose lease was taken stores nothing, is told to stop, and ends with E_SUPERSEDED', () =>
    withTestStore(engine, async (place) => {
      await append(place.store, 'Order-1', makeEvents(2));
      await withLibrary(place, async (store) => {
        const taken = (async () => {
          for await (const _ of store.subscribe({ name: 'mailer', batchSize: 1 })) {
            const target = { kind: 'checkpoint', subscriptionId: 'subscription:mailer' } as const;
            await place.store.projections.acquireLease(target, { owner: 'thief', ttlMs: 60_000, steal: true });
          }
        })();
        const error = await taken.catch((thrown: unknown) => thrown);
        expect(isEvstoreError(error) && error.code).toBe('E_SUPERSEDED');
        expect(await positionOf(place, 'subscription:mailer')).toBe(0);
      });
    }));

  test('lag and checkpoints know it, wait takes its name, and it may be reset by hand', () =>
    withTestStore(engine, async (place) => {
      await append(place.store, 'Order-1', makeEvents(2));
      await withLibrary(place, async (store) => {
        await catchUp(store, { name: 'mailer' });
        const evstore = (...argv: string[]) => runCli([...argv, '--store', place.url]);
        const lag = JSON.parse((await evstore('lag', '--json')).stdout);
        expect(lag.projections).toMatchObject([{ name: 'subscription:mailer', status: 'idle', lag: 0, version: 1 }]);
        expect((await evstore('checkpoints')).stdout).toContain('subscription:mailer');
        expect(await evstore('wait', 'mailer', '--timeout', '1s')).toMatchObject({ code: 0 });
        expect(await store.waitFor('mailer')).toBe(2);
        expect((await evstore('doctor', '--json')).stdout).not.toContain('foreign-checkpoint');
        await append(place.store, 'Order-1', makeEvents(1));
        const late = await evstore('wait', 'mailer', '--timeout', '0s');
        expect(late.code).toBe(7);
        expect(late.stderr).not.toContain('evstore run subscription');
        expect(await evstore('checkpoints', 'reset', 'subscription:mailer', '--execute')).toMatchObject({ code: 0 });
        expect((await catchUp(store, { name: 'mailer' })).flat()).toHaveLength(3);
        const deleted = await evstore('checkpoints', 'delete', 'subscription:mailer', '--execute', '--yes');
        expect(deleted, deleted.stderr).toMatchObject({ code: 0 });
        const { findings } = JSON.parse((await evstore('doctor', '--json')).stdout);
        expect(findings.filter(({ subject }: { subject: string }) => subject.includes('mailer'))).toEqual([]);
        expect((await catchUp(store, { name: 'mailer' })).flat()).toHaveLength(3);
      });
    }));

  test('a name that is not one is refused', () =>
    withTestStore(engine, (place) =>
      withLibrary(place, async (store) => {
        for (const name of ['', 'A', 'a:b', '1', 'a'.repeat(64), 7]) {
          const read = catchUp(store, { name: name as string });
          await expect(read).rejects.toMatchObject({ code: 'E_INVALID_INPUT' });
        }
        expect(await place.store.projections.checkpoints()).toEqual([]);
      }),
    ));
});
