import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import type { RecordedEvent } from '../../src/domain/event.js';
import { renderError, renderErrorJson } from '../../src/output/error-text.js';
import { createEventRows } from '../../src/output/event-rows.js';
import type { Mark } from '../../src/output/glyphs.js';
import { loosenJson } from '../../src/output/loose-json.js';
import { groupDigits } from '../../src/output/numbers.js';
import { redact, secretsOf } from '../../src/output/redact.js';
import { formatAgo, showTime } from '../../src/output/relative-time.js';
import { type Column, layOutTable } from '../../src/output/table.js';
import { cutText, fillLines, measureText, wrapLines } from '../../src/output/text-width.js';
import { createTheme, decideColour, plainTheme } from '../../src/output/theme.js';
import { renderTsv } from '../../src/output/tsv.js';

const view = { theme: plainTheme, width: 40, unicode: true, now: new Date('2026-01-02T00:00:00Z') };

test('colour: the flag, then NO_COLOR, then FORCE_COLOR, then the terminal', () => {
  const decide = (choice: 'auto' | 'always' | 'never', isTTY: boolean, env = {}) =>
    decideColour({ choice, env, isTTY });
  expect(decide('always', false, { NO_COLOR: '1' })).toBe(true);
  expect(decide('never', true, { FORCE_COLOR: '1' })).toBe(false);
  expect(decide('auto', true, { NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(false);
  expect(decide('auto', true, { NO_COLOR: '' })).toBe(true);
  expect(decide('auto', false, { FORCE_COLOR: '1' })).toBe(true);
  expect(decide('auto', true, { FORCE_COLOR: '0' })).toBe(false);
  expect(decide('auto', true)).toBe(true);
  expect(decide('auto', false)).toBe(false);
  expect(decide('auto', true, { TERM: 'dumb' })).toBe(false);
});

test('a table fits the terminal, whatever is in it, and looks the same beyond 200 rows', async () => {
  const rows = Array.from({ length: 201 }, (_, index) => ({ name: `漢字\u001b[2J-${'x'.repeat(50)}`, count: index }));
  const columns: Column<{ name: string; count: number }>[] = [
    { heading: 'name', text: (row) => row.name },
    { heading: 'count', text: (row) => String(row.count), align: 'right' },
  ];
  const render = (shown: typeof rows, given = view) => layOutTable(shown, columns, given).text;
  const [few, many] = [render(rows.slice(0, 200)), render(rows)];
  expect(many.split('\n').slice(0, 201)).toEqual(few.split('\n').slice(0, 201));
  expect(few.split('\n').every((line) => measureText(line) <= 40)).toBe(true);
  expect(few).not.toContain('\u001b');
  expect(few.split('\n')[1]).toMatch(/^漢字\\u\{1b\}\[2J-x+… +0$/);
  const coloured = render(rows.slice(0, 1), { ...view, theme: await createTheme(true) });
  expect(coloured).toContain('\u001b[2m');
  expect(layOutTable([], columns, view)).toEqual({ text: '', left: [] });
});

/** Any, and above all those that several characters make: marks, joined emoji, flags, jamo, selectors. */
const grapheme = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  fc.constantFrom(
    ...['e\u0301', '\u304b\u3099', '\u0915\u0940', '\u0301', '\u0903', '\uff76\uff9e', '#\ufe0f\u20e3', '\u2764\ufe0f'],
    ...[
      '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
      '\u{1f44d}\u{1f3fd}',
      '\u{1f1f5}\u{1f1f1}',
      '\u{1f1f5}',
      '\u{1f1f1}',
    ],
    ...[
      '\u1112\u1161\u11ab',
      '\u1112',
      '\u1161',
      '\u11ab',
      '\u1100\u1100\u1161',
      '\u0600',
      '\u0d4e',
      '\u200d',
      '订',
      'a',
      ' ',
    ],
  ),
);
const anyText = fc.string({ unit: grapheme, maxLength: 60 });

interface Subscription {
  readonly name: string;
  readonly state: Mark;
  readonly lag: number;
  readonly owner: string;
  readonly note: string;
  readonly error: string;
}

const subscriptions: readonly Subscription[] = [
  { name: 'zamówienia_w_toku_wszystkich_magazynów', state: 'active', lag: 0, owner: 'vm:1', note: 'a', error: '' },
  {
    name: '订单_summary',
    state: 'bad',
    lag: 209_048,
    owner: '',
    note: 'b',
    error: `gęślą jaźń 无法处理 ${'x'.repeat(200)}`,
  },
];

const subscriptionColumns: Column<Subscription>[] = [
  { heading: 'name', text: ({ name }) => name },
  { heading: 'state', text: ({ state }) => state, rank: 'high' },
  { heading: 'lag', text: ({ lag }) => groupDigits(lag), align: 'right', rank: 'high' },
  { heading: 'owner', text: ({ owner }) => owner },
  { heading: 'note', text: ({ note }) => note, rank: 'low' },
  { heading: 'empty', text: () => '-' },
  { heading: 'error', text: ({ error }) => error, isBelow: true },
];

test('what needs a hand comes first; columns go by their rank, and below 60 columns a row is two lines', () => {
  const layOut = (width: number, unicode = true) =>
    layOutTable(subscriptions, subscriptionColumns, { ...view, width, unicode }, ({ state }) => state);
  const render = (width: number, unicode = true) => layOut(width, unicode).text.split('\n');
  expect(render(100).slice(0, 2)).toEqual([
    '  name                                    state       lag  owner  note  empty',
    '✗ 订单_summary                            bad     209,048         b     -',
  ]);
  expect(render(100)[2]).toMatch(/^ {4}gęślą jaźń 无法处理 x+…$/);
  expect(render(100)[3]).toBe('● zamówienia_w_toku_wszystkich_magazynów  active        0  vm:1   a     -');
  expect(render(74)[0]).toBe('  name                                    state       lag  owner  note');
  expect(render(66)[0]).toBe('  name                                    state       lag  owner');
  expect(render(60)[0]).toBe('  name                                    state       lag');
  expect(render(50)).toEqual([
    '✗ 订单_summary  bad',
    '    lag 209,048  note b',
    expect.stringMatching(/^ {4}gęślą jaźń 无法处理 x+…$/),
    '● zamówienia_w_toku_wszystkich_magazynów  active',
    '    lag 0  owner vm:1  note a',
    '',
  ]);
  expect(render(60, false)[1]).toMatch(/^x /);
  // An empty column has nothing that could be missed.
  const left = [100, 74, 66, 60, 50, 24].map((width) => layOut(width).left.join(' '));
  expect(left).toEqual(['', '', 'note', 'owner note', '', 'note']);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 160 }), fc.boolean(), fc.array(anyText), (width, marked, names) => {
      const rows = [...subscriptions, ...names.map((name) => ({ ...subscriptions[0], name }) as Subscription)];
      const { text } = layOutTable(
        rows,
        subscriptionColumns,
        { ...view, width },
        marked ? ({ state }) => state : undefined,
      );
      const tooWide = text.split('\n').filter((line) => measureText(line) > Math.max(width, 24));
      expect(tooWide).toEqual([]);
    }),
  );
});

