/** Who is measured when, and what becomes of who is wrong. */
import { describe, expect, it } from 'vitest';
import { atLeast, expectEqual, takeTurns } from '../../bench/measure.js';

const turns = { title: 'work', unit: 's' as const, runs: 3, say: () => {} };

describe('taking turns', () => {
  it('runs one after the other, again and again', async () => {
    const order: string[] = [];
    const contender = (name: string) => ({
      name,
      prepare: async () => void order.push(`prepare ${name}`),
      run: async () => order.push(name),
    });
    await takeTurns([contender('a'), contender('b')], { ...turns, runs: 2 });
    const round = ['prepare a', 'a', 'prepare b', 'b'];
    expect(order).toEqual([...round, ...round]);
  });

  it('gives no figure to one that was wrong, and goes on with the others', async () => {
    let run = 0;
    const { measured } = await takeTurns(
      [
        { name: 'right', run: async () => 1 },
        {
          name: 'wrong in the second run',
          target: atLeast(1),
          run: async () => {
            run += 1;
            expectEqual('rows', 10 * run, 10);
            return 1;
          },
        },
        { name: 'not here', missing: 'not measured: it is not installed', run: async () => 1 },
      ],
      turns,
    );
    expect(measured).toEqual([
      { name: 'right', figures: [1, 1, 1] },
      { name: 'wrong in the second run', figures: [], failure: 'failed: rows is 20, not 10', target: atLeast(1) },
      { name: 'not here', figures: [], failure: 'not measured: it is not installed' },
    ]);
    expect(run).toBe(2);
  });
});
