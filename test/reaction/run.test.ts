/** Reactions: events in, events out, once each. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { defineReaction, type Reaction, type ReactionDefinition } from '../../src/reaction/definition.js';
import type { ReactionRun } from '../../src/reaction/report.js';
import { retryParkedReaction } from '../../src/reaction/retry-parked.js';
import { runReactions } from '../../src/reaction/run.js';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent, makeEvents, readAll, readStream } from '../support/events.js';
import { until } from '../support/wait.js';

const never = new AbortController().signal;

function billing(change: Partial<ReactionDefinition> = {}): Reaction {
  return defineReaction({
    name: 'billing',
    on: 'OrderPlaced',
    react: ({ streamId, data }) => ({
      streamId: streamId.replace('Order', 'Invoice'),
      type: 'InvoiceRequested',
      data: { total: data.total },
    }),
    ...change,
  });
}

function runAll(store: Store, reactions: readonly Reaction[], change: Partial<ReactionRun> = {}) {
  return runReactions({ store, reactions, once: true, signal: never, owner: 'test', ...change });
}

async function run(store: Store, reaction: Reaction, change: Partial<ReactionRun> = {}) {
  const [report] = await runAll(store, [reaction], change);
  return report;
}

const metadataOf = (event: RecordedEvent | undefined) => JSON.parse(event?.metadata ?? 'null');

forEachEngine((engine) => {
  test('each event is reacted to once, however often the reaction runs', () =>
    withTestStore(engine, async ({ store }) => {
      for (const order of ['Order-1', 'Order-2']) await append(store, order);
      expect(await run(store, billing())).toMatchObject({ error: null, events: 2, appended: 2, aside: 0 });
      expect(await run(store, billing())).toMatchObject({ error: null, events: 0, appended: 0 });
      expect(await run(store, billing({ version: 2 }))).toMatchObject({ error: null, events: 0, appended: 0 });
      const [invoice] = await readStream(store, 'Invoice-1');
      expect(invoice).toMatchObject({ type: 'InvoiceRequested', data: '{"total":10}', version: 1 });
      const cursors = await store.projections.cursors();
      expect(cursors).toMatchObject([
        { name: 'reaction:billing', audit: { filter: { types: ['OrderPlaced'] }, events: 2 } },
      ]);
    }));

  test('an event that is delivered again finds what was appended, even when the reaction decides otherwise now', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1');
      await run(store, billing());
      await store.projections.setCheckpoint('reaction:billing', 0);
      const other = billing({
        react: () => [
          { streamId: 'Invoice-1', type: 'InvoiceRefused', data: {}, expectedVersion: 'none' },
          { streamId: 'Mail-1', type: 'MailRequested', data: {} },
        ],
      });
      expect(await run(store, other)).toMatchObject({ error: null, events: 1, appended: 1 });
      expect((await readStream(store, 'Invoice-1')).map(({ type }) => type)).toEqual(['InvoiceRequested']);
      expect(await readStream(store, 'Mail-1')).toHaveLength(1);
    }));

  test('causation, correlation, saga and the number of hops are carried in the metadata', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent({ metadata: '{"correlationId":"c1","sagaId":"s1"}' })]);
      await append(store, 'Order-2');
      const ship = defineReaction({
        name: 'shipping',
        on: ['InvoiceRequested', 'InvoicePaid'],
        react: async ({ streamId }, { hops, correlationId }) => ({
          ...{ streamId: `Shipment-${streamId}`, type: 'ShipmentRequested', data: { hops, correlationId } },
          metadata: { region: 'north', causationId: 'mine' },
        }),
      });
      await runAll(store, [billing()]);
      await runAll(store, [ship]);
      const [first, second, invoice, bare, shipment] = await readAll(store);
      expect(metadataOf(invoice)).toEqual({
        ...{ correlationId: 'c1', sagaId: 's1', causationId: first?.id },
        ...{ reaction: 'billing', reactionHops: 1 },
      });
      expect(metadataOf(bare)).toMatchObject({ correlationId: second?.id, causationId: second?.id });
      expect(metadataOf(bare)).not.toHaveProperty('sagaId');
      expect(metadataOf(shipment)).toEqual({
        ...{ correlationId: 'c1', sagaId: 's1', region: 'north', causationId: invoice?.id },
        ...{ reaction: 'shipping', reactionHops: 2 },
      });
      expect(JSON.parse(shipment?.data ?? 'null')).toEqual({ hops: 1, correlationId: 'c1' });
    }));

  test('several events are appended in order, and nothing for nothing', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', makeEvents(2));
      const split = billing({
        react: ({ version }) =>
          version === 1
            ? ['a', 'b', 'a'].map((stream) => ({ streamId: `Part-${stream}`, type: 'PartRequested', data: { stream } }))
            : undefined,
      });
      expect(await run(store, split)).toMatchObject({ events: 2, appended: 3 });
      const appended = await readAll(store, { after: 2 });
      expect(appended.map(({ streamId, version }) => `${streamId}@${version}`)).toEqual([
        'Part-a@1',
        'Part-b@1',
        'Part-a@2',
      ]);
    }));

  test('a reaction may read streams', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Customer-1', [makeEvent({ type: 'CustomerNamed', data: '{"name":"Ann"}' })]);
      await append(store, 'Order-1');
      const greet = billing({
        react: async (_event, { readStream: read }) => {
          for await (const { data } of read('Customer-1')) return { streamId: 'Mail-1', type: 'MailSent', data };
          return undefined;
        },
      });
      expect(await run(store, greet)).toMatchObject({ error: null, appended: 1 });
      expect((await readStream(store, 'Mail-1'))[0]?.data).toBe('{"name":"Ann"}');
    }));

  test('an event that it cannot handle stops it, is parked with --on-error park, or skipped', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent(), makeEvent({ data: '{"total":-1}' }), makeEvent()]);
      let mended = false;
      const strict = billing({
        react: ({ data, version }) => {
          if (data.total < 0 && !mended) throw new Error('negative total');
          return { streamId: 'Invoice-1', type: 'InvoiceRequested', data: { version } };
        },
      });
      const stopped = await run(store, strict);
      expect(stopped).toMatchObject({ position: 1, events: 1, appended: 1, error: { code: 'E_HANDLER' } });
      expect(stopped?.error?.message).toBe('reaction billing failed on OrderPlaced at position 2');
      expect(stopped?.error?.why).toContain('negative total');
      const [failed] = await store.projections.checkpoints();
      expect(failed).toMatchObject({ position: 1, owner: null, lastError: expect.stringContaining('negative total') });

      const parking = { policy: { onError: 'park', retries: 1 } } as const;
      expect(await run(store, strict, parking)).toMatchObject({ error: null, events: 1, appended: 1, aside: 1 });
      expect(await store.projections.parked()).toMatchObject([
        { projection: 'reaction:billing', state: 'parked', globalPosition: 2, attempts: 2 },
      ]);
      expect((await store.projections.checkpoints())[0]?.lastError).toBeNull();

      const options = { store, reaction: strict, owner: 'test', signal: never };
      const again = await retryParkedReaction(options, { kind: 'all' });
      expect(again).toMatchObject([{ applied: 0, waiting: 1, error: { code: 'E_HANDLER' } }]);
      expect(await store.projections.parked()).toMatchObject([{ state: 'parked', attempts: 3 }]);
      mended = true;
      expect(await retryParkedReaction(options, { kind: 'all' })).toMatchObject([{ applied: 1, error: null }]);
      expect(await store.projections.parked()).toEqual([]);
      const invoices = await readStream(store, 'Invoice-1');
      expect(invoices.map(({ data }) => JSON.parse(data).version)).toEqual([1, 3, 2]);

      await store.projections.setCheckpoint('reaction:billing', 0);
      mended = false;
      expect(await run(store, strict, { policy: { onError: 'skip', retries: 0 } })).toMatchObject({
        aside: 1,
        appended: 0,
      });
      expect(await store.projections.parked()).toMatchObject([{ state: 'skipped', globalPosition: 2 }]);
    }));

  test.each([
    ['no stream', { type: 'T', data: {} }, 'event 1 of what react returned has no streamId'],
    ['no data', { streamId: 's', type: 'T' }, 'event 1 of what react returned has no data'],
    ['a misspelt member', { stream: 's', type: 'T', data: {} }, "has an unknown member 'stream'"],
    ['a text', 'OrderPaid', 'event 1 of what react returned is not an object'],
    ['a wrong second event', [{ streamId: 's', type: 'T', data: {} }, 5], 'event 2 of what react returned'],
  ])('%s returned: nothing of it is appended, and the error says what is wrong', (_what, returned, why) =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1');
      const report = await run(store, billing({ react: () => returned as never }));
      expect(report).toMatchObject({ error: { code: 'E_HANDLER' }, appended: 0 });
      expect(report?.error?.why).toContain(why);
      expect(await readAll(store)).toHaveLength(1);
    }),
  );

  test('a version that is not as expected stops it', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1');
      await append(store, 'Invoice-1', [makeEvent({ type: 'InvoicePaid' })]);
      const react = () => ({ streamId: 'Invoice-1', type: 'T', data: {}, expectedVersion: 'none' as const });
      const report = await run(store, billing({ react }));
      expect(report).toMatchObject({ error: { code: 'E_HANDLER' }, appended: 0 });
      expect(report?.error?.why).toContain('Invoice-1');
    }));

  test('reactions that trigger each other are stopped by the limit of hops', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Game-1', [makeEvent({ type: 'Ping' })]);
      const ball = (name: string, on: string, type: string) =>
        defineReaction({ name, on, maxHops: 6, react: ({ streamId }) => ({ streamId, type, data: {} }) });
      const stop = new AbortController();
      const news: string[] = [];
      const reports = await runAll(store, [ball('pong', 'Ping', 'Pong'), ball('ping', 'Pong', 'Ping')], {
        once: false,
        signal: stop.signal,
        policy: { onError: 'park', retries: 5 },
        tellAside: ({ error, attempts }) => {
          news.push(`${attempts} ${error}`);
          stop.abort();
        },
      });
      expect(reports.map(({ error }) => error)).toEqual([null, null]);
      expect((await readStream(store, 'Game-1')).map(({ type }) => type)).toEqual([
        ...['Ping', 'Pong', 'Ping', 'Pong', 'Ping', 'Pong', 'Ping'],
      ]);
      expect(news).toEqual([expect.stringMatching(/^1 .*6 reactions led to this event, and maxHops is 6/)]);
    }));

  test('a reaction that does not finish in its time is an error that says so', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1');
      const slow = billing({ timeout: '50ms', react: () => new Promise(() => {}) });
      const report = await run(store, slow);
      expect(report?.error?.why).toContain('took longer than 50ms');
    }));

  test('a run that is told to stop tells react, appends nothing more, and the next run handles the event', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1');
      const stop = new AbortController();
      const waiting = billing({
        react: async (_event, { signal }) => {
          stop.abort();
          await until(() => signal.aborted);
          return { streamId: 'Invoice-1', type: 'TooLate', data: {} };
        },
      });
      expect(await run(store, waiting, { signal: stop.signal, once: false })).toMatchObject({
        error: null,
        appended: 0,
      });
      await wait(0);
      expect(await readStream(store, 'Invoice-1')).toEqual([]);
      expect(await run(store, billing())).toMatchObject({ events: 1, appended: 1 });
    }));

  test('events from before its time and of other categories are left alone', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1', [makeEvent({ createdAt: '2026-01-31T23:59:59.999Z' })]);
      await append(store, 'Order-2', [makeEvent({ createdAt: '2026-02-01T00:00:00Z' })]);
      await append(store, 'Basket-1', [makeEvent({ createdAt: '2026-02-01T00:00:00Z' })]);
      const late = billing({ since: '2026-02-01T00:00:00Z', category: 'Order' });
      expect(await run(store, late)).toMatchObject({ events: 1, appended: 1 });
      expect(await readStream(store, 'Invoice-2')).toHaveLength(1);
    }));

  test('of two runners one works, and the other is refused with --once', () =>
    withTestStore(engine, async ({ store }) => {
      await append(store, 'Order-1');
      let calls = 0;
      const stop = new AbortController();
      const counted = billing({
        react: async () => {
          calls += 1;
        },
      });
      const first = run(store, counted, { once: false, signal: stop.signal });
      await until(() => calls === 1);
      expect(await run(store, counted)).toMatchObject({ error: { code: 'E_LOCK_HELD' } });
      stop.abort();
      expect(await first).toMatchObject({ error: null, events: 1 });
      expect(calls).toBe(1);
    }));
});