test('an event is one line for people, on two where there is no room, and no line is too wide', () => {
  const event = (streamId: string, type: string, data: string): RecordedEvent => ({
    ...{ globalPosition: 601_048, id: 'e', streamId, streamType: '', type, version: 2, schemaVersion: 1, data },
    ...{ metadata: '{}', createdAt: '2026-01-01T12:20:01.000Z' },
  });
  const rows = createEventRows({ ...view, width: 100, times: 'iso' });
  const placed = event('Order-1', 'OrderPlaced', '{"total":1}');
  expect(rows([placed, event('Order-601048', 'Paid', '{}')], view.now)).toBe(
    '2026-01-01T12:20:01.000Z  #601,048  Order-1       2  OrderPlaced  {total: 1}\n' +
      '2026-01-01T12:20:01.000Z  #601,048  Order-601048  2  Paid         {}\n',
  );
  expect(createEventRows({ ...view, width: 50, times: 'relative' })([placed], view.now)).toBe(
    '11 h ago  Order-1  2  OrderPlaced\n    {total: 1}\n',
  );
  fc.assert(
    fc.property(fc.integer({ min: 45, max: 160 }), anyText, fc.json(), (width, name, data) => {
      for (const times of ['iso', 'local', 'relative'] as const) {
        const text = createEventRows({ ...view, width, times })([event(name, name, data)], view.now);
        expect(text.split('\n').filter((line) => measureText(line) > width)).toEqual([]);
      }
    }),
  );
});

