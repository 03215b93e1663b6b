/** The arguments of the library: a wrong one is refused by name, on both engines alike, before a statement exists. */
import { describe, expect, test } from 'vitest';
import { isEvstoreError } from '../../src/domain/errors.js';
import { type EventStore, openStore } from '../../src/library/event-store.js';
import { defineProjection } from '../../src/projection/define/definition.js';
import { engines, forEachEngine, withTestStore } from '../support/engines.js';

const attack = "'Order-1' or true";

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** None of them is a value that any of the arguments below takes. */
const hostile: readonly (readonly [what: string, value: unknown])[] = [
  ['an object with toString', { toString: () => attack }],
  ['an object with toJSON', { toJSON: () => attack, toString: () => attack }],
  ['an object with Symbol.toPrimitive', { [Symbol.toPrimitive]: () => attack }],
  ['a String object', new String(attack)],
  ['an array of a string', [attack]],
  ['an array of an object', [{ toString: () => attack }]],
  ['a symbol', Symbol('s')],
  ['a function', () => attack],
  ['a proxy', new Proxy(new String(attack), {})],
  ['a revoked proxy', revoked()],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-1', -1],
  ['1.5', 1.5],
  ['2^53', 2 ** 53],
  ['a bigint', 3n],
  ['null', null],
  ['an invalid Date', new Date(Number.NaN)],
  ['a Map', new Map([['a', 1]])],
];

/** Strings are legal in some places only. */
const notText: typeof hostile = [
  ['U+0000', 'a\0b'],
  ['half of a surrogate pair', '\ud800'],
];
const words: typeof hostile = [...notText, ['a word', 'tomorrow'], ['an attack', attack], ['true', true]];

type Call = (store: EventStore, value: never) => Promise<unknown>;
interface Argument {
  readonly name: string;
  readonly call: Call;
  readonly values?: typeof hostile;
}

const event = { type: 'OrderPlaced', data: { total: 1 } };
const text = [...hostile, ...notText, ['true', true] as const];
const notBoolean = [...hostile, ...words.filter(([what]) => what !== 'true')];
/** The text of a list item, and what is not a list at all. */
const notList = [...text.filter(([what]) => what !== 'an array of a string'), ['a word', 'T'] as const];
/** Objects of any kind have members that can be read, so they may be options without any. */
const notOptions = hostile.filter(([what]) => !/^an (object|invalid Date)|^a (String|proxy|Map)/.test(what));

async function all(events: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of events) count += 1;
  return count;
}

const filters = (read: (store: EventStore, range: object) => Promise<unknown>): Argument[] => [
  { name: 'streamId', call: (store, streamId) => read(store, { streamId }), values: text },
  { name: 'category', call: (store, category) => read(store, { category }), values: text },
  { name: 'categories', call: (store, categories) => read(store, { categories }), values: notList },
  { name: 'types', call: (store, types) => read(store, { types }), values: notList },
  { name: 'since', call: (store, since) => read(store, { since }) },
  { name: 'until', call: (store, until) => read(store, { until }) },
  { name: 'correlationId', call: (store, correlationId) => read(store, { correlationId }), values: text },
  { name: 'after', call: (store, after) => read(store, { after }) },
];

const orders = defineProjection({
  name: 'orders',
  version: 1,
  table: { columns: { orderId: 'text' }, key: 'orderId' },
  on: { OrderPlaced: () => ({}) },
});
/** Undefined and null ask for a subscription without a name, and a word is a name. */
const isNoName = ([what]: (typeof hostile)[number]) => what !== 'a word';
/** An object may be a projection: its name counts. */
const isNoProjection = ([what]: (typeof hostile)[number]) => what !== 'a revoked proxy';

const readAll = (store: EventStore, range: object) => all(store.readAll(range));
const subscribe = (store: EventStore, options: object) =>
  all(store.subscribe({ signal: AbortSignal.timeout(2_000), ...options }));

