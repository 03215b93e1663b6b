import { describe, expect, it } from 'vitest';
import {
  compareSubscriptionIds,
  hashKey,
  isInPart,
  parsePart,
  partOf,
  subscriptionIdOf,
} from '../../src/domain/parts.js';

describe('the hash of a key', () => {
  it('is FNV-1a with 32 bits over UTF-8: what was divided by it stays divided so', () => {
    expect(hashKey('')).toBe(0x811c9dc5);
    expect(hashKey('a')).toBe(0xe40c292c);
    expect(hashKey('foobar')).toBe(0xbf9cf968);
    expect(hashKey('["Order-1"]')).toBe(0xd8765df7);
    expect(hashKey('["Straße-1"]')).not.toBe(hashKey('["Strasse-1"]'));
  });

  it.each([2, 3, 4, 7, 256])('gives each key to one of %i parts, and none of them much more than its share', (of) => {
    const shares = Array.from({ length: of }, () => 0);
    const misplaced: string[] = [];
    // Each key is asked of each part: fewer keys a part keep 256 parts fast.
    const keysEach = of === 256 ? 100 : 400;
    for (let each = 0; each < keysEach * of; each += 1) {
      const key = `["Order-${each}"]`;
      const owners = shares.flatMap((_, at) => (isInPart(key, { index: at + 1, of }) ? [at] : []));
      if (owners.length !== 1) misplaced.push(key);
      for (const owner of owners) shares[owner] = (shares[owner] ?? 0) + 1;
    }
    expect(misplaced).toEqual([]);
    expect(Math.max(...shares.map((share) => Math.abs(share - keysEach)))).toBeLessThan(0.375 * keysEach);
  });
});

describe('a part', () => {
  it('is written k/n', () => {
    expect(parsePart('2/3')).toEqual({ index: 2, of: 3 });
    expect(parsePart('256/256')).toEqual({ index: 256, of: 256 });
    for (const text of ['', '0/2', '3/2', '1/257', '1/0', '-1/2', '1/2/3', 'a/b', '1.5/2', ' 1/2']) {
      expect(() => parsePart(text), text).toThrow(`'${text}' is not a part`);
    }
  });

  it('has a checkpoint of its own, the whole the name', () => {
    expect(subscriptionIdOf('orders', { index: 2, of: 3 })).toBe('orders#2/3');
    expect(subscriptionIdOf('orders', { index: 1, of: 1 })).toBe('orders');
    expect(partOf('orders#2/3')).toEqual({ projection: 'orders', part: { index: 2, of: 3 } });
    for (const other of ['orders', 'saga:x#1/2', 'Mailer #1']) {
      expect(partOf(other)).toEqual({ projection: other, part: { index: 1, of: 1 } });
    }
    const ids = ['orders#10/12', 'zebra', 'orders#2/12', 'orders'];
    expect(ids.toSorted(compareSubscriptionIds)).toEqual(['orders', 'orders#2/12', 'orders#10/12', 'zebra']);
  });
});
