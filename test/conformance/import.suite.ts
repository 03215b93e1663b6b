import { expect } from 'vitest';
import type { ImportedEvent } from '../../src/store/store.js';
import { append, errorOf, makeEvent, readAll, readStream } from '../support/events.js';
import { suite } from './suite.js';

function imported(streamId: string, facts: Partial<ImportedEvent> = {}): ImportedEvent {
  return { ...makeEvent(facts), streamId };
}

export const importSuite = suite('import', {
  'in the order of the lines, each at the next version of its stream': async ({ store }) => {
    await append(store, 'b-1');
    const events = ['a-1', 'b-1', 'a-1', 'c-1', 'b-1', 'a-1'].map((streamId) => imported(streamId));
    const result = await store.log.importEvents(events, { conflict: 'fail' });
    expect(result).toEqual({ imported: 6, known: 0, skipped: 0, newStreams: 2 });
    const stored = (await readAll(store)).slice(1);
    expect(stored.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(stored.map(({ version }) => version)).toEqual([1, 2, 2, 1, 3, 3]);
  },

  'ids, times, types and schema versions are kept': async ({ store }) => {
    const event = imported('Order-1', {
      createdAt: '2020-02-29T12:00:00.000001Z',
      schemaVersion: 3,
      streamType: 'Shop',
    });
    await store.log.importEvents([event], { conflict: 'fail' });
    expect(await readAll(store)).toMatchObject([{ ...event, version: 1 }]);
  },

  'the same lines again change nothing': async ({ store }) => {
    const events = ['a-1', 'b-1', 'a-1'].map((streamId) => imported(streamId, { data: '{"a":1,"b":2.0}' }));
    await store.log.importEvents(events, { conflict: 'fail' });
    const before = await readAll(store);
    const again = events.map((event) => ({ ...event, data: '{"b":2,"a":1.0}' }));
    for (const conflict of ['fail', 'skip'] as const) {
      const result = await store.log.importEvents([...again, imported('a-1')], { conflict });
      expect(result).toEqual({ imported: 1, known: 3, skipped: 0, newStreams: 0 });
    }
    expect((await readAll(store)).slice(0, 3)).toEqual(before);
    expect((await readStream(store, 'a-1')).map(({ version }) => version)).toEqual([1, 2, 3, 4]);
  },

  'a known id with other content: fail writes nothing, skip leaves it out': async ({ store }) => {
    const known = imported('a-1');
    await store.log.importEvents([known], { conflict: 'fail' });
    for (const other of [{ data: '[]' }, { metadata: '{"x":1}' }, { type: 'Other' }, { streamId: 'b-1' }]) {
      const lines = [imported('a-1'), { ...known, ...other }, imported('c-1')];
      await errorOf('E_ID_CONFLICT', store.log.importEvents(lines, { conflict: 'fail' }));
      expect(await readAll(store)).toHaveLength(1);
    }
    const lines = [imported('a-1'), { ...known, data: '[]' }, imported('a-1')];
    const result = await store.log.importEvents(lines, { conflict: 'skip' });
    expect(result).toEqual({ imported: 2, known: 0, skipped: 1, newStreams: 0 });
    const stored = await readStream(store, 'a-1');
    expect(stored.map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(stored[0]?.data).toBe(known.data);
  },

  'a line twice in one import is there once': async ({ store }) => {
    const line = imported('a-1', { data: '{"n":1}' });
    const again = { ...line, data: '{"n":1.0}' };
    const result = await store.log.importEvents([line, imported('a-1'), again], { conflict: 'fail' });
    expect(result).toEqual({ imported: 2, known: 1, skipped: 0, newStreams: 1 });
    const other = imported('b-1', { data: '{"n":1}' });
    const rival = { ...other, data: '{"n":2}' };
    await errorOf('E_ID_CONFLICT', store.log.importEvents([other, rival], { conflict: 'fail' }));
    expect(await readStream(store, 'b-1')).toEqual([]);
    expect(await store.log.importEvents([other, rival], { conflict: 'skip' })).toEqual({
      imported: 1,
      known: 0,
      skipped: 1,
      newStreams: 1,
    });
    expect(await readAll(store)).toHaveLength(3);
  },

  'many streams in one go': async ({ store }) => {
    const events = Array.from({ length: 3_000 }, (_, index) => imported(`Order-${index % 1_500}`));
    const result = await store.log.importEvents(events, { conflict: 'fail' });
    expect(result).toEqual({ imported: 3_000, known: 0, skipped: 0, newStreams: 1_500 });
    expect((await readAll(store)).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  },

  'while others append to the same streams': async ({ store, open }) => {
    const other = await open();
    const appends = Array.from({ length: 20 }, () => append(other, 'Order-1'));
    const imports = Array.from({ length: 20 }, () =>
      store.log.importEvents([imported('Order-1'), imported('Order-1')], { conflict: 'fail' }),
    );
    await Promise.all([...appends, ...imports]);
    const stored = await readStream(store, 'Order-1');
    expect(stored.map(({ version }) => version)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    const positions = stored.map(({ globalPosition }) => globalPosition);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  },

  'nothing to import': async ({ store }) => {
    const result = await store.log.importEvents([], { conflict: 'fail' });
    expect(result).toEqual({ imported: 0, known: 0, skipped: 0, newStreams: 0 });
  },
});