const groups: Readonly<Record<string, readonly Argument[]>> = {
  append: [
    { name: 'streamId', call: (store, streamId) => store.append(streamId, event), values: text },
    { name: 'event', call: (store, value) => store.append('s', value), values: notOptions },
    { name: 'events', call: (store, value) => store.append('s', [value]), values: notOptions },
    { name: 'condition', call: (store, value) => store.append('s', event, value), values: notOptions },
    { name: 'type', call: (store, type) => store.append('s', { ...event, type: type as string }), values: text },
    {
      name: 'type',
      call: (store, type) => store.append('s', [event, { ...event, type: type as string }]),
      values: text,
    },
    {
      name: 'data',
      call: (store, data) => store.append('s', { type: 'T', data }),
      values: hostile.filter(([what]) => /symbol|function|revoked|NaN|Infinity|Date|Map/.test(what)),
    },
    {
      name: 'data',
      call: (store, value) => store.append('s', { type: 'T', data: { deep: [{ value }] } }),
      values: hostile.filter(([what]) => /revoked|NaN|Infinity|Date|Map/.test(what)),
    },
    {
      name: 'metadata',
      call: (store, metadata) => store.append('s', { ...event, metadata }),
      values: [...hostile.filter(([what]) => !/^an object|^a (String|proxy)/.test(what)), ...words],
    },
    { name: 'id', call: (store, id) => store.append('s', { ...event, id }), values: text },
    { name: 'schemaVersion', call: (store, schemaVersion) => store.append('s', { ...event, schemaVersion }) },
    { name: 'createdAt', call: (store, createdAt) => store.append('s', { ...event, createdAt }) },
    ...['expectedVersion', 'timeoutMs'].map((name) => ({
      name,
      call: ((store, value) => store.append('s', event, { [name]: value })) as Call,
    })),
    { name: 'allowLarge', call: (store, allowLarge) => store.append('s', event, { allowLarge }), values: notBoolean },
    ...['streamType', 'correlationId', 'causationId'].map((name) => ({
      name,
      call: ((store, value) => store.append('s', event, { [name]: value })) as Call,
      values: text,
    })),
  ],
  readStream: [
    { name: 'streamId', call: (store, streamId) => all(store.readStream(streamId)), values: text },
    { name: 'range', call: (store, range) => all(store.readStream('s', range)), values: notOptions },
    ...['fromVersion', 'toVersion', 'limit'].map((name) => ({
      name,
      call: ((store, value) => all(store.readStream('s', { [name]: value }))) as Call,
    })),
    {
      name: 'backwards',
      call: (store, backwards) => all(store.readStream('s', { backwards })),
      values: notBoolean,
    },
  ],
  readAll: [
    { name: 'range', call: (store, range) => all(store.readAll(range)), values: notOptions },
    ...filters(readAll),
    { name: 'to', call: (store, to) => readAll(store, { to }) },
    { name: 'limit', call: (store, limit) => readAll(store, { limit }) },
    { name: 'backwards', call: (store, backwards) => readAll(store, { backwards }), values: notBoolean },
  ],
  subscribe: [
    { name: 'options', call: (store, options) => all(store.subscribe(options)), values: notOptions },
    ...filters(subscribe),
    { name: 'signal', call: (store, signal) => subscribe(store, { signal }), values: [...hostile, ...words] },
  ],
  'subscribe by name': [
    {
      name: 'name',
      call: (store, name) => subscribe(store, { name }),
      values: [...hostile, ...words].filter(isNoName),
    },
    ...filters((store, range) => subscribe(store, { name: 'mailer', ...range })).filter(({ name }) => name !== 'after'),
    { name: 'after', call: (store, after) => subscribe(store, { name: 'mailer', after }) },
    { name: 'batchSize', call: (store, batchSize) => subscribe(store, { name: 'mailer', batchSize }) },
  ],
  waitFor: [
    { name: 'projection', call: (store, value) => store.waitFor(value), values: text.filter(isNoProjection) },
    { name: 'options', call: (store, options) => store.waitFor('x', options), values: notOptions },
    ...['position', 'timeoutMs'].map((name) => ({
      name,
      call: ((store, value) => store.waitFor('x', { [name]: value })) as Call,
    })),
    { name: 'event', call: (store, value) => store.waitFor('x', { event: value }), values: text },
    { name: 'signal', call: (store, signal) => store.waitFor('x', { signal }), values: [...hostile, ...words] },
  ],
  rows: [
    {
      name: 'key',
      call: (store, key) => store.rows(orders).get(key),
      // A text is a key.
      values: [...hostile, ...notText, ['true', true]],
    },
    { name: 'options', call: (store, options) => store.rows(orders).find(options), values: notOptions },
    { name: 'where', call: (store, where) => store.rows(orders).find({ where }), values: text },
    { name: 'limit', call: (store, limit) => store.rows(orders).find({ limit }) },
  ],
};

