/** Which states can be a snapshot: those that come back as they were. */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { readState, StateFault, writeState } from '../../src/aggregate/state-json.js';

class Money {
  readonly cents = 1;
}

function shared(): object {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  return cycle;
}

const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2 });
// biome-ignore lint/suspicious/noSparseArray: a hole is what this is about.
const sparse = [1, , 3];

const refused: readonly (readonly [what: string, state: unknown, message: string])[] = [
  ['a BigInt', { total: 5n }, 'a bigint at total'],
  ['a Date', { placed: { at: new Date(0) } }, 'a Date at placed.at'],
  ['an invalid Date', { at: new Date(Number.NaN) }, 'a Date at at'],
  ['a Map', { lines: new Map() }, 'a Map at lines'],
  ['a Set', new Set([1]), 'a Set'],
  ['undefined in an array', { lines: [1, undefined] }, 'undefined at lines.1'],
  ['undefined in a property', { note: undefined }, 'undefined at note'],
  ['a hole in an array', { lines: sparse }, 'an array with holes or properties at lines'],
  ['a property of an array', Object.assign([1], { extra: 1 }), 'an array with holes or properties'],
  ['NaN', { total: Number.NaN }, 'NaN at total'],
  ['Infinity', [Number.NEGATIVE_INFINITY], '-Infinity at 0'],
  ['-0', { total: -0 }, '-0 at total'],
  ['a list of a class', { lines: new (class Lines extends Array {})() }, 'a Lines at lines'],
  ['a function', { total: () => 1 }, 'a function at total'],
  ['a symbol', { total: Symbol('a') }, 'a symbol at total'],
  ['a property named by a symbol', { [Symbol('a')]: 1 }, 'a property named by a symbol'],
  ['an object of a class', { total: new Money() }, 'a Money at total'],
  ['an object without a prototype', { bySku: Object.create(null) }, 'an object without a prototype at bySku'],
  ['a getter', { get total() { return 1; } }, 'a getter at total'], // biome-ignore format: a line each
  ['a hidden property', hidden, 'a hidden property at b'],
  ['a toJSON', { toJSON: () => 1 }, 'a toJSON'],
  ['a Uint8Array', { bytes: new Uint8Array(2) }, 'a Uint8Array at bytes'],
  ['an error', new Error('a'), 'an Error'],
  ['a circle', shared(), 'more than 128 levels'],
  ['half of a surrogate pair', { name: '\ud800' }, 'text that cannot be stored'],
  ['U+0000', { name: 'a\0' }, 'text that cannot be stored'],
  ['undefined', undefined, 'undefined'],
];

describe('refused, by name and place', () => {
  test.each(refused)('%s', (_, state, message) => {
    expect(() => writeState(state)).toThrow(StateFault);
    expect(() => writeState(state)).toThrow(message);
  });
});

test('every other state comes back equal, in every digit', () => {
  const state = {
    none: null,
    flags: [true, false],
    numbers: [0, -1, 0.1 + 0.2, 1e300, 5e-324, 2 ** 53, 1e21, Number.MAX_SAFE_INTEGER],
    text: 'Zażółć 中 🦆 "quoted" \\ \n \u202e',
    nested: { a: [{ b: [[]] }, {}], constructor: 1, 'a.b': 2, '': 3 },
  };
  Object.defineProperty(state.nested, '__proto__', {
    value: { own: 1 },
    enumerable: true,
    writable: true,
    configurable: true,
  });
  const back = readState(writeState(state));
  expect(back).toStrictEqual(state);
  expect(Object.keys((back as typeof state).nested)).toEqual(Object.keys(state.nested));
  const elsewhere = runInNewContext('({ lines: [1, { a: 2 }] })');
  expect(readState(writeState(elsewhere))).toEqual({ lines: [1, { a: 2 }] });
  for (const simple of [null, 0, '', false, []]) expect(readState(writeState(simple))).toStrictEqual(simple);
});
