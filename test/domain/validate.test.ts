import { describe, expect, it } from 'vitest';
import type { ExpectedVersion } from '../../src/domain/event.js';
import { validateAppend, validateEvent } from '../../src/domain/validate.js';
import { makeEvent, makeEvents } from '../support/events.js';

const refusal = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string; why?: string; details: Record<string, unknown> };
  }
  throw new Error('it was accepted');
};
const of = (facts: Parameters<typeof makeEvent>[0], allowLarge = false) =>
  refusal(() => validateAppend('Order-1', [makeEvent(facts)], 'any', { allowLarge }));

describe('validateAppend', () => {
  it('gives the events as they will be stored', () => {
    const event = makeEvent({ createdAt: '2026-01-01T01:00:00.000001+01:00', streamType: '' });
    const [valid] = validateAppend('Order-1', [{ ...event, id: event.id.toUpperCase() }], 0);
    expect(valid).toEqual({ ...event, createdAt: '2026-01-01T00:00:00.000001Z' });
  });

  it('A11: an id twice in a batch is refused', () => {
    const event = makeEvent();
    const error = refusal(() =>
      validateAppend('a', [event, makeEvent(), { ...event, id: event.id.toUpperCase() }], 'any'),
    );
    expect(error).toMatchObject({ code: 'E_USAGE', details: { id: event.id } });
  });

  it('A12: a batch without events is refused', () => {
    expect(refusal(() => validateAppend('a', [], 'any')).code).toBe('E_USAGE');
  });

  it('takes 10,000 events and no more', () => {
    expect(validateAppend('a', makeEvents(10_000), 'any')).toHaveLength(10_000);
    expect(refusal(() => validateAppend('a', makeEvents(10_001), 'any')).code).toBe('E_USAGE');
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53] as ExpectedVersion[])('refuses %s as expected version', (expected) => {
    expect(refusal(() => validateAppend('a', [makeEvent()], expected)).code).toBe('E_USAGE');
  });

  it('refuses what is no event', () => {
    for (const facts of [
      { id: 'x' },
      { type: '' },
      { streamType: '\0' },
      { schemaVersion: 0 },
      { schemaVersion: 1.5 },
      { schemaVersion: 2 ** 31 },
      { createdAt: 'infinity' },
      { createdAt: '' },
      { metadata: '[]' },
      { metadata: 'null' },
      { metadata: '"{}"' },
    ]) {
      expect(of(facts).code, JSON.stringify(facts)).toBe('E_INVALID_INPUT');
    }
  });

  it('says where JSON is wrong, in data and in metadata', () => {
    expect(of({ data: '{"a":1,\n "a":2}' })).toMatchObject({
      code: 'E_INVALID_INPUT',
      why: expect.stringMatching(/^Line 2, column 2: .*"a"/),
      details: { field: 'data', line: 2, column: 2 },
    });
    expect(of({ metadata: '{"a":"\\u0000"}' }).details).toMatchObject({ field: 'metadata', line: 1 });
  });

  it('H15 H27: counts bytes of data and of metadata', () => {
    const text = (bytes: number) => `"${'é'.repeat((bytes - 2) / 2)}"`;
    const object = (bytes: number) => `{"a":${text(bytes - 6)}}`;
    expect(validateAppend('a', [makeEvent({ data: text(10_240), metadata: object(10_240) })], 'any')).toHaveLength(1);
    expect(of({ data: text(10_242) })).toMatchObject({ why: expect.stringMatching(/10 KB.*--allow-large/) });
    expect(of({ metadata: object(10_242) }).message).toContain('metadata');
    expect(validateAppend('a', [makeEvent({ data: text(1_048_576) })], 'any', { allowLarge: true })).toHaveLength(1);
    expect(of({ data: text(1_048_578) }, true).why).toContain('1 MB');
  });

  it('names the event of a batch that is wrong', () => {
    const events = makeEvents(3, (index) => (index === 1 ? { data: '[' } : {}));
    expect(refusal(() => validateAppend('a', events, 'any')).message).toMatch(/^event 2: data/);
    expect(refusal(() => validateEvent(makeEvent({ data: '[' }), 'line 7')).message).toMatch(/^line 7: data/);
  });
});
