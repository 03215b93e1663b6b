/** One trial as a case of the suite, on a store of its own. */
import type { Engine } from '../../src/store/store.js';
import { withTestStore } from '../support/engines.js';
import { freshSeed, makeRandom } from '../support/random.js';
import type { Trial, TrialReport } from './trial.js';

export const timeout = 300_000;

export function attempt(
  engine: Engine,
  run: (trial: Trial) => Promise<TrialReport>,
  mutations: Trial['mutations'] = [],
): Promise<TrialReport> {
  return withTestStore(engine, (test) => run({ test, random: makeRandom(freshSeed()), mutations, enough: 1 }));
}
