/** What a log holds, without reading all of it. */
import { expect } from 'vitest';
import { append, makeEvent, makeEvents } from '../support/events.js';
import { suite } from './suite.js';

export const statisticsSuite = suite('statistics', {
  'an empty log': async ({ store: { statistics } }) => {
    expect(await statistics.types()).toEqual([]);
    expect(await statistics.countType('T', 10)).toBe(0);
    expect(await statistics.latest('T', 10)).toEqual([]);
    expect(await statistics.sample([{ after: 0, to: 100 }])).toEqual([]);
    expect(await statistics.sample([])).toEqual([]);
    expect((await statistics.sizes(true)).bytes).toBeGreaterThan(0);
  },

  'types with their ends, in the order of bytes': async ({ store }) => {
    const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
    for (const [index, type] of ['b', 'Ż', 'B', 'b', '🎉', 'B'].entries()) {
      await append(store, `S-${index}`, [makeEvent({ type, createdAt: at(index + 1) })]);
    }
    const span = (type: string, first: number, last: number) => ({
      type,
      firstPosition: first,
      firstAt: at(first),
      lastPosition: last,
      lastAt: at(last),
    });
    expect(await store.statistics.types()).toEqual([
      span('B', 3, 6),
      span('b', 1, 4),
      span('Ż', 2, 2),
      span('🎉', 5, 5),
    ]);
  },

  'counts up to a bound, and the latest first': async ({ store }) => {
    await append(
      store,
      'S-1',
      makeEvents(5, (index) => ({ type: 'A', data: `{"n":${index}}` })),
    );
    await append(
      store,
      'S-2',
      makeEvents(2, () => ({ type: 'B' })),
    );
    expect(await store.statistics.countType('A', 10)).toBe(5);
    expect(await store.statistics.countType('A', 3)).toBe(3);
    const latest = await store.statistics.latest('A', 2);
    expect(latest.map(({ data }) => data)).toEqual(['{"n":4}', '{"n":3}']);
    expect(latest[0]).toEqual(await store.log.find(latest[0]?.id ?? ''));
  },

  'events of some ranges, with the bytes of their payloads': async ({ store }) => {
    await append(
      store,
      'S-ü',
      makeEvents(9, () => ({ data: '"zażółć"', metadata: '{"a":1}', schemaVersion: 3 })),
    );
    const found = await store.statistics.sample([
      { after: 0, to: 2 },
      { after: 4, to: 4 },
      { after: 7, to: 100 },
    ]);
    expect(found.map(({ globalPosition }) => globalPosition)).toEqual([1, 2, 8, 9]);
    expect(found[1]).toMatchObject({ streamId: 'S-ü', version: 2, type: 'OrderPlaced', schemaVersion: 3, bytes: 19 });
    expect(found[1]?.createdAt).toMatch(/^\d{4}-.*Z$/);
  },

  'the bytes of some events of a stream, and of no other stream': async ({ store }) => {
    await append(
      store,
      'S-ü',
      makeEvents(9, (index) => ({ data: `"${'ż'.repeat(index)}"`, metadata: '{"a":1}' })),
    );
    await append(
      store,
      'S-ü-1',
      makeEvents(9, () => ({ data: '1' })),
    );
    const { statistics } = store;
    expect(await statistics.measureStream('S-ü', [1, 3])).toEqual({ events: 2, bytes: 2 + 7 + (2 + 4) + 7 });
    expect(await statistics.measureStream('S-ü', [9, 10, 100])).toEqual({ events: 1, bytes: 2 + 16 + 7 });
    expect(await statistics.measureStream('S-ü', [])).toEqual({ events: 0, bytes: 0 });
    expect(await statistics.measureStream('none', [1])).toEqual({ events: 0, bytes: 0 });
    expect(await statistics.measureStream("' or 1=1", [1])).toEqual({ events: 0, bytes: 0 });
  },

  'sizes of the tables': async ({ store, engine }) => {
    await append(
      store,
      'S-1',
      makeEvents(50, () => ({ data: `"${'x'.repeat(5_000)}"` })),
    );
    const { bytes, tables } = await store.statistics.sizes(true);
    const events = tables?.find(({ table }) => table === 'events')?.bytes ?? 0;
    // Postgres compresses large payloads.
    expect(events).toBeGreaterThan(engine === 'postgres' ? 8_192 : 250_000);
    expect(bytes).toBeGreaterThanOrEqual(events);
    expect(tables?.map(({ table }) => table)).toContain('subscription_checkpoints');
    expect((await store.statistics.sizes(false)).tables === undefined).toBe(engine === 'sqlite');
  },
});