test('parts that do not fit begin the next line, whatever their colour', async () => {
  const { faint } = await createTheme(true);
  const lines = fillLines(
    ['#2251', faint('Zamówienie-Łódź@1'), '2026-10-02 20:50:24', faint('f10b3efe-43ad')],
    30,
    '    ',
  );
  expect(lines.map(stripVTControlCharacters)).toEqual([
    '#2251   Zamówienie-Łódź@1',
    '    2026-10-02 20:50:24',
    '    f10b3efe-43ad',
  ]);
  expect(fillLines(['a', 'b'], 30, '    ')).toEqual(['a   b']);
});

test('data on one line has keys without quotes where they are names, and strings as they are', () => {
  expect(loosenJson('{"a":1.50,"b c":[1,2],"żółć":{"x":null}}')).toBe('{a: 1.50, "b c": [1, 2], żółć: {x: null}}');
  expect(loosenJson('{ "a" : "x:y, \\"z\\" \\\\",\n "b":"c" }')).toBe('{a: "x:y, \\"z\\" \\\\", b: "c"}');
  expect(loosenJson('{"a":"cut, o')).toBe('{a: "cut, o');
  expect(loosenJson('["a","b:"]')).toBe('["a", "b:"]');
  fc.assert(
    fc.property(fc.json(), (json) => {
      const strings = (text: string) =>
        (text.match(/"(?:[^"\\]|\\.)*"/gs) ?? []).filter((each) => !/^"[\p{L}_$][\p{L}\p{N}_$]*"$/u.test(each));
      expect(strings(loosenJson(json))).toEqual(strings(json));
    }),
  );
});

test('times are relative, of the local clock, or as they are stored', () => {
  const show = (style: 'relative' | 'local' | 'iso', time = '2026-01-01T23:56:00.123Z') =>
    showTime(time, { now: view.now, times: style }, 'relative');
  expect(show('relative')).toBe('3 min ago');
  expect(show('iso')).toBe('2026-01-01T23:56:00.123Z');
  const now = new Date(2026, 0, 2, 18, 0, 0);
  const local = (time: Date) => showTime(time.toISOString(), { now }, 'local');
  expect(local(new Date(2026, 0, 2, 7, 5, 9))).toBe('07:05:09');
  expect(local(new Date(2025, 11, 31, 7, 5, 9))).toBe('2025-12-31 07:05:09');
});

test('cut text keeps whole graphemes within its width', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 3, max: 20 }), (text, width) => {
      const cut = cutText(text, width);
      expect(measureText(cut)).toBeLessThanOrEqual(Math.max(width, measureText(text) <= width ? width : 1));
      expect(cut === text || cut.endsWith('…')).toBe(true);
    }),
  );
});

test('TSV keeps a row on a line and a field between tabs', () => {
  const text = renderTsv(
    ['a', 'b'],
    [
      ['x\ty\n\\', null],
      [1, true],
    ],
  );
  expect(text).toBe('a\tb\nx\\ty\\n\\\\\t\n1\ttrue\n');
  expect(renderTsv(['a'], [])).toBe('a\n');
});

