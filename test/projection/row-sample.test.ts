import { expect, it } from 'vitest';
import { RowSample } from '../../src/projection/check-handlers/row-sample.js';

it('keeps every row while they fit', () => {
  const sample = new RowSample(100);
  for (let index = 0; index < 100; index += 1) sample.set(`[${index}]`, { id: index });
  expect({ size: sample.size, estimate: sample.estimate }).toEqual({ size: 100, estimate: 100 });
  expect(sample.get('[7]')).toEqual({ id: 7 });
  sample.set('[7]', null);
  expect(sample.get('[7]')).toBeNull();
  expect(sample.size).toBe(99);
});

it('drops half of the keys when it has to, and keeps the other rows complete', () => {
  const sample = new RowSample(1_000);
  const seen = new Map<string, number>();
  for (let round = 1; round <= 2; round += 1) {
    for (let index = 0; index < 20_000; index += 1) {
      const key = `["Order-${index}"]`;
      if (!sample.holds(key)) continue;
      sample.set(key, { times: Number(sample.get(key)?.times ?? 0) + 1 });
      seen.set(key, round);
      expect(sample.size).toBeLessThanOrEqual(1_000);
    }
  }
  const held = [...seen.keys()].filter((key) => sample.holds(key));
  expect(held.length).toBe(sample.size);
  for (const key of held) expect(sample.get(key)).toEqual({ times: 2 });
  expect(sample.estimate).toBeGreaterThan(15_000);
  expect(sample.estimate).toBeLessThan(25_000);
});
