import { describe, expect, it } from 'vitest';
import { type AppendFacts, decideOutcome, type KnownEvent } from '../../src/domain/append-outcome.js';
import type { ExpectedVersion, NewEvent } from '../../src/domain/event.js';
import { makeEvents } from '../support/events.js';

const events = makeEvents(2, (index) => ({ data: `{"n":${index}.0}`, metadata: '{"by":"me"}' }));
const lastEvents = [{ version: 9, type: 'Last', id: 'x' }];

/** As stored: the first at version 4, position 40. */
function stored(request: readonly NewEvent[] = events, streamId = 'Order-1'): KnownEvent[] {
  return request.map(({ id, type }, index) => ({
    id,
    streamId,
    version: 4 + index,
    globalPosition: 40 + index * 10,
    type,
    data: `{"n":${index}}`,
    metadata: ' {"by":"me"}',
  }));
}

function decide(expected: ExpectedVersion, facts: Partial<AppendFacts> = {}) {
  return decideOutcome(
    { streamId: 'Order-1', events, expected },
    { actualVersion: 9, known: [], lastEvents, ...facts },
  );
}

const code = (outcome: ReturnType<typeof decide>) => (outcome.kind === 'error' ? outcome.error.code : outcome.kind);

describe('decideOutcome', () => {
  it.each([
    ['any', 0, 'retry'],
    ['any', 9, 'retry'],
    ['none', 0, 'retry'],
    [0, 0, 'retry'],
    [9, 9, 'retry'],
    ['exists', 1, 'retry'],
    ['exists', 0, 'E_VERSION_CONFLICT'],
    ['none', 9, 'E_VERSION_CONFLICT'],
    [0, 9, 'E_VERSION_CONFLICT'],
    [8, 9, 'E_VERSION_CONFLICT'],
    [10, 9, 'E_VERSION_CONFLICT'],
  ] as const)('nothing known, expected %s, at %d: %s', (expected, actualVersion, outcome) => {
    expect(code(decide(expected, { actualVersion }))).toBe(outcome);
  });

  it.each(['any', 'exists', 'none', 0, 3, 4, 5, 9, 12] as const)('all known, expected %s: duplicate', (expected) => {
    expect(code(decide(expected, { known: stored() }))).toBe('duplicate');
  });

  it('a duplicate has the original places, whatever order the facts come in', () => {
    expect(decide(3, { known: stored().reverse() })).toEqual({
      kind: 'duplicate',
      result: {
        streamId: 'Order-1',
        events: [
          { id: events[0]?.id, version: 4, globalPosition: 40 },
          { id: events[1]?.id, version: 5, globalPosition: 50 },
        ],
        version: 5,
        globalPosition: 50,
        deduplicated: true,
      },
    });
  });

  it.each([
    ['another stream', stored(events, 'Order-2')],
    ['another order', stored([...events].reverse())],
    ['a hole', stored().map((event, index) => ({ ...event, version: event.version + index }))],
    ['another type', stored().map((event) => ({ ...event, type: 'Other' }))],
    ['other data', stored().map((event) => ({ ...event, data: '{"n":7}' }))],
    ['other metadata', stored().map((event) => ({ ...event, metadata: '{}' }))],
  ])('all known with %s: id conflict, with places and no payload', (_, known) => {
    const outcome = decide('any', { known });
    expect(code(outcome)).toBe('E_ID_CONFLICT');
    if (outcome.kind !== 'error') return;
    const places = known.map(({ id, streamId, version, globalPosition }) => ({
      id,
      streamId,
      version,
      globalPosition,
    }));
    expect(outcome.error.details.known).toEqual(places);
    expect(JSON.stringify([outcome.error.message, outcome.error.why, outcome.error.details])).not.toMatch(
      /"n\\?"|\\?"by/,
    );
  });

  it('some known is a partial duplicate, whatever was expected', () => {
    for (const expected of ['any', 3, 'none'] as const) {
      expect(code(decide(expected, { known: stored().slice(0, 1) }))).toBe('E_PARTIAL_DUPLICATE');
    }
  });

  it('a version conflict carries the facts and the next command', () => {
    const outcome = decideOutcome(
      { streamId: "it's", events, expected: 3 },
      { actualVersion: 9, known: [], lastEvents },
    );
    if (outcome.kind !== 'error') throw new Error(outcome.kind);
    expect(outcome.error).toMatchObject({
      message: "stream it's is at version 9, not 3",
      next: "evstore read 'it'\\''s' --from-version 4",
      details: { streamId: "it's", expected: 3, actual: 9, lastEvents },
    });
  });
});
