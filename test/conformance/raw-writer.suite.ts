/** Other programs write to the events table in plain SQL; the database itself keeps every promise. */
import { expect } from 'vitest';
import { renderEventLine } from '../../src/domain/event-lines.js';
import { newEventId } from '../../src/domain/uuid.js';
import type { LineBatch, ReadAllOptions } from '../../src/store/store.js';
import { verifyStore } from '../../src/verify/verify.js';
import { append, collectBatches, errorOf, failureOf, makeEvent, readAll, readStream } from '../support/events.js';
import { suite } from './suite.js';

const insert = (streamId: string, values: readonly string[]) =>
  `insert into events (id, stream_id, stream_type, event_type, event_data, version) values ${values
    .map((version) => `('${newEventId()}', '${streamId}', 'Raw', 'RawAdded', '{"a": 1}', ${version})`)
    .join(', ')}`;
const next = (streamId: string) => `(select coalesce(max(version), 0) + 1 from events where stream_id = '${streamId}')`;

async function collectLines(batches: AsyncIterable<LineBatch>): Promise<readonly LineBatch[]> {
  const collected: LineBatch[] = [];
  for await (const batch of batches) collected.push(batch);
  return collected;
}

export const rawWriterSuite = suite('raw writer', {
  'single INSERT, then appends, then INSERT again': async ({ store, raw }) => {
    await raw.query(insert('Raw-1', [next('Raw-1')]));
    await append(store, 'Raw-1', [makeEvent()], 1);
    await raw.query(insert('Raw-1', [next('Raw-1')]));
    const stored = await readStream(store, 'Raw-1');
    expect(stored.map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(stored[0]).toMatchObject({
      streamType: 'Raw',
      type: 'RawAdded',
      data: '{"a": 1}',
      metadata: '{}',
      schemaVersion: 1,
    });
    expect(stored[0]?.createdAt).toMatch(/Z$/);
    expect(await readAll(store)).toEqual(stored);
  },

  'many rows in one INSERT': async ({ store, raw }) => {
    await raw.query(insert('Raw-1', ['1', '2', '3']));
    expect((await readAll(store)).map(({ version }) => version)).toEqual([1, 2, 3]);
  },

  'a time with any offset, as Postgres prints it, is read and filtered alike': async ({ store, raw }) => {
    const times = ['09:30:00.5+00', '09:30:01.5+00:00', '09:30:02.5+0000', '15:00:03.5+0530', '01:30:04.5-08'];
    for (const [index, time] of times.entries()) {
      await raw.query(
        `insert into events (stream_id, event_type, event_data, version, created_at)
         values ('Time-1', 'T', '{}', ${index + 1}, '2026-01-31 ${time}')`,
      );
    }
    const stored = times.map((_, second) => `2026-01-31T09:30:0${second}.500Z`);
    expect((await readAll(store)).map(({ createdAt }) => createdAt)).toEqual(stored);
    const since = '2026-01-31T09:30:02Z';
    expect((await readAll(store, { since })).map(({ createdAt }) => createdAt)).toEqual(stored.slice(2));
  },

  'names that no program of ours would take are read as they are': async ({ store, raw, engine }) => {
    const names = ['a\x1fb', '\x1f', '\x1f\x1f1\x1f', '\t', '\\N', '\\', '\x01\n"', 'ü\x1f🎉', 'plain'];
    const values = engine === 'postgres' ? '$1, $2, $3, $4' : '?, ?, ?, ?';
    for (const name of names) {
      await raw.query(
        `insert into events (stream_id, stream_type, event_type, event_data, version) values (${values}, 1)`,
        [name, name, name, '{"a":\t"\\t"}'],
      );
    }
    const wanted = names.map((name) => ({ streamId: name, streamType: name, type: name, data: '{"a":\t"\\t"}' }));
    expect(await readAll(store)).toMatchObject(wanted);
    for (const event of await readAll(store)) {
      expect(await readStream(store, event.streamId)).toEqual([event]);
      expect(await store.log.find(event.id)).toEqual(event);
    }
  },

  'lines are the events as they are printed, whoever wrote them': async ({ store, raw, engine }) => {
    const texts = [
      'Order',
      'a"b',
      '\\',
      '\x1f',
      '\t\r\n',
      '\x7f',
      '\x1b[2J',
      '\u009b',
      '\u202e',
      '\u{e0041}',
      'ü',
      '漢🎉',
      "'",
    ];
    const times = ['2026-01-02T03:04:05.678900Z', '2026-01-02 03:04:05', '2026-01-02T03:04:05+02:00'];
    const odd =
      engine === 'postgres'
        ? ['infinity', '10000-01-01']
        : ['2026-01-02T03:04:05.1234567Z', '2026-01-02T03:04:05.000Z'];
    const all = [...times, ...odd, '2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05.123000Z'];
    const values = engine === 'postgres' ? '$1, $2, $3, $4, $5, $6, $7, $8' : '?, ?, ?, ?, ?, ?, ?, ?';
    const write = (name: string, version: number, data: string, time: string) =>
      raw.query(
        `insert into events (id, stream_id, stream_type, event_type, event_data, metadata, version, created_at) values (${values})`,
        [newEventId().toUpperCase(), name, name, name, data, ' {"a":\t[1,\r\n2] }\n', version, time],
      );
    for (let version = 1; version <= 20; version++) await write('Plain-1', version, '{"a":1}', times[0] ?? '');
    for (const text of texts) await write(text, 1, JSON.stringify({ text, number: 1 }), times[0] ?? '');
    for (const [index, time] of all.entries()) await write('Time-1', index + 1, '{"a":"é\\t\\u0000"}', time);
    const asked: readonly ReadAllOptions[] = [
      {},
      { batchSize: 7 },
      { batchSize: 1 },
      { backwards: true },
      { backwards: true, batchSize: 4, limit: 30 },
      { limit: 3, after: 5 },
      { category: 'Plain', batchSize: 6 },
      { streamId: 'a"b' },
      { types: ['\\', 'ü'], backwards: true },
      { to: 22 },
      { category: 'None' },
    ];
    for (const options of asked) {
      const events = await readAll(store, options);
      const batches = await collectLines(store.log.readLines(options));
      expect(batches.map(({ lines }) => Buffer.from(lines).toString()).join('')).toBe(
        events.map((event) => `${renderEventLine(event)}\n`).join(''),
      );
      expect(batches.reduce((sum, batch) => sum + batch.events, 0)).toBe(events.length);
      const reached = (await collectBatches(store.log.readAll(options))).at(-1)?.upTo;
      expect(batches.at(-1)?.upTo).toBe(reached);
      for (const line of batches.flatMap(({ lines }) => Buffer.from(lines).toString().split('\n').slice(0, -1))) {
        expect(JSON.parse(line)).toMatchObject({ schemaVersion: 1, metadata: { a: [1, 2] } });
      }
    }
    expect(await readAll(store)).toHaveLength(20 + texts.length + all.length);
  },

  'a version twice is refused': async ({ store, raw }) => {
    await raw.query(insert('Raw-1', ['1']));
    expect(await failureOf(raw.query(insert('Raw-1', ['1'])))).toBeInstanceOf(Error);
    expect(await readAll(store)).toHaveLength(1);
  },

  'a version that does not follow the last one of its stream is refused': async ({ store, raw }) => {
    await raw.query(insert('Raw-1', ['1']));
    for (const versions of [['3'], ['2', '4'], ['3', '2'], ['5', '6']]) {
      expect(await failureOf(raw.query(insert('Raw-1', versions))), versions.join()).toBeInstanceOf(Error);
    }
    expect(await failureOf(raw.query(insert('Raw-2', ['2'])))).toBeInstanceOf(Error);
    expect(await readAll(store)).toHaveLength(1);
    await raw.query(insert('Raw-1', ['2', '3']));
    await append(store, 'Raw-1', [makeEvent()], 3);
    expect((await readAll(store)).map(({ version }) => version)).toEqual([1, 2, 3, 4]);
  },

  'after a restore without the sequence no event gets a position that readers have passed': async ({
    store,
    raw,
    engine,
  }) => {
    await append(store, 'Order-1', [makeEvent(), makeEvent(), makeEvent()]);
    await raw.query(
      engine === 'postgres'
        ? 'alter sequence events_global_position_seq restart with 2'
        : "update sqlite_sequence set seq = 1 where name = 'events'",
    );
    if (engine === 'postgres') {
      const failure = await errorOf('E_UNSAFE_STORE', append(store, 'Order-2'));
      expect(failure.next).toBe('evstore doctor --fix sequence');
      expect((await failureOf(raw.query(insert('Raw-1', ['1']))))?.code).toBe('EV004');
    }
    expect(await store.schema.findBrokenGuards()).toMatchObject([{ fixable: 'sequence' }]);
    expect(await store.schema.fix('sequence')).toBe('the sequence of positions continues after 3');
    expect(await store.schema.fix('sequence')).toBe(null);
    expect(await store.schema.findBrokenGuards()).toEqual([]);
    await append(store, 'Order-2');
    expect((await readAll(store)).map(({ globalPosition }) => globalPosition)).toEqual([1, 2, 3, 4]);
  },

  'O23: UPDATE, DELETE, TRUNCATE and REPLACE are refused': async ({ store, raw, engine }) => {
    const event = makeEvent();
    await append(store, 'Order-1', [event]);
    const before = await readAll(store);
    const attempts = [
      "update events set event_data = '[]'",
      'update events set version = version + 1',
      'delete from events',
      `delete from events where stream_id = 'Order-1'`,
      ...(engine === 'postgres'
        ? ['truncate events', 'truncate events cascade']
        : [
            `insert or replace into events (id, stream_id, stream_type, event_type, event_data, version)
             values ('${event.id}', 'Order-1', 'X', 'X', '{}', 1)`,
            `replace into events (global_position, id, stream_id, stream_type, event_type, event_data, version)
             values (${before[0]?.globalPosition}, '${newEventId()}', 'Other-1', 'X', 'X', '{}', 1)`,
          ]),
    ];
    for (const sql of attempts) {
      const failure = await failureOf(raw.query(sql));
      expect(failure, sql).toBeInstanceOf(Error);
      if (engine === 'postgres') expect(failure?.code).toBe('EV001');
    }
    expect(await readAll(store)).toEqual(before);
  },

  'what is not JSON is refused': async ({ store, raw }) => {
    const sql = insert('Raw-1', ['1']).replace('{"a": 1}', '{"a":');
    expect(await failureOf(raw.query(sql))).toBeInstanceOf(Error);
    expect(await readAll(store)).toEqual([]);
  },
});

export const rawWriterPostgresSuite = suite(
  'raw writer',
  {
    'O8: COPY and MERGE take their floor first': async ({ store, connect }) => {
      const [writer, merger] = [await connect(), await connect()];
      await writer.query('begin');
      const lines = [1, 2, 3, 4, 5].map((version) => `${newEventId()},Copy-1,Copy,Copied,{},${version}`).join('\\n');
      await writer.query(
        `copy events (id, stream_id, stream_type, event_type, event_data, version)
         from program 'printf "${lines}\\n"' with (format csv)`,
      );
      await merger.query(
        `insert into events (id, stream_id, stream_type, event_type, event_data, version)
         values (gen_random_uuid(), 'Merge-1', 'Merge', 'Merged', '{}', 1)`,
      );
      expect(await readAll(store)).toEqual([]);
      expect((await store.log.head()).safeHead).toBeLessThan((await store.log.head()).head);
      await writer.query('commit');
      expect((await readAll(store)).map(({ type }) => type)).toEqual([...Array(5).fill('Copied'), 'Merged']);
    },

    'COPY of a version that does not follow the last one is refused': async ({ store, raw }) => {
      const lines = [1, 2, 4].map((version) => `${newEventId()},Copy-1,Copy,Copied,{},${version}`).join('\\n');
      const copy = `copy events (id, stream_id, stream_type, event_type, event_data, version)
         from program 'printf "${lines}\\n"' with (format csv)`;
      expect((await failureOf(raw.query(copy)))?.code).toBe('EV005');
      expect(await readAll(store)).toEqual([]);
    },

    'escapes that Postgres keeps and cannot take apart hide no event': async ({ store, raw }) => {
      const written = [
        String.raw`{"correlationId":"c","note":"\u0000"}`,
        String.raw`{"correlationId":"c","note":"\ud800"}`,
        String.raw`{"correlationId":"c","note":"\\ud83d\ude00"}`,
        String.raw`{"correlationId":"\u0063","note":"\ud83d\ude00"}`,
        String.raw`{"correlationId":"\\u0063"}`,
        String.raw`{"note":"\u0000\\"}`,
      ];
      for (const [index, metadata] of written.entries()) {
        await raw.query(
          `insert into events (stream_id, event_type, event_data, metadata, version) values ('Raw-1', 'Raw', '{}', $1, $2)`,
          [metadata, index + 1],
        );
      }
      expect((await readAll(store)).map(({ metadata }) => metadata)).toEqual(written);
      const found = await readAll(store, { correlationId: 'c' });
      expect(found.map(({ version }) => version)).toEqual([1, 2, 3, 4]);
      const { findings } = await verifyStore(store, { progress: () => {}, signal: new AbortController().signal });
      const [uncorrelated, ...others] = findings;
      expect(uncorrelated).toMatchObject({
        kind: 'uncorrelated',
        detail: expect.stringMatching(/^has 1 .*position 6$/),
      });
      expect(others.map(({ kind }) => kind)).toEqual(others.map(() => 'refused-metadata'));
      expect(others.length).toBeGreaterThan(0);
    },

    'O9: a writer cannot choose a position': async ({ store, raw }) => {
      const failure = await failureOf(
        raw.query(
          `insert into events (global_position, id, stream_id, stream_type, event_type, event_data, version)
           values (100, gen_random_uuid(), 'Raw-1', 'Raw', 'Raw', '{}', 1)`,
        ),
      );
      expect(failure?.code).toBe('428C9');
      expect(await readAll(store)).toEqual([]);
    },
  },
  { engines: ['postgres'] },
);
