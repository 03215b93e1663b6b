import { expect } from 'vitest';
import { append, errorOf, makeEvent, readAll, readStream } from '../support/events.js';
import { suite } from './suite.js';

const refused = ['"\\u0000"', '{"\\u0000":1}', '"\\ud800"', '"\\udc00x"', '{"a":1,"a":2}', '1e131073', '[1,]', ''];

export const hostileSuite = suite('hostile input', {
  'H1 H3 H6 H8: what one engine would refuse or change, neither stores': async ({ store }) => {
    for (const data of refused) {
      const error = await errorOf('E_INVALID_INPUT', append(store, 'Order-1', [makeEvent({ data })]));
      expect(error.details).toMatchObject({ field: 'data', line: 1 });
    }
    const nested = `${'['.repeat(129)}${']'.repeat(129)}`;
    await errorOf('E_INVALID_INPUT', append(store, 'Order-1', [makeEvent({ data: nested })]));
    expect(await readAll(store)).toEqual([]);
  },

  'H1 H5 H6 H7 H9: what both can keep comes back to the letter': async ({ store }) => {
    const kept = [
      '"\\\\u0000"',
      '12345678901234567890',
      '0.1000',
      '1e400',
      '-0.0',
      '1e131071',
      '1E+2',
      '{"__proto__":{"admin":true}}',
      `${'['.repeat(128)}${']'.repeat(128)}`,
      '"\\ud83d\\ude00 \\u00e9 \\/"',
      ' { "b" : 1 ,\n"a":null } ',
      '{"constructor":1,"toString":2}',
      '"\u2028\u2029\u007f\u009b\u202e"',
      'null',
    ];
    for (const data of kept) await append(store, 'Order-1', [makeEvent({ data })]);
    await append(
      store,
      'Order-2',
      kept.map((data) => makeEvent({ data })),
    );
    for (const stream of ['Order-1', 'Order-2']) {
      expect((await readStream(store, stream)).map(({ data }) => data)).toEqual(kept);
    }
    expect((await readAll(store)).map(({ data }) => data)).toEqual([...kept, ...kept]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  },

  'H2 H4 H12: names that cannot be stored alike on both engines are refused': async ({ store }) => {
    for (const name of ['', 'a\0b', '\ud800', 'x'.repeat(513), 'é'.repeat(257), 'x'.repeat(4096), 'x'.repeat(256)]) {
      await errorOf('E_INVALID_INPUT', append(store, name));
      await errorOf('E_INVALID_INPUT', append(store, 'Order-1', [makeEvent({ type: name })]));
    }
    const longest = '😀'.repeat(128);
    for (const name of [longest, 'x'.repeat(255)]) {
      await append(store, name, [makeEvent({ type: 'y'.repeat(255) })]);
      expect(await readStream(store, name)).toHaveLength(1);
    }
  },

  'H18: SQL in a value is stored as it is': async ({ store }) => {
    const texts = [
      "'; drop table events;--",
      '$1',
      '%s',
      '?',
      ':name',
      '@x',
      '"',
      '\\',
      '\t\r\n',
      ' ',
      ',',
      '{}',
      'NULL',
      '\\"\\\\',
      "{'a'}",
      '-',
      '--help',
    ];
    const events = texts.map((text) =>
      makeEvent({
        type: text,
        streamType: text,
        data: JSON.stringify(text),
        metadata: JSON.stringify({ correlationId: text }),
      }),
    );
    for (const [place, text] of texts.entries()) {
      const event = events[place] ?? makeEvent();
      await append(store, text, [event]);
      expect(await readStream(store, text)).toMatchObject([
        { streamId: text, type: text, streamType: text, data: event.data },
      ]);
      expect(await readAll(store, { correlationId: text, types: [text], streamId: text })).toHaveLength(1);
    }
    expect(await readAll(store)).toHaveLength(texts.length);
    const together = events.map((event) => ({ ...event, id: makeEvent().id }));
    await append(store, 'Together-1', together);
    expect(await readStream(store, 'Together-1')).toMatchObject(together);
  },

  'H15 H27: an event that is too big is refused by its data or its metadata': async ({ store }) => {
    const big = makeEvent({ data: JSON.stringify('x'.repeat(1_048_574)) });
    await store.log.append('Big-1', [big], 'any');
    expect((await store.log.find(big.id))?.data).toBe(big.data);
    const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key${index}`, index]));
    await errorOf('E_INVALID_INPUT', append(store, 'Order-1', [makeEvent({ metadata: JSON.stringify(keys) })]));
  },
});
