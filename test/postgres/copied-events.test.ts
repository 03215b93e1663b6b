/** Events by COPY: whatever is in them, and whatever the server's settings are, they come back as they are stored. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { openStoreAt } from '../../src/store/open.js';
import { copyLine, splitLine } from '../../src/store/postgres/connection/copy-text.js';
import { addCopiedEvents } from '../../src/store/postgres/log/copied-events.js';
import { withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent, readAll, readStream } from '../support/events.js';

const hostile = ["'; drop table events;--", '$1', "\\'", '\\', '\\\\', '"', '\t\r\n', 'ü🎉\u0001', "{'a'}", "E'\\''"];

describe('a line of COPY', () => {
  it('splits into the fields it was made of', () => {
    const field = fc.oneof(
      fc.constant(null),
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'\\Nntbx\t\n\r\b\f\v') }),
    );
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        expect(splitLine(copyLine(fields).slice(0, -1))).toEqual(fields);
      }),
    );
  });

  it('is an event, with plain fields and with odd ones', () => {
    const name = fc.oneof(fc.constantFrom('Order', 'OrderPlaced', ...hostile), fc.string({ minLength: 1 }));
    const event = fc.record({
      id: fc.uuid(),
      globalPosition: fc.integer({ min: 1, max: 2 ** 48 }),
      version: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constant(Number.MAX_SAFE_INTEGER)),
      schemaVersion: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      type: name,
      streamType: fc.oneof(fc.constant(''), name),
      streamId: name,
      createdAt: fc.date({ min: new Date(0), max: new Date('9999-01-01'), noInvalidDate: true }),
      metadata: fc.json(),
      data: fc.json(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const lines = events.map(({ createdAt, ...rest }) => {
          const time = `"${createdAt.toISOString().replace(/\.?0*Z$/, '')}"`;
          const { id, globalPosition, version, schemaVersion, type, streamType, streamId, metadata, data } = rest;
          const texts = [time, metadata, data, streamType, type, streamId];
          return copyLine([id, globalPosition, version, schemaVersion, ...texts]);
        });
        const read: RecordedEvent[] = [];
        addCopiedEvents(lines.join(''), read);
        expect(read).toEqual(events.map((each) => ({ ...each, createdAt: each.createdAt.toISOString() })));
      }),
    );
  });
});

const times: readonly [string, string][] = [
  ['2026-01-02 03:04:05Z', '2026-01-02T03:04:05.000Z'],
  ['2026-01-02 03:04:05.1Z', '2026-01-02T03:04:05.100Z'],
  ['2026-01-02 03:04:05.12Z', '2026-01-02T03:04:05.120Z'],
  ['2026-01-02 03:04:05.123Z', '2026-01-02T03:04:05.123Z'],
  ['2026-01-02 03:04:05.1234Z', '2026-01-02T03:04:05.123400Z'],
  ['2026-01-02 03:04:05.12345Z', '2026-01-02T03:04:05.123450Z'],
  ['2026-01-02 03:04:05.123456Z', '2026-01-02T03:04:05.123456Z'],
  ['0001-01-01 00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['10000-01-01 00:00:00.1Z', '10000-01-01T00:00:00.1'],
  ['10000-01-01 00:00:00Z', '10000-01-01T00:00:00'],
  ['294276-12-31 23:59:59.999Z', '294276-12-31T23:59:59.999'],
  ['0044-03-15 12:00:00.123Z BC', '0044-03-15T12:00:00.123 BC'],
  ['0044-03-15 12:00:00Z BC', '0044-03-15T12:00:00 BC'],
  ['infinity', 'infinity'],
  ['-infinity', '-infinity'],
];

/** As an account may have them. */
const settings = ['', '-c standard_conforming_strings=off -c datestyle=german -c timezone=Asia/Kathmandu'];

describe.each(settings)('a server with the settings %j', (options) => {
  it('gives back every time, and finds hostile names', () =>
    withTestStore('postgres', async ({ url, raw, store: writer }) => {
      const insert = `insert into events (stream_id, event_type, event_data, version, created_at) values ('Time-1', 'T', '{}', $1, $2)`;
      for (const [index, [time]] of times.entries()) await raw.query(insert, [index + 1, time]);
      for (const text of hostile) {
        const metadata = JSON.stringify({ correlationId: text });
        await append(writer, text, [makeEvent({ type: text, data: JSON.stringify(text), metadata })]);
      }
      const store = await openStoreAt(`${url}?options=${encodeURIComponent(options)}`);
      try {
        expect((await readStream(store, 'Time-1')).map(({ createdAt }) => createdAt)).toEqual(
          times.map(([, read]) => read),
        );
        expect(await readAll(store)).toEqual(await readAll(writer));
        for (const text of hostile) {
          const wanted = {
            streamId: text,
            types: [text, ...hostile],
            correlationId: text,
            since: '2001-01-01T00:00:00Z',
          };
          expect(await readAll(store, wanted)).toMatchObject([{ streamId: text, data: JSON.stringify(text) }]);
          const [event] = await readStream(store, text);
          expect(await store.log.find(event?.id ?? '')).toEqual(event);
        }
        expect(await readAll(store, { types: [] })).toEqual([]);
        await errorOf('E_INVALID_INPUT', readAll(store, { category: 'a\0' }));
        expect(await readAll(store, { category: '$1' })).toHaveLength(1);
      } finally {
        await store.close();
      }
    }));
});

it('a schema may be named like a placeholder', () =>
  withTestStore('postgres', async ({ url }) => {
    const store = await openStoreAt(url, { schema: 'a$1', create: true });
    try {
      await store.schema.migrate();
      await append(store, 'Order-1');
      expect(await readAll(store, { streamId: 'Order-1' })).toHaveLength(1);
    } finally {
      await store.close();
    }
  }));
