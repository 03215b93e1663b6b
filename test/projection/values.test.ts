import { describe, expect, it } from 'vitest';
import type { ColumnType } from '../../src/domain/read-model.js';
import { fromStoredValue, toStoredValue, ValueFault } from '../../src/projection/define/values.js';

const columnTypes: readonly ColumnType[] = [
  'text',
  'integer',
  'bigint',
  'real',
  'numeric',
  'boolean',
  'json',
  'timestamp',
  'uuid',
];

describe('toStoredValue', () => {
  it.each<[ColumnType, unknown, unknown]>([
    ['text', '', ''],
    ['integer', -0, 0],
    ['integer', -2147483648, -2147483648],
    ['bigint', 9007199254740991, 9007199254740991],
    ['bigint', 1n, 1],
    ['bigint', '-0', 0],
    ['bigint', 9007199254740993n, '9007199254740993'],
    ['bigint', '-9223372036854775808', '-9223372036854775808'],
    ['numeric', 9007199254740993n, '9007199254740993'],
    ['json', { n: [9007199254740993n], skipped: undefined }, '{"n":[9007199254740993]}'],
    ['real', 0.1, 0.1],
    ['numeric', 10.5, '10.5'],
    ['numeric', 9007199254740991, '9007199254740991'],
    ['json', { toJSON: () => [9007199254740993n] }, '[9007199254740993]'],
    ['numeric', '010.50', '10.50'],
    ['boolean', false, false],
    ['json', { b: [1, null] }, '{"b":[1,null]}'],
    ['json', 'text', '"text"'],
    ['timestamp', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['timestamp', '2026-01-31T10:00:00.123456+01:00', '2026-01-31T09:00:00.123456Z'],
    ['uuid', 'ABCDEF01-2345-6789-ABCD-EF0123456789', 'abcdef01-2345-6789-abcd-ef0123456789'],
  ])('%s takes %o as %o', (type, value, stored) => {
    expect(toStoredValue(type, value)).toBe(stored);
  });

  it.each(columnTypes)('stores null and undefined as null in %s', (type) => {
    expect(toStoredValue(type, null)).toBeNull();
    expect(toStoredValue(type, undefined)).toBeNull();
  });

  it.each<[ColumnType, unknown]>([
    ['text', 1],
    ['text', 'a\0b'],
    ['text', '\ud800'],
    ['integer', 1.5],
    ['integer', 2147483648],
    ['integer', '1'],
    ['bigint', 9007199254740992],
    ['bigint', 2n ** 63n],
    ['bigint', '1.5'],
    ['integer', 1n],
    ['real', 2n ** 60n],
    ['text', 1n],
    ['real', Number.NaN],
    ['real', Number.POSITIVE_INFINITY],
    ['numeric', 'ten'],
    ['numeric', Number.NaN],
    ['numeric', 2 ** 53],
    ['numeric', -1e21],
    ['boolean', 1],
    ['json', () => 1],
    ['json', { text: '\0' }],
    ['json', { n: [Number.NaN] }],
    ['json', { tags: ['a', undefined] }],
    ['json', Array(1)],
    ['json', { toJSON: () => ({ n: Number.NaN }) }],
    ['json', Number.NEGATIVE_INFINITY],
    ['json', { at: new Date(Number.NaN) }],
    ['json', new Map([['a', 1]])],
    ['json', { tags: new Set(['a']) }],
    ['json', [/a/]],
    ['json', { bytes: new Uint8Array(2) }],
    ['json', { error: new Error('lost') }],
    ['json', { later: Promise.resolve(1) }],
    ['json', { handler: () => 1 }],
    ['timestamp', 'yesterday'],
    ['timestamp', new Date(Number.NaN)],
    ['timestamp', 0],
    ['uuid', 'abc'],
  ])('%s refuses %o', (type, value) => {
    expect(() => toStoredValue(type, value)).toThrow(ValueFault);
  });

  it('parses json when it is read, with __proto__ as data', () => {
    const value = fromStoredValue('json', '{"__proto__":{"admin":true}}') as object;
    expect(Object.hasOwn(value, '__proto__')).toBe(true);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect(fromStoredValue('text', '{"a":1}')).toBe('{"a":1}');
    expect(fromStoredValue('json', '{"__proto__":9007199254740993}')).toHaveProperty('__proto__', 9007199254740993n);
  });
});
