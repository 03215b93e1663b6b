/** The indexes on correlation and causation ids: made on request, and without effect on what is read. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { relationOf } from '../../src/domain/relation.js';
import { append, errorOf, makeEvent, readAll } from '../support/events.js';
import { suite } from './suite.js';

const quietly = { progress: () => {}, signal: new AbortController().signal };
const positions = (events: readonly RecordedEvent[]) => events.map(({ globalPosition }) => globalPosition);
const names = ['events_correlation_id_idx', 'events_causation_id_idx'];
/** An index cannot hold the longest; they differ where it has been cut. */
const longIds = ['x', 'y'].map((end) => `${'ż'.repeat(300)}${end}`);
const ids = ['a', 'A', 'ż', "it's", '\\', '7', 'k'.repeat(199), 'k'.repeat(200), 'k'.repeat(201), ...longIds];

export const idIndexesSuite = suite('indexes on ids', {
  'they are made once, and read the same events': async ({ store }) => {
    for (const [index, id] of ids.entries()) {
      const metadata = { correlationId: id, causationId: ids[(index + 1) % ids.length] };
      await append(store, `S-${index}`, [makeEvent({ metadata: JSON.stringify(metadata) }), makeEvent()]);
    }
    await append(store, 'Number-1', [makeEvent({ metadata: '{"correlationId":7}' })]);
    const all = await readAll(store);
    const check = async () => {
      for (const id of [...ids, 'none', 'k'.repeat(198)]) {
        const related = (key: 'correlationId' | 'causationId') =>
          positions(all.filter((event) => relationOf(event)[key] === id));
        const [correlated, caused] = [related('correlationId'), related('causationId')];
        expect(positions(await readAll(store, { correlationId: id }))).toEqual(correlated);
        expect(positions(await readAll(store, { causationId: id }))).toEqual(caused);
        expect(positions(await readAll(store, { correlationId: id, backwards: true }))).toEqual(
          correlated.toReversed(),
        );
        expect(positions(await readAll(store, { causationId: id, limit: 1 }))).toEqual(caused.slice(0, 1));
        expect(
          positions(await readAll(store, { correlationId: id, types: ['OrderPlaced'], after: 3, to: 12 })),
        ).toEqual(correlated.filter((position) => position > 3 && position <= 12));
      }
    };
    await check();
    expect((await store.schema.idIndexes()).map(({ state }) => state)).toEqual(['missing', 'missing']);

    expect(await store.schema.createIdIndexes(quietly)).toEqual(names);
    expect(await store.schema.idIndexes()).toMatchObject([
      { name: names[0], key: 'correlationId', state: 'ready' },
      { name: names[1], key: 'causationId', state: 'ready' },
    ]);
    expect(await store.schema.createIdIndexes(quietly)).toEqual([]);
    await check();
    const status = await store.schema.status();
    expect(status.migrations.every(({ state }) => state === 'applied')).toBe(true);
    expect(await store.schema.findBrokenGuards()).toEqual([]);
  },

  'of two equal keys the last counts, and UUIDs compare in either case': async ({ store, raw }) => {
    const uuid = '0192AAAA-bbbb-7ccc-8ddd-eeeeffff0000';
    const metadata = [
      '{"correlationId":"a","correlationId":"b"}',
      '{"correlationId":"b","correlation\\u0049d":"a"}',
      '{"correlationId":"a","correlationId":null}',
      '{"deep":{"correlationId":"c"},"correlationId":"b"}',
      `{"causationId":"${uuid}","correlationId":"${uuid.toUpperCase()}"}`,
      `{"causationId":"x","causationId":"${uuid.toLowerCase()}"}`,
      '{"causationId":"Not-A-UUID"}',
    ];
    for (const [index, each] of metadata.entries()) {
      await raw.query(
        `insert into events (stream_id, event_type, event_data, metadata, version)
         values ('Raw-1', 'Raw', '{}', '${each}', ${index + 1})`,
      );
    }
    const all = await readAll(store);
    const check = async () => {
      const find = async (filter: object) => (await readAll(store, filter)).map(({ version }) => version);
      expect(await find({ correlationId: 'a' })).toEqual([2]);
      expect(await find({ correlationId: 'b' })).toEqual([1, 4]);
      expect(await find({ correlationId: 'c' })).toEqual([]);
      for (const id of [uuid, uuid.toLowerCase(), uuid.toUpperCase()]) {
        expect(await find({ causationId: id })).toEqual([5, 6]);
        expect(await find({ correlationId: id })).toEqual([5]);
      }
      expect(await find({ causationId: 'not-a-uuid' })).toEqual([]);
      expect(await find({ causationId: 'Not-A-UUID' })).toEqual([7]);
    };
    await check();
    await store.schema.createIdIndexes(quietly);
    await check();
    expect(all.map((event) => relationOf(event).correlationId)).toEqual([
      'b',
      'a',
      undefined,
      'b',
      uuid.toLowerCase(),
      undefined,
      undefined,
    ]);
  },

  'an id of any length can be appended': async ({ store }) => {
    await store.schema.createIdIndexes(quietly);
    // Nothing can compress it.
    const id = Array.from({ length: 100 }, (_, index) => createHash('sha256').update(`${index}`).digest('hex')).join(
      '',
    );
    await store.log.append(
      'S-1',
      [makeEvent({ metadata: JSON.stringify({ correlationId: id, causationId: id }) })],
      'any',
    );
    expect(await readAll(store, { correlationId: id })).toHaveLength(1);
    expect(await readAll(store, { causationId: `${id}x` })).toHaveLength(0);
  },

  'one that was made of something else is made again': async ({ store, raw }) => {
    await raw.query(`create index ${names[1]} on events (version)`);
    expect((await store.schema.idIndexes()).map(({ state }) => state)).toEqual(['missing', 'broken']);
    expect(await store.schema.createIdIndexes(quietly)).toEqual(names);
    expect((await store.schema.idIndexes()).map(({ state }) => state)).toEqual(['ready', 'ready']);
  },

  'an import keeps them': async ({ store }) => {
    await store.schema.createIdIndexes(quietly);
    const events = [{ ...makeEvent({ metadata: '{"correlationId":"c"}' }), streamId: 'S-1' }];
    await store.log.importEvents(events, { conflict: 'fail' });
    expect(await readAll(store, { correlationId: 'c' })).toHaveLength(1);
    expect((await store.schema.idIndexes()).map(({ state }) => state)).toEqual(['ready', 'ready']);
  },
});

