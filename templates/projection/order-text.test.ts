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

test('a stream is found by the words of its events', async () => {
  await externalScenario(orderText)
    .given(
      say('Order-1', 'OrderPlaced', { title: 'Hello', place: { name: 'Zürich' } }),
      say('Order-2', 'OrderPlaced', { title: 'hello' }),
    )
    .thenRead((database) => {
      expect(search(database, 'zür*')).toEqual(['Order-1']);
      expect(search(database, 'hello')).toEqual(['Order-1', 'Order-2']);
    });
});

test('an event that is written twice has one entry', async () => {
  const first = say('Order-1', 'OrderPlaced', { text: 'a test' });
  await externalScenario(orderText)
    .given(first, first)
    .thenRead(async (database, target) => {
      expect(search(database, 'test')).toEqual(['Order-1', 'Order-1']);
      expect(await orderText.count?.(database, target, { signal: new AbortController().signal })).toBe(2);
    });
});

/** Searches as readers do, by the name that never changes. */
function search(database: Database, words: string): unknown[] {
  return database.prepare('select stream_id from order_text where words match ? order by stream_id').pluck().all(words);
}

/** Makes an event with any data: its words are found wherever they are. */
function say(streamId: string, type: string, data: unknown) {
  return given(streamId, type, data);
}
