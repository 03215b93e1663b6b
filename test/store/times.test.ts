/** What the table of SQLite takes as a time, evstore reads as the same time: one meaning, whichever program wrote it. */
import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storedTimestamp } from '../../src/domain/timestamp.js';
import { addFilter } from '../../src/store/sqlite/connection/filter.js';
import { freshSeed } from '../support/random.js';

const schema = readFileSync('src/store/sqlite/schema/migrations/0001-events.sql', 'utf8');
/** The expression that filters compare. */
const [, storedTime = ''] =
  /and \(?(case[\s\S]*end)\s*>=/.exec(
    addFilter(
      { text: 'select 1 from events where true /* filter */', parameters: [] },
      { since: '2026-01-01T00:00:00Z' },
    ).text,
  ) ?? [];

function openTable() {
  const database = new Database(':memory:');
  database.exec(schema);
  const insert = database.prepare(
    "insert into events (stream_id, event_type, event_data, version, created_at) values ('T', 'T', '{}', ?, ?)",
  );
  const select = database.prepare(`select ${storedTime} as time from events where version = ?`).pluck();
  let version = 0;
  /** Returns the time as filters see it; undefined when the table refuses it. */
  return (time: string): unknown => {
    try {
      insert.run(version + 1, time);
    } catch {
      return undefined;
    }
    version += 1;
    return select.get(version);
  };
}

function readTime(time: string): string | undefined {
  try {
    return storedTimestamp(time);
  } catch {
    return undefined;
  }
}

describe('times of other programs on SQLite', () => {
  it.each([
    ['2026-01-31 09:30:00.5+00', '2026-01-31T09:30:00.500000Z'],
    ['2026-01-31 09:30:00+00:00', '2026-01-31T09:30:00.000000Z'],
    ['2026-01-31T09:30:00+0000', '2026-01-31T09:30:00.000000Z'],
    ['2026-01-31T09:30:00.123456789+0530', '2026-01-31T04:00:00.123456Z'],
    ['2026-01-31T23:30:00-08', '2026-02-01T07:30:00.000000Z'],
    ['2026-01-31 09:30:00 +05:30', '2026-01-31T04:00:00.000000Z'],
    ['2026-01-31 09:30:00', '2026-01-31T09:30:00.000000Z'],
    ['0001-01-01T00:00:00+00:01', undefined],
    ['9999-12-31T23:59:59-00:01', undefined],
    ['2026-02-29T00:00:00Z', undefined],
    ['2026-01-31T09:30:00Z ', undefined],
    ['2026-01-31T09:30:00+5', undefined],
    ['2026-01-31T09:30:00+05:99', undefined],
    ['2026-01-31', undefined],
  ])('%s is %s', (time, stored) => {
    expect(openTable()(time)).toBe(stored);
  });

  it('a time that the table takes means the same to filters and to readers', () => {
    const toStored = openTable();
    const two = fc.oneof(
      fc.constantFrom('00', '05', '14', '15', '23', '24', '30', '59', '60'),
      fc.nat(99).map((n) => String(n).padStart(2, '0')),
    );
    const offset = fc
      .tuple(fc.constantFrom('+', '-'), two, fc.constantFrom('', ':'), fc.option(two), fc.option(two))
      .map(([sign, hours, colon, minutes, seconds]) =>
        [`${sign}${hours}`, minutes ?? '', (minutes && seconds) ?? ''].filter((part) => part !== '').join(colon),
      );
    const time = fc
      .tuple(
        fc.constantFrom('0000', '0001', '2024', '2026', '9999'),
        fc.constantFrom('-01-01', '-02-29', '-12-31', '-13-01', '-00-10'),
        fc.constantFrom('T', ' ', 't'),
        fc.constantFrom('00:00:00', '23:59:59', '24:00:00', '09:30:60', '09:30'),
        fc.constantFrom('', '.', '.5', '.000', '.123456', '.123456789'),
        fc.constantFrom('', '', ' ', '  ', '\t'),
        fc.oneof(fc.constantFrom('', 'Z', 'z', 'Z '), offset),
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(time, (text) => {
        const stored = toStored(text);
        const read = readTime(text);
        if (stored !== undefined) expect(stored).toBe(read);
        // SQLite takes no times without seconds, and no offsets beyond 14 hours or with seconds.
        else if (read !== undefined) expect(text).toMatch(/t|[-+](1[4-9]|2\d)|[-+]\d\d:?\d\d:?\d\d$|[T ]09:30(?!:)/);
      }),
      { seed: freshSeed(), numRuns: 5000 },
    );
  });
});
