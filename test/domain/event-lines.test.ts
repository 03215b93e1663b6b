import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { renderEventLine, renderEventLines } from '../../src/domain/event-lines.js';
import { quoteJson, sanitiseJson } from '../../src/domain/safe-json.js';

const piece = fc.oneof(
  fc.constantFrom(
    '\u001b[2J',
    '\u009b',
    '\u007f',
    '\r',
    '\n',
    '\t',
    '\u202e',
    '\u2066',
    '\u2028',
    '\u{e0041}',
    '\ud800',
  ),
  fc.constantFrom('\udc00', '\\', '"', ',', '  ', '👩‍👩‍👧', 'é', '漢', 'Order', '{}'),
  fc.string({ unit: 'binary' }),
);
const text = fc.array(piece, { maxLength: 4 }).map((parts) => parts.join(''));
const json = fc
  .tuple(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t'), fc.constantFrom('', '\r\n', ' '))
  .map(([value, indent, around]) => `${around}${JSON.stringify(value, null, indent)}${around}`);
const plain = fc.constantFrom('{"a":1}', '[]', '"x"');
const event: fc.Arbitrary<RecordedEvent> = fc.record({
  globalPosition: fc.integer({ min: 1 }),
  streamId: text,
  version: fc.integer({ min: 1 }),
  type: text,
  schemaVersion: fc.integer({ min: 1 }),
  id: fc.uuid(),
  data: fc.oneof(plain, json),
  metadata: fc.oneof(plain, json),
  streamType: text,
  createdAt: fc.oneof(fc.constantFrom('2026-01-02T03:04:05.678Z', 'infinity', '2026-01-02 03:04:05.\t Z'), text),
});

/** Member by member. */
function spell(each: RecordedEvent): string {
  return (
    `{"globalPosition":${each.globalPosition},"streamId":${quoteJson(each.streamId)},"version":${each.version},` +
    `"type":${quoteJson(each.type)},"schemaVersion":${each.schemaVersion},"id":${quoteJson(each.id)},` +
    `"data":${sanitiseJson(each.data)},"metadata":${sanitiseJson(each.metadata)},` +
    `"streamType":${quoteJson(each.streamType)},"createdAt":${quoteJson(each.createdAt)}}`
  );
}

test('each member is safe to print, and says what it said', () => {
  fc.assert(fc.property(event, (each) => renderEventLine(each) === spell(each)));
});

test('many lines are the lines of each', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), (events) => {
      const lines = events.map((each) => `${spell(each)}\n`).join('');
      expect(Buffer.from(renderEventLines(events)).toString()).toBe(lines);
    }),
  );
});
