/** The log that is measured is the same every time. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventsPerOrder, makeOrders } from '../../bench/data/orders.js';

describe('the events of the benchmarks', () => {
  const events = [...makeOrders(20_000)];

  it('are whole orders, each in the order of its versions', () => {
    const versions = new Map<string, number>();
    for (const { streamId, version } of events) {
      expect(version).toBe((versions.get(streamId) ?? 0) + 1);
      versions.set(streamId, version);
    }
    expect(versions.size).toBe(20_000 / eventsPerOrder);
    expect(new Set(versions.values())).toEqual(new Set([eventsPerOrder]));
  });

  it('come of many orders at a time', () => {
    expect(new Set(events.slice(5_000, 6_000).map(({ streamId }) => streamId)).size).toBeGreaterThan(500);
  });

  it('have ids of their own, and payloads that are JSON', () => {
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    for (const { id, data, metadata } of events.slice(0, 1_000)) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(JSON.stringify(JSON.parse(metadata))).toBe(metadata);
      expect(JSON.parse(data)).toBeTypeOf('object');
    }
  });

  it('are the same every time', () => {
    const hash = createHash('sha256').update(JSON.stringify(events)).digest('hex').slice(0, 16);
    expect(hash).toMatchInlineSnapshot(`"6b87d6494ed62ee4"`);
  });
});
