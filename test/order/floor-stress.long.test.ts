/** Whatever writers do, and however long each takes, readers miss nothing, and nothing comes out of order. */
import { describe, expect, it } from 'vitest';
import { withTestStore } from '../support/engines.js';
import { readAll } from '../support/events.js';
import { checkHistory } from '../support/history.js';
import { allowMoreTime } from '../support/more-time.js';
import { freshSeed } from '../support/random.js';
import { stress } from '../support/stress.js';
import { stretch } from './mutate.js';

allowMoreTime('writers, rollbacks and readers contend for a while');

const runs = [
  { writers: 2, seed: 1 },
  { writers: 4, seed: 2 },
  { writers: 8, seed: 3 },
  { writers: 8, seed: freshSeed() },
];

describe('O2: readers miss nothing beside many writers', () => {
  it.each(runs)('$writers writers, seed $seed', ({ writers, seed }) =>
    withTestStore('postgres', async (test) => {
      const history = await stress(test, { writers, seed, rounds: 60 });
      expect(history.attempts.length).toBe(writers * 60);
      expect(history.attempts.some(({ outcome }) => outcome === 'fail')).toBe(true);
      expect(checkHistory(history)).toEqual([]);
      expect((await readAll(test.store)).map(({ id }) => id)).toEqual(
        history.deliveries.get('wide')?.map(({ id }) => id),
      );
    }),
  );

  it.each(runs)('$writers writers, seed $seed, with pauses where a race would be', ({ writers, seed }) =>
    withTestStore('postgres', async (test) => {
      await stretch(test.raw);
      expect(checkHistory(await stress(test, { writers, seed, rounds: 30 }))).toEqual([]);
    }),
  );
});
