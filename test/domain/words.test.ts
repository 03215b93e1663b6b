import { expect, it } from 'vitest';
import { count } from '../../src/domain/words.js';

it('one thing is singular; none and several are plural', () => {
  expect([0, 1, 2].map((amount) => count(amount, 'event'))).toEqual(['0 events', '1 event', '2 events']);
  expect(count(2, 'index', 'indexes')).toBe('2 indexes');
});
