import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { normaliseTimestamp, parseDuration, parseMoment, storedTimestamp } from '../../src/domain/timestamp.js';

const zone = process.env.TZ;

describe.each(['UTC', 'America/St_Johns', 'Pacific/Apia', 'Europe/Berlin'])('timestamps where TZ=%s', (TZ) => {
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01t00:00:00z', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01 00:00:00.5', '2026-01-01T00:00:00.500Z'],
    ['2026-01-01T00:00:00', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01 00:00:00.000001+00', '2026-01-01T00:00:00.000001Z'],
    ['2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123456Z'],
    ['2026-01-01T00:00:00.123000Z', '2026-01-01T00:00:00.123Z'],
    ['2026-03-29T02:30:00+01:00', '2026-03-29T01:30:00.000Z'],
    ['2026-01-01T00:00:00.999999+05:30', '2025-12-31T18:30:00.999999Z'],
    ['1883-11-18 12:00:00-04:56:02', '1883-11-18T16:56:02.000Z'],
    ['2024-02-29T23:59:59-12:00', '2024-03-01T11:59:59.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['2024-02-29T00:00:00.000Z', '2024-02-29T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999001Z', '2026-12-31T23:59:59.999001Z'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
  ])('%s → %s', (text, normal) => {
    process.env.TZ = TZ;
    expect(normaliseTimestamp(text)).toBe(normal);
    expect(normaliseTimestamp(normal)).toBe(normal);
  });

  it.each([
    '',
    'now',
    'infinity',
    '-infinity',
    '2026-01-01',
    '10000-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '0000-01-01T00:00:00.000Z',
    '2026-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00.000000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-00-01T00:00:00.000Z',
    '2026-01-00T00:00:00.000Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:00:60.000Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00 BC',
    '0044-03-15 00:00:00 BC',
    '2026-01-01T00:00:00Z\n2026',
  ])('%j is refused', (text) => {
    process.env.TZ = TZ;
    expect(() => normaliseTimestamp(text)).toThrow(RangeError);
  });

  it('agree with Date to the millisecond and keep the microseconds', () => {
    process.env.TZ = TZ;
    const times = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 0, max: 999 }),
        fc.integer({ min: -1439, max: 1439 }),
        (date, micros, offset) => {
          const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
          const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60].map((n) =>
            String(n).padStart(2, '0'),
          );
          const digits = String(micros).padStart(3, '0');
          const text = `${local}${digits}${offset < 0 ? '-' : '+'}${hours}:${minutes}`;
          const expected = date.toISOString().slice(0, -1);
          expect(storedTimestamp(text)).toBe(`${expected}${digits}Z`);
          expect(normaliseTimestamp(text)).toBe(`${expected}${micros === 0 ? '' : digits}Z`);
        },
      ),
    );
  });
});

describe('durations and moments', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('%s is %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

  it.each(['', '5', 's', '-5s', '5 s', '5S', '1e3s', '1h30m', '99999999999999d', 'constructor', '1constructor'])(
    '%j is no duration',
    (text) => expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'E_USAGE' })),
  );

  it('a moment is a date, a time or a while ago', () => {
    const now = new Date('2026-03-01T00:10:00.000Z');
    expect(parseMoment('15m', now)).toBe('2026-02-28T23:55:00.000Z');
    expect(parseMoment('2026-01-31', now)).toBe('2026-01-31T00:00:00.000Z');
    expect(parseMoment('2026-01-31T10:00:00.000001+02:00', now)).toBe('2026-01-31T08:00:00.000001Z');
    for (const text of ['', 'yesterday', '2026-02-30', '3w', '99999999d']) {
      expect(() => parseMoment(text, now)).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
    }
  });
});
