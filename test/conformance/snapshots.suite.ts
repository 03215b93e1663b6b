/** Snapshots as other programs write them. */
import { expect } from 'vitest';
import type { SnapshotsOptions, Store } from '../../src/store/store.js';
import { append, makeEvents } from '../support/events.js';
import type { Raw } from '../support/raw.js';
import { suite } from './suite.js';

async function write(raw: Raw, streamId: string, version: number, data: string, hour: string): Promise<void> {
  const type = streamId.split('-')[0];
  await raw.query(`insert into snapshots (stream_id, stream_type, snapshot_data, version, created_at)
    values ('${streamId}', '${type}', '${data}', ${version}, '2026-01-01T${hour}:00:00.000000Z')`);
}

/** Orders of 4 events; the first snapshot is current, the last is of a version that there never was. */
async function fill(store: Store, raw: Raw): Promise<void> {
  for (const streamId of ['Order-1', 'Order-2', 'Orderly-1', 'Zażółć-1']) await append(store, streamId, makeEvents(4));
  await write(raw, 'Order-1', 4, '{"a":1}', '03');
  await write(raw, 'Order-2', 1, '{"total":9007199254740993, "b":1.10}', '02');
  await write(raw, 'Orderly-1', 3, '{"x":"zażółć"}', '01');
  await write(raw, 'Zażółć-1', 5, '[]', '04');
}

export const snapshotsSuite = suite('snapshots', {
  'a store without snapshots': async ({ store }) => {
    expect(await store.snapshots.list()).toEqual([]);
    expect(await store.snapshots.find('Order-1')).toBeUndefined();
  },

  'a snapshot with its data as written, and the version of its stream': async ({ store, raw }) => {
    await fill(store, raw);
    expect(await store.snapshots.find('Order-2')).toEqual({
      streamId: 'Order-2',
      streamType: 'Order',
      version: 1,
      streamVersion: 4,
      bytes: 36,
      createdAt: '2026-01-01T02:00:00.000Z',
      data: '{"total":9007199254740993, "b":1.10}',
    });
    expect(await store.snapshots.find('order-2')).toBeUndefined();
    await write(raw, 'Gone-1', 7, '{}', '05');
    expect(await store.snapshots.find('Gone-1')).toMatchObject({ version: 7, streamVersion: 0 });
  },

  'listed in four orders, narrowed by name, type and age': async ({ store, raw }) => {
    await fill(store, raw);
    const list = async (options?: SnapshotsOptions) =>
      (await store.snapshots.list(options)).map(({ streamId }) => streamId);
    expect(await list()).toEqual(['Order-1', 'Order-2', 'Orderly-1', 'Zażółć-1']);
    expect(await list({ sort: 'age' })).toEqual(['Orderly-1', 'Order-2', 'Order-1', 'Zażółć-1']);
    expect(await list({ sort: 'size' })).toEqual(['Order-2', 'Orderly-1', 'Order-1', 'Zażółć-1']);
    expect(await list({ sort: 'events' })).toEqual(['Order-2', 'Orderly-1', 'Order-1', 'Zażółć-1']);
    expect(await list({ sort: 'events', limit: 1 })).toEqual(['Order-2']);
    expect(await list({ limit: 2 })).toEqual(['Order-1', 'Order-2']);
    expect(await list({ category: 'Order' })).toEqual(['Order-1', 'Order-2']);
    expect(await list({ prefix: 'Order' })).toEqual(['Order-1', 'Order-2', 'Orderly-1']);
    expect(await list({ streamType: 'Orderly' })).toEqual(['Orderly-1']);
    expect(await list({ stale: true })).toEqual(['Order-2', 'Orderly-1', 'Zażółć-1']);
    expect(await list({ stale: true, category: 'Order', sort: 'age', limit: 5 })).toEqual(['Order-2']);
    expect(await list({ prefix: "x' or true --" })).toEqual([]);
  },
});
