/** The trials, as short as they can be, and evstores with one thing wrong that they must find. */
import { describe, expect, it } from 'vitest';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { killRebuilds } from './kills-of-rebuilds.js';
import { killRunners } from './kills-of-runners.js';
import { swapLate } from './late-swap.js';
import { loseCommit } from './lost-commit.js';
import { cursorOutsideTransaction, noCompareAndSet, swapWithoutDrain } from './mutants.js';
import { swapUnderReaders } from './swaps-under-readers.js';
import type { Trial, TrialReport } from './trial.js';
import { freezeZombies } from './zombies.js';

const timeout = 300_000;

type Engine = Parameters<typeof withTestStore>[0];

function attempt(
  engine: Engine,
  run: (trial: Trial) => Promise<TrialReport>,
  mutations: Trial['mutations'] = [],
): Promise<TrialReport> {
  return withTestStore(engine, (test) => run({ test, random: makeRandom(freshSeed()), mutations, enough: 1 }));
}

function expectClean({ seed, findings }: TrialReport): void {
  expect(findings, `seed ${seed}`).toEqual([]);
}

forEachEngine((engine) => {
  describe('trials', { timeout }, () => {
    it('kill9-every-batch-point (R1)', async () => {
      expectClean(await attempt(engine, (trial) => killRunners(trial, 8)));
    });

    it('swap-kill9-each-step (W3)', async () => {
      expectClean(await attempt(engine, (trial) => killRebuilds(trial, { kills: 8, events: 500 })));
    });

    it('swap-under-readers (W1), rollback-swap (W12)', async () => {
      const options = { swaps: 5, readers: 3, appenders: 2 };
      expectClean(await attempt(engine, (trial) => swapUnderReaders(trial, options)));
    });

    it('zombie-runner (R3), and a rebuild of its kind', async () => {
      expectClean(await attempt(engine, (trial) => freezeZombies(trial, { rounds: 1, isShort: true, expire: true })));
    });

    it('runner-during-swap (W11): what it applied at the last moment is drained', async () => {
      expectClean(await attempt(engine, swapLate));
    });
  });

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

describe('a COMMIT that nobody answered and that is still to come', { timeout }, () => {
  it('is not made twice', async () => {
    expectClean(await attempt('postgres', loseCommit));
  });
});