for (const [method, args] of Object.entries(groups)) {
  forEachEngine((engine) => {
    test(`${method}: every hostile value of every argument is refused by the argument's name`, () =>
      withTestStore(engine, async ({ url }) => {
        const store = await openStore(url);
        try {
          await store.append('Order-1', event);
          for (const { name, call, values = [...hostile, ...words] } of args) {
            for (const [what, value] of values) {
              const outcome = await call(store, value as never).then(
                (result) => `accepted: ${String(result)}`,
                (error: unknown) => (isEvstoreError(error) ? `${error.code}: ${error.message}` : `threw ${error}`),
              );
              expect(outcome, `${name} = ${what}`).toMatch(new RegExp(`^E_INVALID_INPUT: .*${name}`));
            }
          }
          expect(await readAll(store, {}), 'nothing was written').toBe(1);
        } finally {
          await store.close();
        }
      }));
  });
}

forEachEngine((engine) => {
  describe('what is legal', () => {
    test('since, until and createdAt take a Date, and text with and without a zone', () =>
      withTestStore(engine, async ({ url }) => {
        const store = await openStore(url);
        try {
          const at = new Date('2026-01-31T09:30:00Z');
          await store.append('s', [
            { ...event, createdAt: new Date(at.getTime() - 1) },
            { ...event, createdAt: at },
            { ...event, createdAt: '2026-01-31T10:30:00.001+01:00' },
          ]);
          const versions = async (range: object) => {
            const found: number[] = [];
            for await (const { version } of store.readAll(range)) found.push(version);
            return found;
          };
          for (const since of [at, '2026-01-31T09:30:00Z', '2026-01-31T09:30:00', '2026-01-31T11:30:00+02']) {
            expect(await versions({ since })).toEqual([2, 3]);
            expect(await versions({ until: since })).toEqual([1]);
          }
          expect(await versions({ since: '2026-01-31' })).toEqual([1, 2, 3]);
          expect(await versions({ since: '2026-02-01' })).toEqual([]);
        } finally {
          await store.close();
        }
      }));

    test('an event that was read can be appended again; a misspelt option is refused', () =>
      withTestStore(engine, async ({ url }) => {
        const store = await openStore(url);
        try {
          await store.append('a', { ...event, metadata: { by: 'x' } }, { correlationId: 'c', expectedVersion: 0 });
          for await (const { id: _, ...read } of store.readStream('a')) await store.append('b', read);
          for await (const { data, metadata } of store.readStream('b')) {
            expect({ data, metadata }).toEqual({ data: { total: 1 }, metadata: { correlationId: 'c', by: 'x' } });
          }
          expect(await all(store.readStream('a', { limit: 0 }))).toBe(0);
          expect(await all(store.readAll({ types: [] }))).toBe(0);
          const misspelt = { expectVersion: 0 } as object;
          await expect(store.append('a', event, misspelt)).rejects.toThrow(
            "condition has an unknown member 'expectVersion'",
          );
        } finally {
          await store.close();
        }
      }));
  });
});

test.each(engines)('openStore: hostile values are refused by name (%s)', (engine) =>
  withTestStore(engine, async ({ url }) => {
    const outcomeOf = (open: () => Promise<EventStore>) =>
      open().then(
        async (store) => {
          await store.close();
          return 'opened';
        },
        (error: unknown) => (isEvstoreError(error) ? `${error.code}: ${error.message}` : `threw ${error}`),
      );
    for (const [what, value] of text) {
      expect(await outcomeOf(() => openStore(value as never)), what).toMatch(/^E_INVALID_INPUT: url/);
      for (const name of ['schema', 'applicationName']) {
        const outcome = await outcomeOf(() => openStore(url, { [name]: value }));
        expect(outcome, `${name} = ${what}`).toMatch(new RegExp(`^E_INVALID_INPUT: ${name}`));
      }
    }
    for (const [what, value] of notBoolean) {
      expect(await outcomeOf(() => openStore(url, { create: value as never })), what).toMatch(
        /^E_INVALID_INPUT: create/,
      );
    }
    for (const [what, value] of notList) {
      const outcome = await outcomeOf(() => openStore(url, { upcasters: value as never }));
      expect(outcome, what).toMatch(/^E_INVALID_INPUT: upcasters/);
    }
  }),
);
