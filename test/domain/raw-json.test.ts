import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEventLine } from '../../src/domain/event-line.js';
import { addMembers, splitMembers } from '../../src/domain/raw-json.js';

test('members keep the digits they were written in', () => {
  const text = ' { "a" : 12345678901234567890.10 , "b\\"":{"x":[1e400,"}"]}, "\\u0063": "\\\\" ,"d":true}';
  expect([...(splitMembers(text) ?? [])]).toEqual([
    ['a', '12345678901234567890.10'],
    ['b"', '{"x":[1e400,"}"]}'],
    ['c', '"\\\\"'],
    ['d', 'true'],
  ]);
  expect(splitMembers('[1]')).toBeUndefined();
  expect(splitMembers(' {} ')?.size).toBe(0);
});

test('splitting and parsing agree', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2), (object, indent) => {
      const members = splitMembers(JSON.stringify(object, null, indent)) ?? new Map();
      const parsed = [...members].map(([key, raw]) => [key, JSON.parse(raw)]);
      expect(parsed).toEqual(Object.entries(JSON.parse(JSON.stringify(object))));
    }),
  );
});

test('added members stand in front and never replace one', () => {
  expect(addMembers('{}', { a: '1' })).toBe('{"a":"1"}');
  expect(addMembers('{"a":1.0,"n":1e400}', { a: '2', b: '"' })).toBe('{"b":"\\"","a":1.0,"n":1e400}');
  expect(addMembers('[1]', { a: '1' })).toBe('[1]');
});

test('a line says what is wrong with it', () => {
  expect(parseEventLine('{"type":"A","data":{"n":1.0},"version":3}')).toEqual({ type: 'A', data: '{"n":1.0}' });
  for (const [line, what] of [
    ['{"type":"A"', 'not JSON'],
    ['[]', 'a JSON array, not one event a line'],
    ['1', 'not a JSON object'],
    ['{"data":{}}', "'type' is missing"],
    ['{"type":1}', "'type' is not a string"],
    ['{"type":"A","schemaVersion":"1"}', "'schemaVersion' is not a whole number"],
    ['{"type":"A","meta":{}}', "unknown member 'meta'"],
  ] as const) {
    expect(() => parseEventLine(line)).toThrow(what);
  }
});