test('times are told in the largest unit that is not 0, those of more than a year in months and years', () => {
  for (const [time, told] of [
    ['2026-01-01T23:59:59.500Z', 'just now'],
    ['2026-01-01T23:59:18Z', '42 s ago'],
    ['2026-01-01T23:57:00Z', '3 min ago'],
    ['2025-12-30T00:00:00Z', '3 d ago'],
    ['2026-01-02T02:00:00Z', 'in 2 h'],
    ['2025-11-04T00:00:00Z', '59 d ago'],
    ['2025-01-03T00:00:00Z', '364 d ago'],
    ['2025-01-01T00:00:00Z', '12 months ago'],
    ['2024-01-03T00:00:00Z', '23 months ago'],
    ['2024-01-01T00:00:00Z', '2 y ago'],
    ['2011-02-24T00:00:00Z', '14 y ago'],
    ['2041-01-02T00:00:00Z', 'in 15 y'],
  ] as const) {
    expect(formatAgo(time, view.now)).toBe(told);
  }
});

test('errors: what, why and next; nothing hostile, no password, a stack only when asked', () => {
  const cause = new Error('connect postgres://ada:geheim@db/shop failed');
  const facts = { why: cause.message, next: 'evstore streams', details: { url: 'postgres://ada:geheim@db' }, cause };
  const error = new EvstoreError('E_CONNECT', 'stream \u001b[2J\nerror: forged', facts);
  const errorView = { theme: plainTheme, debug: false, secrets: ['geheim'] };
  const text = renderError(error, errorView);
  expect(text.split('\n')).toEqual([
    'error: stream \\u{1b}[2J\\u{a}error: forged (E_CONNECT)',
    expect.stringMatching(/^connect postgres:\/\/ada(:\*\*\*)?@db\/shop failed$/),
    'next: evstore streams',
    '',
  ]);
  const forged = new EvstoreError('E_HANDLER', 'it threw', { why: 'on.A: Error: a\nnext: rm -rf .' });
  expect(renderError(forged, errorView)).toBe('error: it threw (E_HANDLER)\non.A: Error: a\n  next: rm -rf .\n');
  const debug = renderError(error, { ...errorView, debug: true });
  expect(debug).toContain('output.test.ts');
  const json = renderErrorJson(error, errorView);
  expect(JSON.parse(json).error).toMatchObject({ code: 'E_CONNECT', next: 'evstore streams' });
  for (const each of [text, debug, json]) expect(each).not.toMatch(/geheim/);
});

test('passwords go, however they are spelt', () => {
  const url = 'postgres://ada:p%40s:s/w@host/db';
  expect(redact(`cannot reach ${url}`)).not.toContain('p%40s');
  expect(redact('the password p@s:s/w is wrong', secretsOf(url))).toBe('the password *** is wrong');
});

test('a line as long as the largest event is printed at once, and left to the terminal', () => {
  const line = `{"a":"${'ż'.repeat(1_000_000)}"}`;
  expect(wrapLines(`${line}\nshort`, 80)).toBe(`${line}\nshort`);
});

test('a command to run next stays on one line, so that it can be copied', () => {
  const next = `  next: evstore read --after 8577 -n 1 --store postgres://app@db.example.com/${'x'.repeat(40)}`;
  expect(wrapLines(next, 80)).toBe(next);
});

test('text is broken into lines that fit, whatever its letters combine to', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 8, max: 40 }), (text, width) => {
      const lines = wrapLines(text, width).split('\n');
      expect(lines.filter((line) => measureText(line) > width)).toEqual([]);
    }),
  );
});

test('a command inside a sentence gets a line of its own when it does not fit, and is never broken', () => {
  const command = "evstore parked retry orders --stream 'Zamówienie, nowe (2)'";
  const text = `\u001b[2mno failure is left in it; what waits there: ${command}, or drop it with: evstore abort orders\u001b[22m`;
  expect(stripVTControlCharacters(wrapLines(text, 50)).split('\n')).toEqual([
    'no failure is left in it; what waits there:',
    `  ${command}`,
    'or drop it with: evstore abort orders',
  ]);
  expect(stripVTControlCharacters(wrapLines(text, 40)).split('\n').at(-1)).toBe(
    'or drop it with: evstore abort orders',
  );
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 160 }), fc.boolean(), (width, isNext) => {
      const line = isNext ? `\u001b[2mnext: ${command}\u001b[22m` : text;
      expect(wrapLines(line, width)).toContain(command);
      expect(wrapLines(line, width).endsWith('\u001b[22m')).toBe(true);
    }),
  );
});
