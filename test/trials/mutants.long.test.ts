/** Evstores with one thing wrong, which the trials must find. */
import { describe, expect, it } from 'vitest';
import { forEachEngine } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';
import { attempt, timeout } from './attempt.js';
import { killRunners } from './kills-of-runners.js';
import { swapLate } from './late-swap.js';
import { cursorOutsideTransaction, noCompareAndSet, swapWithoutDrain } from './mutants.js';
import { freezeZombies } from './zombies.js';

allowMoreTime('each mutant is compiled and tried until it is found out');

forEachEngine((engine) => {
  describe('what the trials find', { timeout }, () => {
    it('a checkpoint that moves outside the transaction of its rows', async () => {
      const { findings } = await attempt(engine, (trial) => killRunners(trial, 40), cursorOutsideTransaction);
      expect(findings.join('\n')).toContain('is not the fold of the events');
    });

    it('a runner that does not compare and set', async () => {
      const options = { rounds: 1, isShort: true, expire: true };
      const { findings } = await attempt(engine, (trial) => freezeZombies(trial, options), noCompareAndSet);
      expect(findings.join('\n')).toMatch(/is not the fold of the events|moved a cursor afterwards/);
    });

    it('a swap without its drain', async () => {
      const { findings } = await attempt(engine, swapLate, swapWithoutDrain);
      expect(findings.join('\n')).toMatch(/went down from \d+ to \d+/);
    });
  });
});
