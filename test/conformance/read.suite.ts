import { expect } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { append, collect, collectBatches, makeEvent, makeEvents, readAll, readStream } from '../support/events.js';
import { suite } from './suite.js';

const types = (events: readonly { type: string }[]) => events.map(({ type }) => type);
const versions = (events: readonly { version: number }[]) => events.map(({ version }) => version);

export const readSuite = suite('read', {
  'an empty log and an unknown stream': async ({ store }) => {
    expect(await readAll(store)).toEqual([]);
    expect(await collectBatches(store.log.readStream('Order-1'))).toEqual([]);
    expect(await store.log.head({ holder: true })).toEqual({ head: 0, safeHead: 0, heldBackBy: null });
    expect(await store.log.find('00000000-0000-4000-8000-000000000000')).toBeUndefined();
  },

  'an event comes back as it went in': async ({ store }) => {
    const event = makeEvent({
      type: 'Order placed — ünïcode 🎉',
      schemaVersion: 7,
      data: '{"z":1,"a":[1.10,"x"]}',
      metadata: '{"correlationId":"c-1"}',
      streamType: 'Commerce',
      createdAt: '2026-01-02T03:04:05.678901Z',
    });
    const { globalPosition } = await append(store, 'Order-ünï 🎉-1', [event]);
    const stored = {
      globalPosition,
      streamId: 'Order-ünï 🎉-1',
      version: 1,
      type: event.type,
      schemaVersion: 7,
      id: event.id,
      data: event.data,
      metadata: event.metadata,
      streamType: 'Commerce',
      createdAt: '2026-01-02T03:04:05.678901Z',
    };
    expect(await readAll(store)).toEqual([stored]);
    expect(await readStream(store, 'Order-ünï 🎉-1')).toEqual([stored]);
    expect(await store.log.find(event.id)).toEqual(stored);
    expect(await store.log.find(event.id.toUpperCase())).toEqual(stored);
  },

  'what is left out: the category, an empty object, the clock': async ({ store }) => {
    const before = Date.now();
    await append(store, 'Order-1');
    const [event] = await readAll(store);
    expect(event).toMatchObject({ streamType: 'Order', metadata: '{}', schemaVersion: 1 });
    expect(event?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{3}|\d{6})Z$/);
    expect(Math.abs(Date.parse(event?.createdAt ?? '') - before)).toBeLessThan(86_400_000);
  },

  'the whole log in batches, in order, nothing twice': async ({ store }) => {
    for (let index = 0; index < 25; index++) await append(store, `Order-${index % 3}`, makeEvents(2));
    const batches = await collectBatches(store.log.readAll({ batchSize: 7 }));
    const positions = batches.flatMap(({ events }) => events.map(({ globalPosition }) => globalPosition));
    expect(positions).toHaveLength(50);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
    for (const { events, upTo } of batches) {
      expect(events.length).toBeLessThanOrEqual(7);
      expect(upTo).toBeGreaterThanOrEqual(events.at(-1)?.globalPosition ?? 0);
    }
    expect(batches.at(-1)?.upTo).toBe((await store.log.head()).safeHead);
    const middle = positions[20] as number;
    const rest = await readAll(store, { after: middle });
    expect(rest.map(({ globalPosition }) => globalPosition)).toEqual(positions.slice(21));
    const window = await readAll(store, { after: middle, to: positions[30] as number });
    expect(window.map(({ globalPosition }) => globalPosition)).toEqual(positions.slice(21, 31));
    const backwards = await readAll(store, { backwards: true, batchSize: 7 });
    expect(backwards.map(({ globalPosition }) => globalPosition)).toEqual([...positions].reverse());
    const limited = await readAll(store, { limit: 9, batchSize: 4 });
    expect(limited.map(({ globalPosition }) => globalPosition)).toEqual(positions.slice(0, 9));
    const last = await readAll(store, { backwards: true, limit: 3 });
    expect(last.map(({ globalPosition }) => globalPosition)).toEqual(positions.slice(-3).reverse());
  },

  'large events among small ones, in either direction and one stream': async ({ store }) => {
    const sizes = [...Array(30).fill(10), ...Array(60).fill(900_000), ...Array(30).fill(10)] as number[];
    const ids: string[] = [];
    for (let from = 0; from < sizes.length; from += 10) {
      const events = sizes.slice(from, from + 10).map((size) => makeEvent({ data: `"${'x'.repeat(size)}"` }));
      await store.log.append('Big-1', events, 'any');
      ids.push(...events.map(({ id }) => id));
    }
    const idsOf = (events: readonly { id: string }[]) => events.map(({ id }) => id);
    expect(idsOf(await readAll(store))).toEqual(ids);
    expect(idsOf(await readStream(store, 'Big-1'))).toEqual(ids);
    expect(idsOf(await readAll(store, { backwards: true }))).toEqual([...ids].reverse());
    expect(idsOf(await readAll(store, { limit: 70 }))).toEqual(ids.slice(0, 70));
    const batches = await collectBatches(store.log.readAll({ category: 'Big' }));
    expect(batches.at(-1)?.upTo).toBe((await store.log.head()).safeHead);
    expect(batches.flatMap(({ events }) => idsOf(events))).toEqual(ids);
  },

  'one stream by version': async ({ store }) => {
    await append(
      store,
      'Order-1',
      makeEvents(12, (index) => ({ type: index % 2 === 0 ? 'Even' : 'Odd' })),
    );
    await append(store, 'Order-11');
    const read = (options: object) => collect(store.log.readStream('Order-1', options));
    expect(versions(await read({ batchSize: 5 }))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(versions(await read({ fromVersion: 4, toVersion: 6 }))).toEqual([4, 5, 6]);
    expect(versions(await read({ fromVersion: 11 }))).toEqual([11, 12]);
    expect(versions(await read({ backwards: true, limit: 3 }))).toEqual([12, 11, 10]);
    expect(versions(await read({ backwards: true, batchSize: 2, fromVersion: 3, toVersion: 7 }))).toEqual([
      7, 6, 5, 4, 3,
    ]);
    expect(versions(await read({ types: ['Odd'], limit: 2, batchSize: 1 }))).toEqual([2, 4]);
    expect(await read({ fromVersion: 13 })).toEqual([]);
  },

  'filters are joined by "and"': async ({ store }) => {
    await append(store, 'Order-1', [
      makeEvent({ type: 'A', createdAt: '2026-01-01T00:00:00Z', metadata: '{"correlationId":"c1"}' }),
      makeEvent({ type: 'B', createdAt: '2026-01-02T00:00:00.000001Z', metadata: '{"correlationId":"c2"}' }),
    ]);
    await append(store, 'Order', [makeEvent({ type: 'C', createdAt: '2026-01-03T00:00:00Z' })]);
    await append(store, 'Orders-1', [makeEvent({ type: 'D', metadata: '{"correlationId":"c1"}' })]);
    await append(store, 'Customer-Order-1', [makeEvent({ type: 'E', metadata: '{"correlationId":7}' })]);
    const read = async (options: object) => types(await readAll(store, options));
    expect(await read({ category: 'Order' })).toEqual(['A', 'B', 'C']);
    expect(await read({ category: 'Orde' })).toEqual([]);
    expect(await read({ streamId: 'Order' })).toEqual(['C']);
    expect(await read({ types: ['A', 'D', 'none'] })).toEqual(['A', 'D']);
    expect(await read({ correlationId: 'c1' })).toEqual(['A', 'D']);
    expect(await read({ correlationId: 'c1', category: 'Order' })).toEqual(['A']);
    expect(await read({ since: '2026-01-02T00:00:00.000001Z', until: '2026-01-03T00:00:00Z' })).toEqual(['B']);
    expect(await read({ since: '2026-01-02T01:00:00+01:00', until: '2026-01-03T00:00:00.001Z' })).toEqual(['B', 'C']);
    expect(await read({ until: '2026-01-02T00:00:00.000001Z' })).toEqual(['A']);
    expect(await read({ category: 'Order', backwards: true, limit: 2 })).toEqual(['C', 'B']);
  },

  'the largest streams of more than are read at a time': async ({ store }) => {
    const names = Array.from({ length: 2_500 }, (_, place) => `Order-${String(place).padStart(4, '0')}`);
    const twice = ['Order-0999', 'Order-1000', 'Order-2499'];
    const events = [...names, ...twice, 'Payment-1'].map((streamId) => ({ ...makeEvent(), streamId }));
    await store.log.importEvents(events, { conflict: 'fail' });
    const list = async (options: object) =>
      (await store.log.streams({ sort: 'events', ...options })).map(({ streamId }) => streamId);
    expect(await list({ limit: 4 })).toEqual([...twice, 'Order-0000']);
    expect(await list({ category: 'Order' })).toEqual([...twice, ...names.filter((name) => !twice.includes(name))]);
    expect(await list({ prefix: 'Order-1', limit: 2 })).toEqual(['Order-1000', 'Order-1001']);
    expect(await list({})).toHaveLength(2_501);
    const signal = AbortSignal.abort();
    await expect(store.log.streams({ sort: 'events', signal })).rejects.toThrow('aborted');
  },

  'by time in a long log, also events whose time is out of order': async ({ store }) => {
    const early = '2026-01-01T00:00:00.000Z';
    const late = '2026-01-02T00:00:00.000Z';
    const timeAt = (place: number) => new Date(Date.parse(early) + place * 1_000).toISOString();
    const oddOnes = new Map([
      [7, late],
      [11_500, early],
      [11_990, late],
    ]);
    const events = Array.from({ length: 12_000 }, (_, place) => ({
      ...makeEvent({ createdAt: oddOnes.get(place) ?? timeAt(place) }),
      streamId: `Order-${place % 10}`,
    }));
    await store.log.importEvents(events, { conflict: 'fail' });
    const all = await readAll(store);
    for (const [since, until] of [
      [timeAt(11_980), undefined],
      [undefined, timeAt(20)],
      [timeAt(6_000), timeAt(6_005)],
      [timeAt(11_995), late],
      [late, undefined],
      [undefined, early],
      [early, timeAt(3)],
    ]) {
      const range = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) };
      const expected = all
        .filter(({ createdAt }) => createdAt >= (since ?? '') && createdAt < (until ?? '3'))
        .map(({ globalPosition }) => globalPosition);
      const read = async (options: object) =>
        (await readAll(store, { ...range, ...options })).map(({ globalPosition }) => globalPosition);
      expect(await read({})).toEqual(expected);
      expect(await read({ backwards: true })).toEqual([...expected].reverse());
      expect(await read({ after: 10, to: 11_995, batchSize: 3 })).toEqual(
        expected.filter((position) => position > 10 && position <= 11_995),
      );
      expect(await read({ limit: 2 })).toEqual(expected.slice(0, 2));
    }
  },

  'by time, an event that is appended while the log is read': async ({ store }) => {
    const createdAt = '2026-01-01T00:00:00.000Z';
    const events = Array.from({ length: 10_500 }, () => ({ ...makeEvent({ createdAt }), streamId: 'Order-1' }));
    await store.log.importEvents(events, { conflict: 'fail' });
    const versionsRead: number[] = [];
    for await (const batch of store.log.readAll({ until: '2026-02-01T00:00:00Z', after: 10_495, batchSize: 2 })) {
      versionsRead.push(...versions(batch.events));
      if (versionsRead.length === 2) await append(store, 'Order-1', [makeEvent({ createdAt })]);
    }
    expect(versionsRead).toEqual([10_496, 10_497, 10_498, 10_499, 10_500, 10_501]);
  },

  'H14: wildcards in a category match only themselves': async ({ store }) => {
    const names = [
      'user_a-1',
      'userXa-1',
      '100%-1',
      '1000-1',
      'back\\slash-1',
      'backXslash-1',
      '%-1',
      '_-1',
      'X-1',
      '[a]-1',
    ];
    for (const name of names) await append(store, name);
    for (const name of names) {
      const category = name.slice(0, -2);
      const found = await readAll(store, { category });
      expect(found.map(({ streamId }) => streamId)).toEqual([name]);
      expect((await store.log.streams({ category })).map(({ streamId }) => streamId)).toEqual([name]);
    }
  },

  'O22: a filtered reader moves past events it does not ask for': async ({ store }) => {
    await append(store, 'Order-1', makeEvents(30));
    const { safeHead } = await store.log.head();
    for (const filter of [{ category: 'Customer' }, { types: ['Nothing'] }]) {
      const batches = await collectBatches(store.log.readAll({ ...filter, batchSize: 10 }));
      expect(batches.flatMap(({ events }) => events)).toEqual([]);
      expect(batches.at(-1)?.upTo).toBe(safeHead);
    }
    await append(store, 'Customer-1');
    const last = (await collectBatches(store.log.readAll({ category: 'Customer', after: safeHead }))).at(-1);
    expect(last?.events).toHaveLength(1);
    expect(await collectBatches(store.log.readAll({ after: last?.upTo ?? 0 }))).toEqual([]);
  },

  'streams, sorted and counted': async ({ store }) => {
    await append(store, 'b-1', [makeEvent({ createdAt: '2026-01-01T00:00:00Z' })]);
    await append(store, 'B-1', makeEvents(3));
    await append(store, 'a-1', makeEvents(2));
    await append(store, 'b-1', [makeEvent({ createdAt: '2026-01-05T00:00:00Z' })]);
    await append(store, '_-1', [makeEvent()]);
    const names = async (options?: object) => (await store.log.streams(options)).map(({ streamId }) => streamId);
    expect(await names()).toEqual(['B-1', '_-1', 'a-1', 'b-1']);
    expect(await names({ sort: 'events', limit: 1 })).toEqual(['B-1']);
    expect(await names({ sort: 'recent' })).toEqual(['_-1', 'b-1', 'a-1', 'B-1']);
    expect(await names({ category: 'b' })).toEqual(['b-1']);
    const [summary] = await store.log.streams({ category: 'b' });
    expect(summary).toMatchObject({
      streamType: 'b',
      events: 2,
      firstAt: '2026-01-01T00:00:00.000Z',
      lastAt: '2026-01-05T00:00:00.000Z',
      lastPosition: (await readStream(store, 'b-1')).at(-1)?.globalPosition,
    });
  },

  'streams, the first or the last of them': async ({ store, raw }) => {
    const all = ['A', 'A-', 'A-1', 'A-1-2', 'A+1', 'A.1', 'A/1', 'AB-1', 'B-1', 'a-1', 'Ä-1', '\u{10ffff}'];
    for (const streamId of all) await append(store, streamId, makeEvents(2));
    for (const streamId of ['B-1', 'A-1']) await append(store, streamId, makeEvents(3));
    const byName = all.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const recent = ['A-1', 'B-1', ...all.filter((name) => name !== 'A-1' && name !== 'B-1').reverse()];
    const bySize = ['A-1', 'B-1', ...byName.filter((name) => name !== 'A-1' && name !== 'B-1')];
    const names = async (options: object) => (await store.log.streams(options)).map(({ streamId }) => streamId);
    const orders = { name: byName, recent, events: bySize } as const;
    const isOfA = (name: string) => name === 'A' || name.startsWith('A-');
    for (const [sort, expected] of Object.entries(orders)) {
      for (const limit of [1, 2, all.length - 1, all.length, all.length + 1, undefined]) {
        const options = { sort, ...(limit !== undefined && { limit }) };
        expect(await names(options)).toEqual(expected.slice(0, limit));
        expect(await names({ ...options, category: 'A' })).toEqual(expected.filter(isOfA).slice(0, limit));
        expect(await names({ ...options, category: 'Nothing' })).toEqual([]);
        for (const prefix of ['A', 'A-', 'A-1', 'Ä', '\u{10ffff}', '\ud7ff', 'Nothing', '']) {
          const begun = expected.filter((name) => name.startsWith(prefix));
          expect(await names({ ...options, prefix }), prefix).toEqual(begun.slice(0, limit));
        }
      }
    }
    const [last] = await store.log.streams({ sort: 'recent', limit: 1 });
    expect(await store.log.streams({ sort: 'events', limit: 1 })).toEqual([last]);
    expect((await store.log.streams()).filter(({ streamId }) => streamId === 'A-1')).toEqual([last]);
    expect(last).toMatchObject({ streamId: 'A-1', streamType: 'A', events: 5 });
    await raw.query("insert into events (stream_id, event_type, event_data, version) values ('A-1', 'Said', '{}', 6)");
    expect(await store.log.streams({ sort: 'recent', limit: 1 })).toMatchObject([{ streamType: 'A', events: 6 }]);
  },

  'find: in either case, and nothing for what is no id': async ({ store }) => {
    const event = makeEvent();
    await append(store, 'Order-1', [event]);
    for (const id of [event.id, event.id.toUpperCase()]) expect((await store.log.find(id))?.id).toBe(event.id);
    for (const id of ['', 'Order-1', "'", '\0', newEventId()]) expect(await store.log.find(id)).toBeUndefined();
  },

  'H23: timestamps come back in UTC to the microsecond': async ({ store }) => {
    const times: [string, string][] = [
      ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
      ['2026-03-29T02:30:00.000001+01:00', '2026-03-29T01:30:00.000001Z'],
      ['2026-06-30T23:59:59.999999-09:30', '2026-07-01T09:29:59.999999Z'],
      ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
      ['1883-11-18T12:00:00.500Z', '1883-11-18T12:00:00.500Z'],
      ['9999-12-31T23:59:59.123Z', '9999-12-31T23:59:59.123Z'],
    ];
    await append(
      store,
      'Time-1',
      times.map(([createdAt]) => makeEvent({ createdAt })),
    );
    const expected = times.map(([, stored]) => stored);
    expect((await readAll(store)).map(({ createdAt }) => createdAt)).toEqual(expected);
    const [summary] = await store.log.streams();
    expect([summary?.firstAt, summary?.lastAt]).toEqual([expected[0], expected.at(-1)]);
  },

  'waitForAppend sees an append, gives up, and can be aborted': async ({ store, open }) => {
    const other = await open();
    const first = await append(store, 'Order-1');
    expect(await store.log.waitForAppend(0, { timeoutMs: 60_000 })).toBe(first.globalPosition);
    expect(await store.log.waitForAppend(first.globalPosition, { timeoutMs: 30 })).toBe(first.globalPosition);
    const waiting = store.log.waitForAppend(first.globalPosition, { timeoutMs: 60_000 });
    const second = await append(other, 'Order-1');
    expect(await waiting).toBe(second.globalPosition);
    const controller = new AbortController();
    const aborted = store.log.waitForAppend(second.globalPosition, { timeoutMs: 60_000, signal: controller.signal });
    controller.abort();
    expect(await aborted).toBe(second.globalPosition);
    const late = store.log.waitForAppend(second.globalPosition, { timeoutMs: 60_000, signal: controller.signal });
    expect(await late).toBe(second.globalPosition);
  },

  'a reader who was told the safe head reads up to it': async ({ store }) => {
    const first = await append(store, 'Order-1', makeEvents(3));
    const safeHead = await store.log.waitForAppend(0, { timeoutMs: 60_000 });
    expect(safeHead).toBe(first.globalPosition);
    await append(store, 'Order-1');
    expect(await readAll(store, { safeHead })).toHaveLength(3);
    expect(await readAll(store, { safeHead, batchSize: 2 })).toHaveLength(3);
    expect(await readAll(store, { safeHead, after: safeHead - 1 })).toHaveLength(1);
    expect(await readAll(store, { safeHead, after: safeHead })).toEqual([]);
    expect(await readAll(store, { safeHead: 0, after: safeHead })).toEqual([]);
    expect(await readAll(store, { safeHead, to: safeHead - 1 })).toHaveLength(2);
  },

  'a reader may stop in the middle': async ({ store }) => {
    await append(store, 'Order-1', makeEvents(20));
    for (let round = 0; round < 15; round++) {
      for await (const { events } of store.log.readAll({ batchSize: 5 })) {
        expect(events).toHaveLength(5);
        break;
      }
    }
    expect(await readAll(store)).toHaveLength(20);
    await append(store, 'Order-1');
  },
});
