import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, jsonEquals, scanJson } from '../../src/domain/json.js';

/** Any JSON value that every store can keep: no U+0000, no halves of pairs. */
const storable = fc.jsonValue({ noUnicodeString: false }).filter((value) => {
  const text = JSON.stringify(value);
  return !text.includes('\\u0000') && !/\\ud[89a-f]/i.test(text);
});

describe('scanJson', () => {
  const accepted = [
    '{}',
    ' [ ] ',
    'null',
    '-0',
    '0.1000',
    '1E+2',
    '12345678901234567890',
    '1e131071',
    '0.1e131072',
    '1e-16383',
    `${'9'.repeat(131_072)}`,
    '0e131073',
    '"\\\\u0000"',
    '"\\ud83d\\ude00"',
    '"😀"',
    '{"__proto__":{"admin":true},"constructor":1}',
    '{"a":{"a":[{"a":1},{"a":2}]}}',
    `${'['.repeat(128)}${']'.repeat(128)}`,
    '"\u2028\u007f"',
    '\t\r\n1\n',
  ];
  it.each(accepted)('accepts %j', (text) => {
    expect(scanJson(text)).toBeUndefined();
    expect(() => JSON.parse(text)).not.toThrow();
  });

  const refused: [string, string][] = [
    ['H1: "\\u0000"', '"\\u0000"'],
    ['H1: a key', '{"x\\u0000":1}'],
    ['H3: escaped high', '"\\ud800"'],
    ['H3: escaped low', '"\\udc00"'],
    ['H3: high, then an ordinary escape', '"\\ud800\\u0041"'],
    ['H3: two highs', '"\\ud800\\ud800"'],
    ['H3: raw high', '"\ud800"'],
    ['H3: raw low', '"\udc00"'],
    ['H6: 1e131073', '1e131073'],
    ['H6: 1e131072', '1e131072'],
    ['H6: 10e131071', '[10e131071]'],
    ['H6: 1e-16384', '1e-16384'],
    ['H6: 1.0e-16383', '1.0e-16383'],
    ['H6: an endless exponent', `1e${'9'.repeat(400)}`],
    ['H6: 0e-99999', '0e-99999'],
    ['H6: 131,073 digits', '9'.repeat(131_073)],
    ['H6: 16,384 digits after the point', `0.${'9'.repeat(16_384)}`],
    ['H7: 129 levels', `${'['.repeat(129)}${']'.repeat(129)}`],
    ['H7: 129 levels of objects', `${'{"a":'.repeat(129)}1${'}'.repeat(129)}`],
    ['H7: 5,000 levels', `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
    ['H7: 1,000,000 levels', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`],
    ['H8: a key twice', '{"a":1,"a":2}'],
    ['H8: spelt differently', '{"a":1,"\\u0061":2}'],
    ['H8: __proto__ twice', '{"__proto__":1,"__proto__":2}'],
    ['H8: far apart', '{"a":1,"b":{"a":1},"c":[{"a":1}],"a":2}'],
  ];
  it.each(refused)('refuses %s', (_, text) => expect(scanJson(text)).toBeDefined());

  const malformed = [
    '',
    ' ',
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    '1e',
    '0x1',
    'NaN',
    'Infinity',
    "'a'",
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{a:1}',
    '{"a"}',
    '{"a":}',
    '[1 2]',
    '[1]]',
    '{} {}',
    '"a',
    '"\\x41"',
    '"\\u00g0"',
    '"\n"',
    '"\t"',
    'nul',
    'truefalse',
    '\ufeff1',
    '\u00a01',
    '//x\n1',
    '[}',
    '{]',
  ];
  it.each(malformed)('refuses %j, as JSON.parse does', (text) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(scanJson(text)).toBeDefined();
  });

  it('says where and why', () => {
    expect(scanJson('{"a": 1,\n "b": [1,\n  "\\u0000"]}')).toEqual({
      offset: 22,
      line: 3,
      column: 4,
      reason: '\\u0000 cannot be stored',
    });
    expect(scanJson('{"total":1,\n"total":2}')).toMatchObject({ line: 2, column: 1 });
    expect(scanJson('{"total":1,\n"total":2}')?.reason).toContain('"total"');
    expect(scanJson('')).toMatchObject({ offset: 0, line: 1, column: 1 });
  });

  it('accepts whatever JSON.stringify writes of storable values', () => {
    fc.assert(
      fc.property(storable, fc.nat(4), (value, indent) => scanJson(JSON.stringify(value, null, indent)) === undefined),
    );
  });

  it('never accepts what JSON.parse refuses', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '\\',
      '1',
      '-',
      '.',
      'e',
      '0',
      'true',
      'null',
      ' ',
      '\n',
      'u0041',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        if (scanJson(text) === undefined) JSON.parse(text);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('jsonEquals', () => {
  const equal: [string, string][] = [
    ['1', '1.0'],
    ['1', '1e0'],
    ['100', '1E+2'],
    ['0.1000', '0.1'],
    ['-0', '0.0'],
    ['1e400', '10e399'],
    ['{"a":1,"b":2.0}', ' {"b":2,"a":1}'],
    ['[[],{}]', '[ [ ], { } ]'],
    ['"\\u00e9\\/"', '"é/"'],
    ['{"\\u0061":[true]}', '{"a":[true]}'],
  ];
  it.each(equal)('%s equals %s', (a, b) => expect(jsonEquals(a, b)).toBe(true));

  const different: [string, string][] = [
    ['1', '"1"'],
    ['1', '-1'],
    ['12345678901234567890', '12345678901234567891'],
    ['0.1', '0.10000000000000001'],
    ['1e400', '1e401'],
    ['null', '{}'],
    ['[1,2]', '[2,1]'],
    ['[1,[2]]', '[[1],2]'],
    ['[]', '{}'],
    ['[[],[1]]', '[[1],[]]'],
    ['{"a":{"b":1},"c":2}', '{"a":{"b":1,"c":2}}'],
    ['{"a":"b,c"}', '{"a":"b","c":1}'],
    ['"a"', '"A"'],
    ['1', 'not json'],
  ];
  it.each(different)('%s differs from %s', (a, b) => expect(jsonEquals(a, b)).toBe(false));

  it('holds for a value and its other spellings', () => {
    fc.assert(
      fc.property(storable, (value) => {
        const text = JSON.stringify(value);
        const escaped = text.replace(
          /[^\x20-\x7e]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
        );
        return jsonEquals(text, JSON.stringify(reverseKeys(value), null, 2)) && jsonEquals(text, escaped);
      }),
    );
  });

  it('tells two values apart whenever their canonical trees differ', () => {
    fc.assert(
      fc.property(storable, storable, (a, b) => {
        const same = canonicalJson(JSON.stringify(a)) === canonicalJson(JSON.stringify(b));
        expect(jsonEquals(JSON.stringify(a), JSON.stringify(b))).toBe(same);
        if (same) expect(sortKeys(a)).toEqual(sortKeys(b));
      }),
    );
  });
});

function mapKeys(value: unknown, order: (keys: string[]) => string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => mapKeys(item, order));
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  const entries = order(Object.keys(value)).map((key) => [
    key,
    mapKeys((value as Record<string, unknown>)[key], order),
  ]);
  return Object.fromEntries(entries);
}

const reverseKeys = (value: unknown) => mapKeys(value, (keys) => keys.reverse());
const sortKeys = (value: unknown) => mapKeys(value, (keys) => keys.sort());
