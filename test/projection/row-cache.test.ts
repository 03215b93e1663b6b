import { describe, expect, it } from 'vitest';
import { RowCache } from '../../src/projection/row-cache.js';

describe('RowCache', () => {
  it('tells what does not exist from what is not known', () => {
    const cache = new RowCache(false);
    cache.set('a', { id: 'a' });
    cache.set('b', null);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([{ id: 'a' }, null, undefined]);
    cache.set('a', null);
    expect(cache.get('a')).toBeNull();
  });

  it('knows every row of a table that was empty, until one is forgotten', () => {
    const cache = new RowCache(true, 10_000);
    expect(cache.get('anything')).toBeNull();
    for (let index = 0; index < 20; index += 1) cache.set(`k${index}`, { id: `k${index}` });
    expect(cache.get('anything')).toBeNull();
    for (let index = 20; index < 200; index += 1) cache.set(`k${index}`, { id: `k${index}` });
    expect(cache.get('anything')).toBeUndefined();
    expect(cache.get('k0')).toBeUndefined();
    expect(cache.get('k199')).toEqual({ id: 'k199' });
  });

  it('counts what a row has grown to, not what it was when it came', () => {
    const cache = new RowCache(true, 100_000);
    for (let length = 1; length <= 4_096; length *= 2) {
      for (let index = 0; index < 50; index += 1) cache.set(`k${index}`, { id: index, text: 'x'.repeat(length) });
    }
    const kept = Array.from({ length: 50 }, (_, index) => cache.get(`k${index}`)).filter((row) => row !== undefined);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.length).toBeLessThan(30);
  });

  it('keeps what is used, and the newer row of two generations', () => {
    const cache = new RowCache(false, 10_000);
    for (let index = 0; index < 500; index += 1) {
      cache.set(`k${index}`, { id: index });
      cache.set('often', { id: index });
      expect(cache.get('often')).toEqual({ id: index });
    }
  });

  it('stays below its limit', () => {
    const cache = new RowCache(false, 100_000);
    const row = { text: 'x'.repeat(1_000) };
    for (let index = 0; index < 1_000; index += 1) cache.set(`k${index}`, row);
    const kept = Array.from({ length: 1_000 }, (_, index) => cache.get(`k${index}`)).filter(
      (each) => each !== undefined,
    );
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.length).toBeLessThan(100);
  });

  it('knows nothing after a failure', () => {
    const cache = new RowCache(true);
    cache.set('a', { id: 'a' });
    cache.clear();
    expect(cache.get('a')).toBeUndefined();
  });
});
