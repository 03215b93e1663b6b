import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import type { ImportedEvent, ImportOptions, ImportResult, Store } from '../../src/store/store.js';
import { append, errorOf, failureOf, makeEvent, readAll, readStream } from '../support/events.js';
import { suite } from './suite.js';

function imported(streamId: string, facts: Partial<ImportedEvent> = {}): ImportedEvent {
  return { ...makeEvent(facts), streamId };
}

type Total = { -readonly [Key in keyof ImportResult]: number } & { batches: number };

/** Imports them as they come. @returns what was committed, and what it ended with */
async function importBatches(
  store: Store,
  batches: AsyncIterable<readonly ImportedEvent[]>,
  options: Partial<ImportOptions> = {},
): Promise<{ readonly sizes: readonly number[]; readonly total: Total; readonly error: unknown }> {
  const sizes: number[] = [];
  const total = { imported: 0, known: 0, skipped: 0, newStreams: 0, batches: 0 };
  const committed = (result: ImportResult) => {
    for (const key of Object.keys(result) as (keyof ImportResult)[]) total[key] += result[key];
    sizes.push(result.imported + result.known + result.skipped);
    total.batches += 1;
  };
  const error = await failureOf(store.log.importBatches(batches, { conflict: 'fail', committed, ...options }));
  return { sizes, total, error };
}

async function* each<T>(...items: readonly (T | Error)[]): AsyncGenerator<T> {
  for (const item of items) {
    if (item instanceof Error) throw item;
    yield item;
  }
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

  'batch after batch, alone or joined: in order, each event once, and all of them told': async ({ store }) => {
    const streams = ['Order-1', 'Order-2', 'Bestellung-ü', 'Order-1'];
    const makeBatch = (size: number) =>
      Array.from({ length: size }, (_, index) =>
        imported(streams[index % streams.length] ?? '', {
          data: JSON.stringify({ text: '\u{1F680} "ß\\\t' }),
          ...(index % 2 === 0 && { createdAt: '2020-02-29T12:00:00.000001Z', streamType: 'Shop', schemaVersion: 2 }),
        }),
      );
    const sent: ImportedEvent[] = [];
    for (const joined of [false, true]) {
      const batches = [3, 1, 0, 200, 7].map(makeBatch);
      const { sizes, total, error } = await importBatches(store, each(...batches), { joined });
      expect(error).toBeUndefined();
      expect(sizes).toEqual([3, 1, 0, 200, 7]);
      expect(total).toEqual({ imported: 211, known: 0, skipped: 0, newStreams: joined ? 0 : 3, batches: 5 });
      sent.push(...batches.flat());
      const stored = await readAll(store);
      expect(stored.map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
      expect(stored).toMatchObject(sent);
      const again = await importBatches(store, each(...batches), { joined });
      expect(again.total).toEqual({ imported: 0, known: 211, skipped: 0, newStreams: 0, batches: 5 });
    }
    const versions = (await readStream(store, 'Order-1')).map(({ version }) => version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
  },

  'no batch at all': async ({ store }) => {
    expect(await importBatches(store, each())).toMatchObject({ sizes: [], error: undefined });
  },

  'a batch that fails: what was committed before it is told, and nothing after it is written': async ({ store }) => {
    for (const joined of [false, true]) {
      const before = (await readAll(store)).length;
      const known = imported('a-1');
      const other = { ...known, data: '[]' };
      const batches = [[known], [imported('a-1')], [imported('a-1'), other], [imported('b-1')], [imported('b-1')]];
      const { total, error } = await importBatches(store, each(...batches), { joined });
      expect(error).toBeInstanceOf(EvstoreError);
      expect(error).toMatchObject({ code: 'E_ID_CONFLICT', message: expect.stringContaining(known.id) });
      if (!joined) expect(total.batches).toBe(2);
      const stored = await readAll(store);
      expect(stored.length - before).toBe(total.imported);
      expect(stored.slice(before).map(({ id }) => id)).toEqual(
        batches
          .flat()
          .slice(0, total.imported)
          .map(({ id }) => id),
      );
      const skipping = await importBatches(store, each(...batches), { joined, conflict: 'skip' });
      expect(skipping.total).toMatchObject({ skipped: 1, known: total.imported, batches: 5 });
      await store.schema.assertGuards();
    }
  },

  'a source that fails: what it gave before is committed': async ({ store }) => {
    for (const joined of [false, true]) {
      for (const count of [0, 1, 2, 5]) {
        const before = (await readAll(store)).length;
        const batches = Array.from({ length: count }, () => [imported('a-1'), imported('a-1')]);
        const broken = new Error('the pipe broke');
        const { total, error } = await importBatches(store, each(...batches, broken), { joined });
        expect(error).toBe(broken);
        expect(total).toMatchObject({ imported: 2 * count, batches: count });
        expect((await readAll(store)).length - before).toBe(2 * count);
      }
    }
  },

  'a source that pauses keeps nobody waiting, and what it gave is there': async ({ store, open }) => {
    const other = await open();
    for (const joined of [false, true]) {
      const before = (await readAll(other)).length;
      async function* slow() {
        for (let count = 1; count <= 3; count++) {
          yield [imported('a-1')];
          while ((await readAll(other)).length < before + 2 * count - 1) await sleep(5);
          await append(other, 'a-1');
        }
      }
      expect((await importBatches(store, slow(), { joined })).total.imported).toBe(3);
      expect((await readStream(other, 'a-1')).length).toBe(before + 6);
    }
  },

  'others append while it goes on, and events keep their order': async ({ store, open }) => {
    const other = await open();
    const batches = Array.from({ length: 30 }, () => Array.from({ length: 150 }, () => imported('Order-1')));
    let isDone = false;
    const appends = async () => {
      let count = 0;
      for (; !isDone; count++) await append(other, 'Order-1');
      return count;
    };
    const importing = importBatches(store, each(...batches), { joined: true }).finally(() => {
      isDone = true;
    });
    const [{ total, error }, appended] = await Promise.all([importing, appends()]);
    expect(error).toBeUndefined();
    expect(total.imported).toBe(4_500);
    const stored = await readStream(store, 'Order-1');
    expect(stored.map(({ version }) => version)).toEqual(Array.from({ length: 4_500 + appended }, (_, n) => n + 1));
    const ids = new Set(batches.flat().map(({ id }) => id));
    expect(stored.filter(({ id }) => ids.has(id)).map(({ id }) => id)).toEqual([...ids]);
    await store.schema.assertGuards();
  },

  'nothing to import': async ({ store }) => {
    const result = await store.log.importEvents([], { conflict: 'fail' });
    expect(result).toEqual({ imported: 0, known: 0, skipped: 0, newStreams: 0 });
  },
});
