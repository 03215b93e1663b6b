/** Evstores with one thing wrong, which the trials must find. */
import { describe, expect, it } from 'vitest';
import { forEachEngine } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';
import { attempt, timeout } from './attempt.js';
import { killRunners } from './kills-of-runners.js';
import { killSagas } from './kills-of-sagas.js';
import { swapLate } from './late-swap.js';
import {
  checkpointBeforeStarts,
  compensatedInOrder,
  cursorOutsideTransaction,
  noCompareAndSet,
  releasedWhileActing,
  swapWithoutDrain,
} from './mutants.js';
import { freezeZombies } from './zombies.js';

allowMoreTime('each mutant is compiled and tried until it is found out');

const fewSagas = { sagas: 60, kills: 8, timeout: 6 };

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

    it('a saga that is given away while a process acts on it', async () => {
      const { findings } = await attempt(
        engine,
        (trial) => killSagas(trial, { ...fewSagas, sagas: 200 }),
        releasedWhileActing,
      );
      expect(findings.join('\n')).toMatch(/began while process|was made again after/);
    });

    it('a saga whose checkpoint moves before its instances are started', async () => {
      const { findings } = await attempt(engine, (trial) => killSagas(trial, fewSagas), checkpointBeforeStarts);
      expect(findings.join('\n')).toContain('was never started');
    });

    it('a saga that is compensated first in, first out', async () => {
      const options = { ...fewSagas, kills: 1 };
      const { findings } = await attempt(engine, (trial) => killSagas(trial, options), compensatedInOrder);
      expect(findings.join('\n')).toContain('undone in the order');
    });

    it('a swap without its drain', async () => {
      const { findings } = await attempt(engine, swapLate, swapWithoutDrain);
      expect(findings.join('\n')).toMatch(/went down from \d+ to \d+/);
    });
  });
});
