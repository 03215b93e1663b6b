/** What a condition means. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDecimals } from '../../../src/domain/decimal.js';
import { compareTexts, holds } from '../../../src/domain/where/evaluate.js';
import { lookupIn } from '../../../src/domain/where/json-place.js';
import { parseCondition } from '../../../src/domain/where/parse.js';

function check(condition: string, json: string): boolean {
  const lookup = lookupIn(json);
  return holds(parseCondition(condition, { json: ['data'], plain: [] }, new Date()), ({ path }) => lookup(path));
}

describe('a condition', () => {
  it.each([
    ['data.n = 1.0', '{"n":1}', true],
    ['data.n = 1', '{"n":1.00e0}', true],
    ['data.n = 9007199254740993', '{"n":9007199254740992}', false],
    ['data.n = 9007199254740993', '{"n":9007199254740993}', true],
    ['data.n = 0.1', '{"n":0.1000000000000000055511151231257827}', false],
    ['data.n > 1e399', '{"n":1e400}', true],
    ['data.n > 0', '{"n":1e-400}', true],
    ['data.n < 0', '{"n":-0.0}', false],
    ['data.n = 0', '{"n":-0.0}', true],
    ["data.n = '1'", '{"n":1}', false],
    ["data.n != '1'", '{"n":1}', true],
    ["data.s > 'a'", '{"s":"b"}', true],
    ["data.s = 'é'", '{"s":"\\u00e9"}', true],
    ["data.s like 'Ord%-_'", '{"s":"Order-😀"}', true],
    ["data.s like 'Ord%-_'", '{"s":"Order-42"}', false],
    ["data.s like '100\\%'", '{"s":"100%"}', true],
    ["data.s like '100\\%'", '{"s":"1000"}', false],
    ["data.s like '%a%b'", '{"s":"xaxbyb"}', true],
    ["data.s like ''", '{"s":""}', true],
    ["data.s like '%'", '{"s":5}', false],
    ['data.b = true', '{"b":true}', true],
    ['data.b != true', '{"b":false}', true],
    ['data.x = null', '{"x":null}', true],
    ['data.x = null', '{}', false],
    ['exists data.x', '{"x":null}', true],
    ['exists data.x', '{}', false],
    ['exists data.x', '{"x":{}}', true],
    ['data.x != 5', '{}', true],
    ['data.x not in (5)', '{}', true],
    ['data.x < 5', '{}', false],
    ['data.a[1].b in (1, 2)', '{"a":[0,{"b":2}]}', true],
    ['data.a[1] = 2', '{"a":{"1":2}}', false],
    ['data.a["1"] = 2', '{"a":{"1":2}}', true],
    ['exists data.toString', '{}', false],
    ['exists data.s.length', '{"s":"text"}', false],
    ['data.s = 3', '{"s":1,"s":3}', true],
    ["data.s = '1.234567890123456789'", '{"s":"1.234567890123456789"}', true],
    ['data = 5', '5', true],
  ])('%s of %s is %s', (condition, json, expected) => {
    expect(check(condition, json)).toBe(expected);
  });

  it('compares numbers as decimals', () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.integer({ min: -30, max: 30 }))
      .map(([digits, power]) => ({ text: `${digits}e${power}`, scaled: digits * 10n ** BigInt(power + 30) }));
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const order = a.scaled < b.scaled ? -1 : a.scaled > b.scaled ? 1 : 0;
        expect(Math.sign(compareDecimals(a.text, b.text))).toBe(order);
      }),
    );
  });

  it('orders texts as the bytes of UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareTexts(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
  });

  it('names a text that is nested too deeply, however deep it may be', () => {
    const deep = `${'{"v":'.repeat(100_000)}1.0000000000000001${'}'.repeat(100_000)}`;
    expect(() => check('data.v.v = 1', deep)).toThrow('nested too deeply');
  });

  it('takes a pattern of many signs in time', () => {
    expect(check(`data.s like '${'%a'.repeat(40)}%b'`, JSON.stringify({ s: 'a'.repeat(20_000) }))).toBe(false);
  });
});
