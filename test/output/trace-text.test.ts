import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layOutJson } from '../../src/output/json-layout.js';
import { measureText } from '../../src/output/text-width.js';
import { plainTheme } from '../../src/output/theme.js';
import { renderTrace, renderTraceJson } from '../../src/output/trace-text.js';
import { growTree } from '../../src/query/causation-tree.js';
import { makeEvent } from '../support/events.js';

const idOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** Each event caused by the one before; every tenth also has a second effect. */
const deep = Array.from({ length: 300 }, (_, index) => ({
  ...makeEvent({
    id: idOf(index),
    type: 'ZamówienieZłożonoPoWielkichTrudach',
    metadata: JSON.stringify({
      causationId: index === 0 ? `\u001b[2J${'x'.repeat(500)}` : idOf(index - 1 - (index % 10 === 0 ? 1 : 0)),
    }),
  }),
  globalPosition: index + 1,
  streamId: `Zamówienie-事件-${index}\u202e`,
  version: 1,
  streamType: '',
  createdAt: '2026-01-01T00:00:00.000Z',
}));

test('a tree of any depth fits the terminal, and names each event in a line', () => {
  const roots = growTree(deep);
  for (const width of [140, 80, 50, 30]) {
    for (const unicode of [true, false]) {
      const view = { theme: plainTheme, width, unicode, now: new Date() };
      const lines = [...renderTrace({ roots, isFull: false }, view)];
      expect(lines).toHaveLength(deep.length + 1);
      for (const line of lines) {
        expect(line).toMatch(/^\P{C}*\n$/u);
        expect(measureText(line.trimEnd()), line).toBeLessThanOrEqual(width);
      }
      expect(lines.at(-1)).toMatch(unicode ? /^\d+… .*[└├]─ \+0 ms {2}Z/ : /^\d+\.\. .*[`|]- \+0 ms {2}Z/);
    }
  }
});

test('the JSON of a tree has each event below its cause', () => {
  const searched = { byIndex: false, after: 0, to: 300, head: 300, isWhole: true };
  const facts = { events: 3, truncated: false, isFull: false, searched };
  const few = deep.slice(0, 3);
  const text = [
    ...renderTraceJson({ roots: growTree([...few, { ...deep[9], metadata: '{}' } as (typeof deep)[0]]), ...facts }),
  ];
  expect(JSON.parse(text.join(''))).toMatchObject({
    roots: [
      {
        event: { id: idOf(0) },
        children: [{ event: { id: idOf(1) }, children: [{ event: { id: idOf(2) }, children: [] }] }],
      },
      { event: { id: idOf(9) }, children: [] },
    ],
    events: 3,
    truncated: false,
  });
  expect(JSON.parse([...renderTraceJson({ roots: [], ...facts })].join(''))).toMatchObject({ roots: [] });
});

test('laid-out JSON is the same JSON, with every digit', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const { lines, cut } = layOutJson(json, { width: 1_000, unicode: true });
      expect(cut).toBe(0);
      expect(JSON.parse(lines.join('\n'))).toEqual(JSON.parse(json));
    }),
  );
  const json = '{ "a":12345678901234567890,\n"b":[1e400,{"c,]":"\\"}"}],"d":{ },"e":[] }';
  expect(layOutJson(json, { width: 80, unicode: true }).lines).toEqual([
    '{',
    '  "a": 12345678901234567890,',
    '  "b": [',
    '    1e400,',
    '    {',
    '      "c,]": "\\"}"',
    '    }',
    '  ],',
    '  "d": {},',
    '  "e": []',
    '}',
  ]);
});

test('JSON that is nested deep takes no more room than a screen: what is deepest is on one line, cut, and that is counted', () => {
  const nest = (levels: number, inside: string) => `${'{"a":'.repeat(levels)}${inside}${'}'.repeat(levels)}`;
  const width = 80;
  const few = layOutJson(nest(24, '[1, 2]'), { width, unicode: true });
  expect(few.cut).toBe(0);
  expect(few.lines).toHaveLength(2 * 20 + 1);
  expect(few.lines[20]).toBe(`${'  '.repeat(20)}"a": {"a": {"a": {"a": {"a": [1, 2]}}}}`);
  expect(JSON.parse(few.lines.join('\n'))).toEqual(JSON.parse(nest(24, '[1, 2]')));
  const { lines, cut } = layOutJson(nest(5_000, `"${'ż'.repeat(1_000_000)}"`), { width, unicode: true });
  expect({ cut, lines: lines.length }).toEqual({ cut: 1, lines: 2 * 20 + 1 });
  expect(lines[20]).toMatch(/^ {40}"a": \{"a": .*…$/);
  for (const line of lines) expect(measureText(line)).toBeLessThanOrEqual(width);
});
