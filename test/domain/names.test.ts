import { describe, expect, it } from 'vitest';
import {
  categoryOf,
  checkEventType,
  checkStreamId,
  checkStreamType,
  deriveName,
  isDefinedIndex,
  isTableName,
  nameRebuildTables,
  suffixOf,
  toSnakeCase,
} from '../../src/domain/names.js';
import { shellWord } from '../../src/domain/shell-word.js';

describe('names', () => {
  it.each([
    ['Order-42', 'Order'],
    ['Order', 'Order'],
    ['Order-a-b', 'Order'],
    ['-x', ''],
    ['user_a-1', 'user_a'],
  ])('the category of %s is %s', (streamId, category) => expect(categoryOf(streamId)).toBe(category));

  it.each(['Order-1', ' ', '%', "'; drop table events;--", '\n', 'é'.repeat(255), '😀'.repeat(128), '-', 'a b'])(
    'the stream id %j is legal',
    (name) => expect(() => checkStreamId(name)).not.toThrow(),
  );

  it.each([
    ['empty', ''],
    ['H2: U+0000', 'a\0'],
    ['H4: a lone high surrogate', 'a\ud800'],
    ['H4: a lone low surrogate', '\udc00a'],
    ['256 characters', 'x'.repeat(256)],
    ['H12: 513 bytes', `${'é'.repeat(256)}x`],
    ['H12: 516 bytes in 129 characters', '😀'.repeat(129)],
    ['H12: 1 MB', 'x'.repeat(1_048_576)],
  ])('a stream id is refused: %s', (_, name) => {
    expect(() => checkStreamId(name)).toThrow(expect.objectContaining({ code: 'E_INVALID_INPUT' }));
  });

  it('event types and stream types count characters', () => {
    expect(() => checkEventType('😀'.repeat(255))).not.toThrow();
    expect(() => checkEventType('😀'.repeat(256))).toThrow(/256 characters/);
    expect(() => checkEventType('')).toThrow(/empty/);
    expect(() => checkStreamType('')).not.toThrow();
    expect(() => checkStreamType('\0')).toThrow(/U\+0000/);
  });

  it('allows tables nobody else owns', () => {
    const legal = ['order_summary', '_x', 'a1', 'x'.repeat(63), 'select'];
    const illegal = ['', '1a', 'Order', 'a-b', 'a"b', 'a b', 'é', 'x'.repeat(64), 'pg_x', 'evstore_x', 'sqlite_x'];
    expect(legal.filter((name) => !isTableName(name))).toEqual([]);
    expect([...illegal, 'events', 'snapshots', 'subscription_checkpoints'].filter(isTableName)).toEqual([]);
    expect(isTableName('a"; drop table x;--')).toBe(false);
    expect(isTableName('a\n')).toBe(false);
  });

  it.each(['orders', 'a'.repeat(63), 'ż'.repeat(31), '订'.repeat(21), '😀'.repeat(15)])(
    'a name derived from %s fits, is read back, and differs from that of a similar table',
    (table) => {
      for (const suffix of ['_pkey', '_idx1', '__v12_345', '_by_day_and_customer']) {
        const name = deriveName(table, suffix);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
        expect(name).not.toMatch(/\ufffd/);
        expect(name.endsWith(suffix)).toBe(true);
        expect(suffixOf(table, name)).toBe(suffix);
        expect(deriveName(`${table.slice(0, -2)}xy`, suffix)).not.toBe(name);
      }
      expect(suffixOf(table, 'mine_idx1')).toBeUndefined();
      const { built } = nameRebuildTables(table, 3, 17);
      for (const index of [deriveName(table, '_idx2'), deriveName(built, '_idx2')]) {
        expect(isDefinedIndex(table, index)).toBe(true);
      }
      for (const index of [`${table}_mine`, deriveName(table, '_by_idx'), 'other_idx1', 'other__v3_17_idx1']) {
        expect(isDefinedIndex(table, index)).toBe(false);
      }
    },
  );

  it.each([
    ['OrderSummary', 'order_summary'],
    ['orderSummary', 'order_summary'],
    ['order-summary', 'order_summary'],
    ['HTTPServer2', 'http_server2'],
    ['order_summary', 'order_summary'],
  ])('%s → %s', (name, snake) => expect(toSnakeCase(name)).toBe(snake));

  it('quotes what a shell would take apart', () => {
    expect(shellWord('Order-1')).toBe('Order-1');
    expect(shellWord("it's; rm -rf")).toBe("'it'\\''s; rm -rf'");
    expect(shellWord('')).toBe("''");
  });
});
