/** The trials, as short as they can be. */
import { describe, expect, it } from 'vitest';
import { forEachEngine } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';
import { attempt, timeout } from './attempt.js';
import { killRebuilds } from './kills-of-rebuilds.js';
import { killRunners } from './kills-of-runners.js';
import { killSagas } from './kills-of-sagas.js';
import { swapLate } from './late-swap.js';
import { loseCommit } from './lost-commit.js';
import { swapUnderReaders } from './swaps-under-readers.js';
import type { TrialReport } from './trial.js';
import { freezeZombies } from './zombies.js';

allowMoreTime('processes are killed at every step, frozen past their leases and raced');

function expectClean({ seed, findings }: TrialReport): void {
  expect(findings, `seed ${seed}`).toEqual([]);
}

forEachEngine((engine) => {
  describe('trials', { timeout }, () => {
    it('R1: runners that are killed at any point', async () => {
      expectClean(await attempt(engine, (trial) => killRunners(trial, 8)));
    });

    it('sagas whose two processes are killed, at any time, while they act, wait and undo', async () => {
      expectClean(await attempt(engine, (trial) => killSagas(trial, { sagas: 100, kills: 10, timeout: 6 })));
    });

    it('W3: rebuilds that are killed at each step', async () => {
      expectClean(await attempt(engine, (trial) => killRebuilds(trial, { kills: 8, events: 500 })));
    });

    it('W1 W12: swaps and rollbacks under readers', async () => {
      const options = { swaps: 5, readers: 2, appenders: 1 };
      expectClean(await attempt(engine, (trial) => swapUnderReaders(trial, options)));
    });

    it('R3: runners and rebuilds frozen past their leases', async () => {
      expectClean(await attempt(engine, (trial) => freezeZombies(trial, { rounds: 1, isShort: true, expire: true })));
    });

    it('W11: what it applied at the last moment is drained', async () => {
      expectClean(await attempt(engine, swapLate));
    });
  });
});

describe('a COMMIT that nobody answered and that is still to come', { timeout }, () => {
  it('is not made twice', async () => {
    expectClean(await attempt('postgres', loseCommit));
  });
});
