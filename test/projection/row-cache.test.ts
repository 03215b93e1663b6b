import { describe, expect, it } from 'vitest';
import type { StoredRow } from '../../src/domain/read-model.js';
import { KeyFilter } from '../../src/projection/fold/key-filter.js';
import { RowCache } from '../../src/projection/fold/row-cache.js';

const keyOf = (text: string) => ({ text, columns: { id: text } });

/** As an event leaves it, and as it is written then. */
function change(cache: RowCache, text: string, row: StoredRow | null): void {
  const found = cache.get(text) ?? cache.begin(keyOf(text));
  if (found === undefined) cache.learn(keyOf(text), null);
  const known = cache.find(keyOf(text));
  known.row = row;
  cache.changed(known);
}

function write(cache: RowCache, text: string, row: StoredRow | null): void {
  change(cache, text, row);
  cache.settle();
}

const isKnown = (cache: RowCache, text: string) => cache.get(text) !== undefined;

describe('RowCache', () => {
  it('tells what does not exist from what is not known', () => {
    const cache = new RowCache(false);
    cache.learn(keyOf('a'), { id: 'a' });
    cache.learn(keyOf('b'), null);
    expect(['a', 'b', 'c'].map((text) => cache.get(text)?.row)).toEqual([{ id: 'a' }, null, undefined]);
    expect(() => cache.find(keyOf('c'))).toThrow('was not looked up');
  });

  it('knows that a table which was empty has no row but those written, also when it has forgotten them', () => {
    const cache = new RowCache(true, 10_000);
    expect(cache.begin(keyOf('anything'))).toMatchObject({ row: null, isNew: true });
    for (let index = 0; index < 200; index += 1) write(cache, `k${index}`, { id: `k${index}` });
    expect(isKnown(cache, 'k0')).toBe(false);
    expect(cache.begin(keyOf('k0'))).toBeUndefined();
    expect(cache.get('k199')?.row).toEqual({ id: 'k199' });
    expect(cache.begin(keyOf('never'))).toMatchObject({ row: null, isNew: true });
  });

  it('looks up what may have been written before a failure', () => {
    const cache = new RowCache(true);
    change(cache, 'a', { id: 'a' });
    cache.clear();
    expect(isKnown(cache, 'a')).toBe(false);
    expect(cache.begin(keyOf('a'))).toBeUndefined();
    expect(cache.begin(keyOf('b'))).toBeDefined();
  });

  it('counts what a row has grown to, not what it was when it came', () => {
    const cache = new RowCache(true, 100_000);
    for (let length = 1; length <= 4_096; length *= 2) {
      for (let index = 0; index < 50; index += 1) write(cache, `k${index}`, { id: index, text: 'x'.repeat(length) });
    }
    const kept = Array.from({ length: 50 }, (_, index) => `k${index}`).filter((text) => isKnown(cache, text));
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.length).toBeLessThan(30);
  });

  it('keeps what is used', () => {
    const cache = new RowCache(false, 10_000);
    for (let index = 0; index < 500; index += 1) {
      write(cache, `k${index}`, { id: index });
      write(cache, 'often', { id: index });
      expect(cache.get('often')?.row).toEqual({ id: index });
    }
  });

  it('forgets nothing that is not written yet, and says when there is no room for more', () => {
    const cache = new RowCache(false, 100_000);
    const row = { text: 'x'.repeat(1_000) };
    for (let index = 0; index < 1_000; index += 1) change(cache, `k${index}`, row);
    expect(cache.isFull).toBe(true);
    expect(isKnown(cache, 'k0')).toBe(true);
    cache.settle();
    expect(cache.isFull).toBe(false);
    expect(isKnown(cache, 'k0')).toBe(true);
  });

  it('stays below its limit', () => {
    const cache = new RowCache(false, 100_000);
    const row = { text: 'x'.repeat(1_000) };
    for (let index = 0; index < 1_000; index += 1) write(cache, `k${index}`, row);
    const kept = Array.from({ length: 1_000 }, (_, index) => `k${index}`).filter((text) => isKnown(cache, text));
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.length).toBeLessThan(100);
  });
});

it('a filter of keys holds every key it was given, and few others', () => {
  const filter = new KeyFilter();
  const keys = Array.from({ length: 100_000 }, (_, index) => `Order-${index}`);
  for (const key of keys) filter.add(key);
  expect(keys.every((key) => filter.mayHold(key))).toBe(true);
  const others = Array.from({ length: 100_000 }, (_, index) => `Order-${100_000 + index}`);
  expect(others.filter((key) => filter.mayHold(key)).length).toBeLessThan(200);
});
