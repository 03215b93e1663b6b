import { describe, expect, it } from 'vitest';
import { toRowKeys, toStoredRow, toTableShape } from '../../src/projection/define/columns.js';
import { defineProjection } from '../../src/projection/define/definition.js';
import { given, projectionScenario } from '../../src/testing.js';

/** Names that every object inherits something by. */
const inherited = ['constructor', 'toString', '__proto__', 'valueOf', 'hasOwnProperty'];

/** Names that would end a literal, or that mean something to an object. */
const names = ['it"s', "it's", '`', 'a\\', 'a\nb', '\u2028', 'constructor', 'toString', '__proto__', 'return'];

function shapeOf(columns: Readonly<Record<string, 'text' | 'json' | 'integer' | 'real'>>) {
  return toTableShape(
    defineProjection({ name: 'p', version: 1, table: { columns: { id: 'text', ...columns }, key: 'id' }, on: {} }),
  );
}

describe('the codec of a row', () => {
  it.each(names)('accepts %j as the name of a column', (name) => {
    const shape = shapeOf({ [name]: 'integer' });
    const [key] = toRowKeys(shape, 'k');
    if (key === undefined) throw new Error('no key');
    const column = shape.properties[1]?.name ?? '';
    const stored = toStoredRow(shape, key, { id: 'k', [name]: 7 }, null);
    expect(Object.entries(stored)).toEqual([
      ['id', 'k'],
      [column, 7],
    ]);
    expect(Object.entries(shape.codec.load(stored))).toEqual([
      ['id', 'k'],
      [name, 7],
    ]);
    expect(() => toStoredRow(shape, key, { id: 'k', [name]: 7.5 }, stored)).toThrow('a whole number');
  });

  it('checks a value unless it is the same as before', () => {
    const shape = shapeOf({ doc: 'json', share: 'real' });
    const [key] = toRowKeys(shape, 'k');
    if (key === undefined) throw new Error('no key');
    const before = toStoredRow(shape, key, { doc: 1, share: 0 }, null);
    expect(before).toEqual({ id: 'k', doc: '1', share: 0 });
    // A text that reads like the JSON of before is another value.
    expect(toStoredRow(shape, key, { doc: '1', share: -0 }, before)).toStrictEqual({ id: 'k', doc: '"1"', share: 0 });
    expect(toStoredRow(shape, key, {}, before)).toEqual({ id: 'k', doc: null, share: null });
    expect(() => toStoredRow(shape, key, { share: Number.NaN }, { ...before, share: Number.NaN })).toThrow('finite');
  });

  it('names a property that is not a column, even if a column is left out', () => {
    const shape = shapeOf({ a: 'text', b: 'text' });
    const [key] = toRowKeys(shape, 'k');
    if (key === undefined) throw new Error('no key');
    expect(() => toStoredRow(shape, key, { a: 'x', c: 'y' }, null)).toThrow('no such column');
    expect(() => toStoredRow(shape, key, { a: 'x', b: undefined, c: undefined }, null)).toThrow('no such column');
    expect(toStoredRow(shape, key, { a: 'x', b: undefined }, null)).toEqual({ id: 'k', a: 'x', b: null });
  });

  it.each(inherited)('leaves a column %j null where the handler leaves it out', (name) => {
    const shape = shapeOf({ [name]: 'integer', other: 'integer' });
    const [key] = toRowKeys(shape, 'k');
    if (key === undefined) throw new Error('no key');
    const stored = toStoredRow(shape, key, { other: 1 }, null);
    expect(Object.values(stored)).toEqual(['k', null, 1]);
    expect(Object.values(toStoredRow(shape, key, { other: 2 }, stored))).toEqual(['k', null, 2]);
  });

  it('gives handlers rows that inherit nothing', async () => {
    const seen: unknown[] = [];
    const projection = defineProjection({
      name: 'p',
      version: 1,
      table: { columns: { id: 'text', events: 'integer' }, key: 'id' },
      on: {
        '*': (row, event) => {
          if (row !== null) seen.push((row as Readonly<Record<string, unknown>>)[event.type]);
          return { ...row, events: (row?.events ?? 0) + 1 };
        },
      },
    });
    const events = ['First', ...inherited].map((type) => given('S-1', type, {}));
    await projectionScenario(projection)
      .given(...events)
      .thenRows([{ id: 'S-1', events: events.length }]);
    expect(seen).toEqual(inherited.map(() => undefined));
  });

  it('runs the handlers of event types that objects inherit a member by, and no other', async () => {
    const on = Object.fromEntries(inherited.map((type) => [type, () => ({ type })]));
    const columns = { id: 'text', type: 'text' } as const;
    const key = ({ type }: { readonly type: string }) => type;
    const common = { name: 'p', version: 1, table: { columns, key: 'id' as const }, key };
    const events = inherited.map((type) => given('S-1', type, {}));
    const all = projectionScenario(defineProjection({ ...common, on })).given(...events);
    expect(await all.rows()).toEqual([...inherited].sort().map((type) => ({ id: type, type })));
    const none = projectionScenario(defineProjection({ ...common, on: { Other: () => ({ type: '' }) } }));
    await none.given(...events).thenRows([]);
  });
});
