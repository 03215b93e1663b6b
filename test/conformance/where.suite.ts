/** Conditions over data, metadata and columns: both engines give what the condition means in memory. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { eventHolds, parseEventCondition } from '../../src/domain/where/event.js';
import type { Store } from '../../src/store/store.js';
import { append, collect, makeEvent, readAll } from '../support/events.js';
import { suite } from './suite.js';

const now = new Date('2026-02-01T00:00:00Z');
const positions = (events: readonly RecordedEvent[]) => events.map(({ globalPosition }) => globalPosition);
const read = async (store: Store, where: string, options = {}) =>
  positions(await readAll(store, { ...options, where: parseEventCondition(where, now) }));

/** Values that engines are known to see differently. */
const values = [
  ...['1', '1.0', '10e-1', '-0', '0', '12.5', '9007199254740993', '9007199254740992', '1e400', '1e-400', '0.1'],
  ...['0.1000000000000000055', '-7', '123456789012345678.5', 'true', 'false', 'null', '"1"', '"true"', '""', '"a"'],
  ...['"A"', '"é"', '"\\u00e9"', '"Zo\\u00eb"', '"😀"', '"\\ud83d\\ude00"', '"a%b"', '"a\\\\b"', '"null"', '[]', '{}'],
  ...['[1,2]', '{"b":1}', '{"b":"x","1":2}', '[[3]]'],
];
const literals = ['1', '1.00', '-7', '12.5', '0', '9007199254740993', '1e400', '0.1', "'1'", "'a'", "'é'", "'😀'"];
const names = ['data.a', 'data.b', 'data.a.b', 'data.a[0]', 'data.a["1"]', 'data.missing', 'metadata.m'];
const columns: readonly (readonly [string, readonly string[]])[] = [
  ['type', ["'TypeA'", "'typea'", "'Übung'", '5']],
  ['stream', ["'S-1'", "'S-2'", "'s-1'"]],
  ['version', ['1', '2', '1.5', "'1'"]],
  ['position', ['3', '7', '99999999999999999999']],
  ['createdAt', ["'2026-01-01'", "'2026-01-01T00:00:00.000001Z'"]],
  ['schemaVersion', ['1', '2']],
];

const comparison = fc.oneof(
  fc
    .tuple(fc.constantFrom(...names), fc.constantFrom('=', '!=', '<', '<=', '>', '>='), fc.constantFrom(...literals))
    .map((parts) => parts.join(' ')),
  fc
    .constantFrom(...columns)
    .chain(([name, choices]) =>
      fc
        .tuple(fc.constantFrom('=', '!=', '<', '>='), fc.constantFrom(...choices))
        .map((rest) => `${name} ${rest.join(' ')}`),
    ),
  fc
    .tuple(fc.constantFrom(...names), fc.constantFrom('true', 'false', 'null'))
    .map(([name, literal]) => `${name} = ${literal}`),
  fc
    .tuple(fc.constantFrom(...names), fc.subarray(literals, { minLength: 1, maxLength: 4 }))
    .map(([name, chosen]) => `${name} in (${chosen.join(', ')})`),
  fc
    .tuple(fc.constantFrom(...names, 'type', 'stream'), fc.constantFrom("'a%'", "'%_'", "'S-_'", "'%\\%%'", "'TYPE%'"))
    .map(([name, pattern]) => `${name} like ${pattern}`),
  fc.constantFrom(...names).map((name) => `exists ${name}`),
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparison,
    tie('condition').map((inner) => `not (${inner})`),
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a}) and (${b})`),
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a}) or (${b})`),
  ),
}));

async function fill(store: Store): Promise<readonly RecordedEvent[]> {
  for (const [index, value] of values.entries()) {
    const other = values[(index * 7 + 3) % values.length];
    await append(store, `S-${index % 3}`, [
      makeEvent({
        type: ['TypeA', 'TypeB', 'Übung'][index % 3] as string,
        schemaVersion: 1 + (index % 2),
        data: index % 5 === 0 ? value : `{"a":${value},"b":${other}}`,
        metadata: `{"m":${other}}`,
        createdAt: `2026-01-01T00:00:00.00000${index % 3}Z`,
      }),
    ]);
  }
  return readAll(store);
}

export const whereSuite = suite('where', {
  'any condition finds what it means in memory': async ({ store }) => {
    const events = await fill(store);
    await fc.assert(
      fc.asyncProperty(condition, async (text) => {
        const parsed = parseEventCondition(text, now);
        const expected = positions(events.filter((event) => eventHolds(parsed, event)));
        expect(await read(store, text), text).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  },

  'a limit counts the matches, in both directions': async ({ store }) => {
    for (let index = 1; index <= 30; index += 1)
      await append(store, 'S-1', [makeEvent({ data: `{"n":${index % 10}}` })]);
    const all = await read(store, 'data.n = 7');
    expect(all).toHaveLength(3);
    expect(await read(store, 'data.n = 7', { limit: 2, batchSize: 4 })).toEqual(all.slice(0, 2));
    expect(await read(store, 'data.n = 7', { limit: 2, backwards: true })).toEqual([...all].reverse().slice(0, 2));
    const where = parseEventCondition('data.n >= 8 and version > 10', now);
    const stream = await collect(store.log.readStream('S-1', { where, limit: 3 }));
    expect(stream.map(({ version }) => version)).toEqual([18, 19, 28]);
    let upTo = 0;
    for await (const batch of store.log.readAll({ where: parseEventCondition('data.n = 70', now) })) upTo = batch.upTo;
    expect(upTo).toBe((await store.log.head()).safeHead);
  },

  'lines are the lines of the matches': async ({ store }) => {
    await fill(store);
    const where = parseEventCondition('exists data.a.b', now);
    const lines: string[] = [];
    for await (const batch of store.log.readLines({ where })) lines.push(Buffer.from(batch.lines).toString());
    const found = lines
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).globalPosition);
    expect(found).toEqual(await read(store, 'exists data.a.b'));
    expect(found.length).toBeGreaterThan(0);
  },

  'events that other programs wrote with escapes Postgres cannot decode are looked at': async ({ store, raw }) => {
    const insert = "insert into events (stream_id, event_type, event_data, version) values ('Raw-1', 'T', ";
    const texts = [
      '{"a":"\\u0000x","b":5}',
      '{"a":"\\ud800","b":5}',
      '{"a":"x","b":6}',
      '{"b":5,"b":6}',
      '{"b":6,"b":5}',
    ];
    for (const [index, text] of texts.entries()) await raw.query(`${insert}'${text}', ${index + 1})`);
    expect(await read(store, 'data.b = 5')).toHaveLength(3);
    expect(await read(store, "data.a = 'x'")).toHaveLength(1);
  },

  'a causation id': async ({ store }) => {
    await append(store, 'S-1', [makeEvent({ metadata: '{"causationId":"c-1"}' }), makeEvent()]);
    expect(positions(await readAll(store, { causationId: 'c-1' }))).toHaveLength(1);
    expect(await readAll(store, { causationId: 'c-2' })).toEqual([]);
  },
});
