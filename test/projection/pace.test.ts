import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/projection/catch-up/pace.js';
import { Rate } from '../../src/projection/run/rate.js';

const eventsOf = (count: number, characters = 100) =>
  Array.from({ length: count }, () => ({ data: 'x'.repeat(characters - 2), metadata: '{}' }));

describe('Pace', () => {
  it('grows when full batches are quick and shrinks when they are slow, within bounds', () => {
    const pace = new Pace();
    const start = pace.size;
    pace.record(eventsOf(start), 10);
    expect(pace.size).toBe(start * 2);
    for (let round = 0; round < 20; round += 1) pace.record(eventsOf(pace.size), 10);
    expect(pace.size).toBe(2_000);
    for (let round = 0; round < 20; round += 1) pace.record(eventsOf(pace.size), 900);
    expect(pace.size).toBe(50);
  });

  it('keeps its size after batches that were not full, and when the size is fixed', () => {
    const pace = new Pace();
    pace.record(eventsOf(3), 1);
    expect(pace.size).toBe(new Pace().size);
    const fixed = new Pace(7);
    fixed.record(eventsOf(7), 1);
    fixed.record(eventsOf(7), 9_000);
    expect(fixed.size).toBe(7);
  });

  it('shrinks for large events, down to one, and grows again for small ones', () => {
    const pace = new Pace();
    pace.record(eventsOf(pace.size, 10_000), 10);
    expect(pace.size).toBe(419);
    pace.record(eventsOf(pace.size, 10_000), 10);
    expect(pace.size).toBe(419);
    pace.record(eventsOf(10, 1_000_000), 900);
    expect(pace.size).toBe(4);
    pace.record(eventsOf(4), 10);
    expect(pace.size).toBe(8);
    pace.record(eventsOf(8, 5_000_000), 10);
    expect(pace.size).toBe(1);
  });
});

describe('Rate', () => {
  it('counts only the last seconds', () => {
    const rate = new Rate(10_000);
    expect(rate.perSecond(0)).toBe(0);
    for (let second = 0; second <= 5; second += 1) rate.record(100, second * 1_000);
    expect(rate.perSecond(5_000)).toBe(120);
    expect(rate.perSecond(60_000)).toBe(0);
  });
});
