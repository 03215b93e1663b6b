/** Types and statistics: counted where that is cheap or asked for, otherwise estimated from a few places. */
import { expect, test } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { positionAt } from '../../src/query/position-at.js';
import { takeStats } from '../../src/query/stats.js';
import { listTypes } from '../../src/query/types.js';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';

const counting = { exact: true, progress: () => {}, signal: new AbortController().signal };
const estimating = { ...counting, exact: false };

/** One type for every second event, one for every hundredth, one for two events; a stream of 2,500 and many small ones. */
const total = 60_000;
async function fill(store: Store): Promise<void> {
  const start = Date.parse('2026-01-01T00:00:00Z');
  for (let from = 0; from < total; from += 4_000) {
    const events = Array.from({ length: 4_000 }, (_, offset) => {
      const index = from + offset;
      const type = index % 40_000 === 7 ? 'Rare' : index % 2 === 0 ? 'Half' : index % 100 === 1 ? 'Hundredth' : 'Rest';
      return {
        id: newEventId(),
        streamId: index % 24 === 0 ? 'Big-1' : `Small-${Math.floor(index / 10)}`,
        type,
        schemaVersion: type === 'Half' && index > total / 2 ? 2 : 1,
        data: type === 'Rare' ? '{"a":1,"b":null}' : '{"n":"x"}',
        metadata: '{}',
        createdAt: new Date(start + index * 7_200).toISOString(),
      };
    });
    await store.log.importEvents(events, { conflict: 'fail' });
  }
}

forEachEngine((engine) => {
  test('a log is estimated as it is counted', () =>
    withTestStore(engine, async ({ store }) => {
      await fill(store);
      const counted = await listTypes(store, counting);
      expect(counted).toMatchObject({ events: total, estimated: false });
      expect(counted.types.map(({ type, events }) => [type, events])).toEqual([
        ['Half', 30_000],
        ['Rest', 29_398],
        ['Hundredth', 600],
        ['Rare', 2],
      ]);
      expect(counted.types[0]).toMatchObject({
        share: 0.5,
        schemaVersions: [1, 2],
        firstAt: '2026-01-01T00:00:00.000Z',
      });
      expect(counted.types[3]?.fields).toEqual([
        { name: 'a', types: ['number'], optional: false },
        { name: 'b', types: ['null'], optional: false },
      ]);

      const estimated = await listTypes(store, estimating);
      expect(estimated.estimated).toBe(true);
      for (const [index, { type, events }] of counted.types.entries()) {
        const guess = estimated.types[index];
        expect(guess?.type).toBe(type);
        expect(Math.abs((guess?.events ?? 0) - events) / events).toBeLessThan(0.1);
      }
      expect(estimated.types[3]).toMatchObject({ events: 2, estimated: false });

      const exact = await takeStats(store, counting);
      const stats = await takeStats(store, estimating);
      expect(exact).toMatchObject({ events: total, streams: 6_001, estimated: false });
      expect(exact.byDay.map(({ events }) => events)).toEqual(Array.from({ length: 5 }, () => 12_000));
      expect(stats.estimated).toBe(true);
      expect(Math.abs(stats.events - exact.events) / exact.events).toBeLessThan(0.02);
      expect(Math.abs(stats.streams - exact.streams) / exact.streams).toBeLessThan(0.2);
      expect(stats.byDay.map(({ day }) => day)).toEqual(exact.byDay.map(({ day }) => day));
      expect(stats.largestStreams[0]).toEqual({ streamId: 'Big-1', events: 2_500 });
      expect(exact.lastHour).toEqual(stats.lastHour);
      expect(exact.lastHour.reduce((sum, { events }) => sum + events, 0)).toBe(500);

      const since = '2026-01-04T12:00:00.000Z';
      const lately = await takeStats(store, { ...estimating, since });
      expect(lately).toMatchObject({ events: 18_000, estimated: false });
      expect(lately.firstAt).toBe(since);
      expect(await takeStats(store, { ...counting, since })).toEqual(lately);
    }));

  test('where a time is in the log; not known where times do not rise', () =>
    withTestStore(engine, async ({ store }) => {
      expect(await positionAt(store, '2026-01-01T00:00:00.000Z')).toBe(0);
      for (let day = 1; day <= 9; day += 1) {
        await append(store, 'S-1', [makeEvent({ createdAt: `2026-01-0${day}T00:00:00Z` })]);
      }
      expect(await positionAt(store, '2026-01-05T00:00:00.000Z')).toBe(4);
      expect(await positionAt(store, '2027-01-01T00:00:00.000Z')).toBe(9);
      await append(store, 'S-2', [makeEvent({ createdAt: '2025-01-01T00:00:00Z' })]);
      expect(await positionAt(store, '2026-01-05T00:00:00.000Z')).toBe(4);
      expect(await positionAt(store, '2025-06-01T00:00:00.000Z')).toBe(0);
    }));
});
