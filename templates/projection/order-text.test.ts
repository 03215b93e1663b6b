import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { externalScenario, given } from 'evstore/testing';
import { beforeEach, expect, test } from 'vitest';
import orderText from './order-text.js';

beforeEach(() => {
  process.env.SEARCH_DB = join(mkdtempSync(join(tmpdir(), 'order-text-')), 'search.db');
});

test('an order is found by the words of its events', async () => {
  await externalScenario(orderText)
    .given(
      given('Order-1', 'OrderPlaced', { customer: 'Ada', ship: { city: 'Zürich' } }),
      given('Order-2', 'OrderPlaced', { customer: 'ada' }),
    )
    .thenRead((database) => {
      expect(search(database, 'zür*')).toEqual(['Order-1']);
      expect(search(database, 'ada')).toEqual(['Order-1', 'Order-2']);
    });
});

test('an event that is written twice has one entry', async () => {
  const note = given('Order-1', 'OrderPlaced', { note: 'a gift' });
  await externalScenario(orderText)
    .given(note, note)
    .thenRead(async (database, target) => {
      expect(search(database, 'gift')).toEqual(['Order-1', 'Order-1']);
      expect(await orderText.count?.(database, target, { signal: new AbortController().signal })).toBe(2);
    });
});

/** Searches as readers do, by the name that never changes. */
function search(database: Database, words: string): unknown[] {
  return database.prepare('select stream_id from order_text where words match ? order by stream_id').pluck().all(words);
}