export const idIndexesPostgresSuite = suite(
  'indexes on ids',
  {
    'one that was interrupted is made again, and writers go on meanwhile': async ({ store, raw, connect }) => {
      await append(store, 'S-1', [makeEvent({ metadata: '{"correlationId":"c"}' })]);
      // A snapshot that is still open keeps the index from being finished.
      const other = await connect();
      await other.query('begin isolation level repeatable read');
      await other.query('select 1 from events');
      const stop = new AbortController();
      const made = store.schema.createIdIndexes({
        progress: () => stop.abort(new Error('stopped')),
        signal: stop.signal,
      });
      await expect(made).rejects.toThrow('stopped');
      await append(store, 'S-1', [makeEvent({ metadata: '{"correlationId":"c"}' })]);
      await other.query('commit');
      expect((await store.schema.idIndexes()).map(({ state }) => state)).toEqual(['broken', 'missing']);
      expect(await readAll(store, { correlationId: 'c' })).toHaveLength(2);
      expect(await store.schema.createIdIndexes(quietly)).toEqual(names);
      expect(await readAll(store, { correlationId: 'c' })).toHaveLength(2);
      const left = await raw.query("select 1 from pg_index where indrelid = 'events'::regclass and not indisvalid");
      expect(left).toEqual([]);
    },

    'one that another process makes is left to it; a limit of the role does not end it': async ({
      store,
      open,
      raw,
      connect,
    }) => {
      await append(store, 'S-1');
      await raw.query(
        "do $$ begin execute format('alter database %I set statement_timeout = 300', current_database()); end $$",
      );
      const other = await connect();
      await other.query('set statement_timeout = 0');
      await other.query('begin isolation level repeatable read');
      await other.query('select 1 from events');
      const limited = await open();
      let seen = () => {};
      const isWaiting = new Promise<void>((resolve) => {
        seen = resolve;
      });
      const made = limited.schema.createIdIndexes({ ...quietly, progress: () => seen() });
      await isWaiting;
      const second = await open();
      expect((await errorOf('E_LOCK_HELD', second.schema.createIdIndexes(quietly))).message).toContain(names[0]);
      await other.query('commit');
      expect(await made).toEqual(names);
    },
  },
  { engines: ['postgres'] },
);
