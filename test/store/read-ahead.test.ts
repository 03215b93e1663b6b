import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readAhead } from '../../src/store/shared/read-ahead.js';

it('is one item ahead, keeps the order, and closes the source when it is left', async () => {
  const told: string[] = [];
  async function* source() {
    try {
      for (let item = 1; item <= 5; item += 1) {
        told.push(`read ${item}`);
        yield item;
      }
    } finally {
      told.push('closed');
    }
  }
  for await (const item of readAhead(source())) {
    await setImmediate();
    told.push(`use ${item}`);
    if (item === 2) break;
  }
  expect(told).toEqual(['read 1', 'read 2', 'use 1', 'read 3', 'use 2', 'closed']);
});

it('fails where the item would have been, after those before it', async () => {
  const used: number[] = [];
  async function* source() {
    yield 1;
    throw new Error('gone');
  }
  const reading = (async () => {
    for await (const item of readAhead(source())) {
      await setImmediate();
      used.push(item);
    }
  })();
  await expect(reading).rejects.toThrow('gone');
  expect(used).toEqual([1]);
});

it('ends with a source that has nothing', async () => {
  const items: number[] = [];
  for await (const item of readAhead((async function* (): AsyncGenerator<number> {})())) items.push(item);
  expect(items).toEqual([]);
});
