import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteJson, sanitiseJson } from '../../src/domain/safe-json.js';
import { sanitise } from '../../src/terminal/sanitise.js';

const hostile = fc.oneof(
  fc.constantFrom(
    '\u001b[2J',
    '\u009b',
    '\u007f',
    '\r',
    '\n',
    '\t',
    '\u202e',
    '\u2066',
    '\u200f',
    '\u2028',
    '\u{e0041}',
  ),
  fc.constantFrom('\ud800', '\udc00', '\\', '"', '  ', '👩‍👩‍👧', 'é', '漢'),
  fc.string({ unit: 'binary' }),
);
const text = fc.array(hostile).map((parts) => parts.join(''));

/** What may act on a terminal or break a line. */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\udb40[\udc00-\udc7f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

test('H16: text for people holds nothing that acts', () => {
  fc.assert(fc.property(text, (each) => !unsafe.test(sanitise(each))));
  expect(sanitise('a\u001b[2J\u{e0041}\n')).toBe('a\\u{1b}[2J\\u{e0041}\\u{a}');
});

test('ordinary text is left alone', () => {
  for (const each of ['Order-1', 'Zürich', '👩‍👩‍👧', '👍🏽', '❤️', '🏳️‍🌈', '漢字', 'Łódź'])
    expect(sanitise(each)).toBe(each);
});

test('two names that look the same are never shown the same', () => {
  const invisible = ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\ufe0f', '\u3164', '\u{e0101}'];
  for (const each of invisible) {
    for (const shown of [`Order${each}-1`, `1${each}`, `👍${each}`]) {
      expect(sanitise(shown)).toContain(`\\u{${each.codePointAt(0)?.toString(16)}}`);
    }
  }
  for (const space of ['\u00a0', '\u2009', '\u202f', '\u3000', '\u2800']) {
    expect(sanitise(`a${space}b`)).toBe(`a\\u{${space.codePointAt(0)?.toString(16)}}b`);
  }
});

test('a JSON string says the same afterwards', () => {
  fc.assert(fc.property(text, (each) => !unsafe.test(quoteJson(each)) && JSON.parse(quoteJson(each)) === each));
});

test('a JSON value becomes one line and means the same', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ stringUnit: 'binary' }),
      fc.constantFrom(undefined, 2, '\t', '\r\n'),
      (value, indent) => {
        const json = JSON.stringify(value, null, indent === '\r\n' ? 1 : indent);
        const stored = indent === '\r\n' ? json.replaceAll('\n', '\r\n') : json;
        const line = sanitiseJson(stored);
        expect(unsafe.test(line)).toBe(false);
        expect(JSON.parse(line)).toEqual(JSON.parse(stored));
      },
    ),
  );
});
