/** Snapshots of evstore, and those that other programs write. */
import { expect } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import type { NewSnapshot, SnapshotsOptions, Store } from '../../src/store/store.js';
import { append, errorOf, makeEvents, readStream } from '../support/events.js';
import type { Raw } from '../support/raw.js';
import { suite } from './suite.js';

async function write(raw: Raw, streamId: string, version: number, data: string, hour: string): Promise<void> {
  const type = streamId.split('-')[0];
  await raw.query(`insert into snapshots (stream_id, stream_type, snapshot_data, version, created_at)
    values ('${streamId.replaceAll("'", "''")}', '${type}', '${data}', ${version}, '2026-01-01T${hour}:00:00.000000Z')`);
}

/** Orders of 4 events; the first snapshot is current, the last is of a version that there never was. */
async function fill(store: Store, raw: Raw): Promise<void> {
  for (const streamId of ['Order-1', 'Order-2', 'Orderly-1', 'Zażółć-1']) await append(store, streamId, makeEvents(4));
  await write(raw, 'Order-1', 4, '{"a":1}', '03');
  await write(raw, 'Order-2', 1, '{"total":9007199254740993, "b":1.10}', '02');
  await write(raw, 'Orderly-1', 3, '{"x":"zażółć"}', '01');
  await write(raw, 'Zażółć-1', 5, '[]', '04');
}

/** Of evstore, of the event that the stream has at the version. */
async function snapshotOf(store: Store, streamId: string, version: number): Promise<NewSnapshot> {
  const eventId = (await readStream(store, streamId))[version - 1]?.id ?? newEventId();
  const origin = { aggregate: 'order', stateVersion: 1, codeHash: 'a1', eventId };
  return { streamId, streamType: 'Order', version, data: `{"version":${version}}`, ...origin };
}

async function versionOf(store: Store, streamId: string): Promise<number | undefined> {
  return (await store.snapshots.find(streamId))?.version;
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
      origin: null,
      storedEventId: (await readStream(store, 'Order-2'))[0]?.id,
      data: '{"total":9007199254740993, "b":1.10}',
    });
    expect(await store.snapshots.find('order-2')).toBeUndefined();
    await write(raw, 'Gone-1', 7, '{}', '05');
    expect(await store.snapshots.find('Gone-1')).toMatchObject({ version: 7, streamVersion: 0, storedEventId: null });
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
    expect(await list({ after: 'Order-1' })).toEqual(['Order-2', 'Orderly-1', 'Zażółć-1']);
    expect(await list({ after: 'Order-1', category: 'Order' })).toEqual(['Order-2']);
    expect(await list({ after: 'Order-1', prefix: 'Order', limit: 1 })).toEqual(['Order-2']);
    expect(await list({ after: 'Zażółć-1' })).toEqual([]);
    expect(await list({ prefix: "x' or true --" })).toEqual([]);
  },

  'what is stored comes back, digit by digit, with its origin': async ({ store }) => {
    await append(store, 'Order-1', makeEvents(3));
    const snapshot = { ...(await snapshotOf(store, 'Order-1', 2)), data: '{"total":9007199254740993, "b":1.10}' };
    expect(await store.snapshots.save(snapshot)).toBe(true);
    const { aggregate, stateVersion, codeHash, eventId, ...place } = snapshot;
    const origin = { aggregate, stateVersion, codeHash, eventId };
    const facts = { streamVersion: 3, bytes: 36, createdAt: expect.stringMatching(/Z$/), storedEventId: eventId };
    expect(await store.snapshots.find('Order-1')).toEqual({ ...place, ...facts, origin });
    const { data: _, ...summary } = place;
    expect(await store.snapshots.list()).toEqual([{ ...summary, ...facts, origin }]);
  },

  'a snapshot replaces an earlier or an equal one, never a later one': async ({ store }) => {
    await append(store, 'Order-1', makeEvents(5));
    const third = await snapshotOf(store, 'Order-1', 3);
    expect(await store.snapshots.save(third)).toBe(true);
    expect(await store.snapshots.save(await snapshotOf(store, 'Order-1', 2))).toBe(false);
    expect(await versionOf(store, 'Order-1')).toBe(3);
    expect(await store.snapshots.save({ ...third, stateVersion: 2, codeHash: 'b2', data: '{}' })).toBe(true);
    expect(await store.snapshots.find('Order-1')).toMatchObject({ data: '{}', origin: { stateVersion: 2 } });
    expect(await store.snapshots.save(await snapshotOf(store, 'Order-1', 4))).toBe(true);
    expect(await versionOf(store, 'Order-1')).toBe(4);
  },

  'eight that store at once leave the latest': async ({ open, store }) => {
    await append(store, 'Order-1', makeEvents(8));
    const snapshots = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((each) => snapshotOf(store, 'Order-1', each)));
    const stores = await Promise.all(snapshots.map(() => open()));
    await Promise.all(snapshots.map((snapshot, index) => stores[index]?.snapshots.save(snapshot)));
    expect(await versionOf(store, 'Order-1')).toBe(8);
  },

  'a later snapshot of events that the stream does not have is replaced': async ({ store }) => {
    await append(store, 'Order-1', makeEvents(3));
    const right = await snapshotOf(store, 'Order-1', 1);
    for (const wrong of [{ version: 9 }, { version: 2, eventId: newEventId() }]) {
      await store.snapshots.delete(await store.snapshots.list());
      expect(await store.snapshots.save({ ...right, ...wrong })).toBe(true);
      expect(await store.snapshots.save(right)).toBe(true);
      expect(await versionOf(store, 'Order-1')).toBe(1);
    }
  },

  'a snapshot of another program is not replaced': async ({ store, raw }) => {
    await append(store, 'Order-1', makeEvents(3));
    await write(raw, 'Order-1', 1, '{"theirs":true}', '01');
    expect(await store.snapshots.save(await snapshotOf(store, 'Order-1', 3))).toBe(false);
    expect(await store.snapshots.find('Order-1')).toMatchObject({ version: 1, origin: null });
  },

  'a snapshot has all of its origin or nothing of it': async ({ raw }) => {
    const half = `insert into snapshots (stream_id, snapshot_data, version, aggregate) values ('Order-1', '{}', 1, 'order')`;
    await expect(raw.query(half)).rejects.toThrow(/snapshots_origin_check/);
  },

  'deleted are those that are still of the version named': async ({ store, raw }) => {
    for (const streamId of ['Order-1', 'Order-2', 'Order-3']) {
      await append(store, streamId, makeEvents(2));
      await store.snapshots.save(await snapshotOf(store, streamId, 2));
    }
    await write(raw, "Order-o'4", 1, '{}', '01');
    const named = [
      { streamId: 'Order-1', version: 2 },
      { streamId: 'Order-2', version: 1 },
      { streamId: "Order-o'4", version: 1 },
      { streamId: 'Order-5', version: 1 },
    ];
    expect([...(await store.snapshots.delete(named))].sort()).toEqual(['Order-1', "Order-o'4"]);
    expect((await store.snapshots.list()).map(({ streamId }) => streamId)).toEqual(['Order-2', 'Order-3']);
    expect(await store.snapshots.delete([])).toEqual([]);
  },

  'data that is not JSON is refused': async ({ store }) => {
    await append(store, 'Order-1', makeEvents(1));
    const snapshot = { ...(await snapshotOf(store, 'Order-1', 1)), data: '{' };
    await errorOf('E_INVALID_INPUT', store.snapshots.save(snapshot));
    expect(await store.snapshots.list()).toEqual([]);
  },
});
